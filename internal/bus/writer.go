package bus

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
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
	c, err := kgo.NewClient(append(o, b.producing()...)...)
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

// outgoing is a record as the client takes it.
func (b *Bus) outgoing(r Record) *kgo.Record {
	return &kgo.Record{Topic: b.name(r.Topic), Key: r.Key, Value: r.Value, Headers: r.Headers, Partition: r.Partition}
}

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
	out := make([]*kgo.Record, len(records))
	position := false
	for i, r := range records {
		out[i] = w.bus.outgoing(r)
		position = position || r.Topic == Checkpoints
	}
	if position {
		if err := w.bus.sync(ctx); err != nil {
			return fmt.Errorf("write to %s: %w", out[0].Topic, err)
		}
	}
	return w.bus.produce(ctx, w.client, out)
}

// produce returns once records are acknowledged, or with ctx. The client would wait for the answer to what it has sent, however long
// that takes, so that it never sends a record twice.
func (b *Bus) produce(ctx context.Context, c *kgo.Client, out []*kgo.Record) error {
	results := make(chan kgo.ProduceResult, len(out))
	for _, r := range out {
		c.Produce(ctx, r, func(r *kgo.Record, err error) { results <- kgo.ProduceResult{Record: r, Err: err} })
	}
	all := make(kgo.ProduceResults, 0, len(out))
	for range out {
		select {
		case r := <-results:
			all = append(all, r)
		case <-ctx.Done():
			return fmt.Errorf("write to %s: %w", out[0].Topic, context.Cause(ctx))
		}
	}
	forget(c, all)
	return b.written(all, out)
}

// forget has the client ask again for topics that are gone: it would take one that was made again for the old one for ever.
func forget(c *kgo.Client, results kgo.ProduceResults) {
	for _, r := range results {
		if errors.Is(r.Err, kerr.UnknownTopicID) || errors.Is(r.Err, kerr.UnknownTopicOrPartition) {
			c.PurgeTopicsFromProducing(r.Record.Topic)
			return
		}
	}
}

// written tells what went wrong with records that were produced.
func (b *Bus) written(results kgo.ProduceResults, out []*kgo.Record) error {
	large := &TooLarge{}
	for _, r := range results {
		switch {
		case errors.Is(r.Err, kerr.MessageTooLarge), errors.Is(r.Err, kerr.RecordListTooLarge):
			large.Records, large.Cause = append(large.Records, slices.Index(out, r.Record)), r.Err
		case errors.Is(r.Err, kerr.UnknownServerError):
			return fmt.Errorf("write to %s: %w", r.Record.Topic, b.config.disk.explain(r.Err))
		case r.Err != nil:
			return fmt.Errorf("write to %s: %w", r.Record.Topic, explained(r.Err))
		}
	}
	b.config.disk.well()
	if large.Cause == nil {
		return nil
	}
	slices.Sort(large.Records)
	return large
}
