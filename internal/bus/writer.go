package bus

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

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
	o = append(o, kgo.RequiredAcks(kgo.AllISRAcks()), kgo.ProducerBatchCompression(kgo.SnappyCompression(), kgo.NoCompression()), kgo.ProducerLinger(0),
		kgo.ProducerBatchMaxBytes(maxMessage), kgo.BrokerMaxWriteBytes(2*maxMessage), kgo.MaxBufferedBytes(maxBuffered), kgo.RecordDeliveryTimeout(0))
	c, err := kgo.NewClient(o...)
	if err != nil {
		return nil, fmt.Errorf("make writer: %w", err)
	}
	return &Writer{b, c}, nil
}

// Close ends the writer.
func (w *Writer) Close() { w.client.Close() }

// TooLarge is a record that Kafka will never take.
type TooLarge struct {
	Index int // among those written
	Cause error
}

func (e *TooLarge) Error() string { return fmt.Sprintf("record %d is too large: %v", e.Index, e.Cause) }

func (e *TooLarge) Unwrap() error { return e.Cause }

// Write returns nil once all records are acknowledged. Records of one key keep their order. After an error any part of them
// may have been written; a TooLarge names the first that cannot be.
func (w *Writer) Write(ctx context.Context, records []Record) error {
	if len(records) == 0 {
		return nil
	}
	out := make([]*kgo.Record, len(records))
	for i, r := range records {
		k := &kgo.Record{Topic: w.bus.name(r.Topic), Key: r.Key, Value: r.Value}
		for _, h := range r.Headers {
			k.Headers = append(k.Headers, kgo.RecordHeader{Key: h.Key, Value: h.Value})
		}
		out[i] = k
	}
	results := w.client.ProduceSync(ctx, out...)
	byRecord := make(map[*kgo.Record]int, len(out))
	for i, k := range out {
		byRecord[k] = i
	}
	var first error
	for _, r := range results {
		if errors.Is(r.Err, kerr.MessageTooLarge) || errors.Is(r.Err, kerr.RecordListTooLarge) {
			return &TooLarge{byRecord[r.Record], r.Err}
		}
		if r.Err != nil && first == nil {
			first = fmt.Errorf("write to %s: %w", r.Record.Topic, r.Err)
		}
	}
	return first
}
