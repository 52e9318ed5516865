package bus

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Everywhere writes a record to every partition of a topic, without a transaction.
type Everywhere struct {
	bus        *Bus
	topic      Topic
	client     *kgo.Client
	partitions int // 0: not asked yet
}

// Everywhere makes a writer to all partitions of a topic.
func (b *Bus) Everywhere(topic Topic) (*Everywhere, error) {
	o, err := b.options()
	if err != nil {
		return nil, fmt.Errorf("make writer: %w", err)
	}
	c, err := kgo.NewClient(append(append(o, b.producing()...), kgo.RecordPartitioner(kgo.ManualPartitioner()))...)
	if err != nil {
		return nil, fmt.Errorf("make writer: %w", err)
	}
	return &Everywhere{bus: b, topic: topic, client: c}, nil
}

// Close ends the writer.
func (e *Everywhere) Close() { e.client.Close() }

// Write returns nil once all partitions have the records, in their order. After an error some may have them.
func (e *Everywhere) Write(ctx context.Context, records ...Record) error {
	if e.partitions == 0 {
		n, err := e.bus.Partitions(ctx, e.topic)
		if err != nil {
			return err
		}
		e.partitions = n
	}
	var all []Record
	for p := range e.partitions {
		for _, r := range records {
			r.Topic, r.Partition = e.topic, int32(p)
			all = append(all, r)
		}
	}
	return e.bus.produce(ctx, e.client, e.bus.outgoing(all...))
}
