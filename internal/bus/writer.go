package bus

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"
)

// requestOverhead is what a produce request holds beside its records, with room to spare.
const requestOverhead = 16 << 10

// maxBuffered bounds what a writer holds that is not yet acknowledged, in bytes.
const maxBuffered = 64 << 20

// Writer writes records.
type Writer struct {
	bus    *Bus
	client *kgo.Client
}

// Writer makes a writer: idempotent, acknowledged by all replicas, compressed with snappy, without waiting for more.
func (b *Bus) Writer() (*Writer, error) {
	o, err := b.options()
	if err != nil {
		return nil, fmt.Errorf("make writer: %w", err)
	}
	c, err := kgo.NewClient(append(append(o, b.producing()...), kgo.RecordPartitioner(b.partitioner()))...)
	if err != nil {
		return nil, fmt.Errorf("make writer: %w", err)
	}
	return &Writer{b, c}, nil
}

// producing is how all our producers write.
func (b *Bus) producing() []kgo.Opt {
	if b.config.EventHubs {
		return []kgo.Opt{kgo.RequiredAcks(kgo.AllISRAcks()), kgo.ProducerBatchCompression(kgo.NoCompression()), kgo.ProducerLinger(0),
			kgo.ProducerBatchMaxBytes(eventHubsRequest - requestOverhead), kgo.BrokerMaxWriteBytes(eventHubsRequest), kgo.MaxBufferedBytes(maxBuffered), kgo.RecordDeliveryTimeout(0)}
	}
	return []kgo.Opt{kgo.RequiredAcks(kgo.AllISRAcks()), kgo.ProducerBatchCompression(kgo.SnappyCompression(), kgo.NoCompression()), kgo.ProducerLinger(0),
		kgo.ProducerBatchMaxBytes(maxMessage), kgo.BrokerMaxWriteBytes(2 * maxMessage), kgo.MaxBufferedBytes(maxBuffered), kgo.RecordDeliveryTimeout(0)}
}

// Close ends the writer.
func (w *Writer) Close() { w.client.Close() }

// TooLarge are records that Kafka will never take. The others that were written with them are acknowledged.
type TooLarge struct {
	Records []int // which of those written, in order; at least one
	Cause   error
}

func (e *TooLarge) Error() string {
	return fmt.Sprintf("record %d is too large: %v", e.Records[0], e.Cause)
}

func (e *TooLarge) Unwrap() error { return e.Cause }

// Replace puts smaller ones in the place of records that are too large, and gives these. Where of one nothing is left to leave out,
// smaller says false, and the error is e.
func (e *TooLarge) Replace(records []Record, smaller func(r Record, cause error) (Record, bool)) (replaced []Record, err error) {
	for _, i := range e.Records {
		r, ok := smaller(records[i], e.Cause)
		if !ok {
			return nil, e
		}
		records[i] = r
		replaced = append(replaced, r)
	}
	return replaced, nil
}

// Write returns nil once all records are acknowledged. Records of one key keep their order. After an error any part of them
// may have been written; after a TooLarge it is all but those that it names. It ends with ctx at the latest: what has been sent
// by then may still be written. A position is written when all that was written before it is on the disk.
func (w *Writer) Write(ctx context.Context, records []Record) error {
	if len(records) == 0 {
		return nil
	}
	if slices.ContainsFunc(records, func(r Record) bool { return r.Topic == Checkpoints }) {
		if err := w.bus.sync(ctx); err != nil {
			return fmt.Errorf("write to %s: %w", w.bus.name(records[0].Topic), err)
		}
	}
	return w.bus.produce(ctx, w.client, w.bus.outgoing(records...))
}

// WriteParts is Write for records that come in parts, no positions among them: while one is made, those before it are sent. A TooLarge
// counts over all parts.
func (w *Writer) WriteParts(ctx context.Context, parts iter.Seq[[]Record]) error {
	f := w.bus.flight(w.client)
	for part := range parts {
		f.send(ctx, w.bus.outgoing(part...))
	}
	return f.land(ctx)
}
