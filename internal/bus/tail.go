package bus

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Tail reads what is written to a topic from now on, all partitions, without a group.
type Tail struct {
	topic  Topic
	client *kgo.Client
}

// Tail makes one. What is written after it has returned is read.
func (b *Bus) Tail(ctx context.Context, topic Topic) (*Tail, error) {
	ends, err := b.admin.ListEndOffsets(ctx, b.name(topic))
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", b.name(topic), err)
	}
	from := map[int32]kgo.Offset{}
	for p, e := range ends[b.name(topic)] {
		from[p] = kgo.NewOffset().At(e.Offset)
	}
	o, err := b.options()
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", b.name(topic), err)
	}
	c, err := kgo.NewClient(append(o, kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{b.name(topic): from}), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.FetchMaxWait(fetchMaxWait))...)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", b.name(topic), err)
	}
	return &Tail{topic, c}, nil
}

// Close ends it.
func (t *Tail) Close() { t.client.Close() }

// Read gives records until ctx ends, which is no error.
func (t *Tail) Read(ctx context.Context, do func(Record)) error {
	for {
		fetches := t.client.PollFetches(ctx)
		if ctx.Err() != nil {
			return nil
		}
		for _, e := range fetches.Errors() {
			return fmt.Errorf("read %s: %w", t.topic, e.Err)
		}
		fetches.EachRecord(func(k *kgo.Record) { do(record(t.topic, k)) })
	}
}
