// Package kafka reads a topic of a Kafka.
package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"noroshi/ingest/feed"
	"noroshi/internal/bus"
)

// Config says which topic to read and where it begins.
type Config struct {
	// Name names the stream; the topic where empty.
	Name  string
	Topic string
	// Since is when a first start begins: at the oldest record where zero.
	Since time.Time
}

// Stream is a topic.
type Stream struct {
	config Config
	from   *bus.Bus
}

// New makes the stream of a topic on the Kafka that from reaches; its prefix is put before the topic's name.
func New(c Config, from *bus.Bus) (*Stream, error) {
	if c.Topic == "" {
		return nil, errors.New("there is no topic: give the key topic")
	}
	if c.Name == "" {
		c.Name = "kafka-" + c.Topic
	}
	return &Stream{c, from}, nil
}

// Name is the configured name, or that of the topic.
func (s *Stream) Name() string { return s.config.Name }

func (s *Stream) topic() bus.Topic { return bus.Topic(s.config.Topic) }

// Dense is false: marks of transactions have offsets, and compaction and transactions that were given up leave holes.
func (s *Stream) Dense() bool { return false }

// Partitions asks the brokers.
func (s *Stream) Partitions(ctx context.Context) (int, error) {
	n, err := s.from.Partitions(ctx, s.topic())
	return n, fault(err)
}

// State gives offsets.
func (s *Stream) State(ctx context.Context, partition int32) (feed.State, error) {
	first, last, err := s.from.Bounds(ctx, s.topic(), partition)
	return feed.State{First: first, Last: last}, fault(err)
}

// Open makes a client of its own.
func (s *Stream) Open(_ context.Context, partition int32, after *feed.Position) (feed.Cursor, error) {
	at := bus.Place{Time: s.config.Since}
	if after != nil {
		at = bus.Place{At: true, Offset: after.Sequence + 1}
	}
	c, err := s.from.Cursor(s.topic(), partition, at)
	if err != nil {
		return nil, fault(err)
	}
	return cursor{c}, nil
}

type cursor struct{ from *bus.Cursor }

// Next polls. What a fetch holds bounds the bytes.
func (c cursor) Next(ctx context.Context) (all []feed.Message, err error) {
	records, err := c.from.Poll(ctx, feed.MaxMessages)
	if err != nil {
		return nil, fault(err)
	}
	for _, r := range records {
		all = append(all, feed.Message{Position: feed.Position{Sequence: r.Offset, Enqueued: r.Timestamp.UTC()}, Body: r.Value, Mark: r.Mark, Fault: r.Fault})
	}
	return all, nil
}

func (c cursor) Close(context.Context) { c.from.Close() }

func fault(err error) error {
	var d *bus.Denied
	if errors.As(err, &d) {
		return fmt.Errorf("%w: %w", feed.ErrDenied, err)
	}
	return err
}

// Send puts one message into the topic: that of a drill. It needs the right Write, which reading does not.
func (s *Stream) Send(ctx context.Context, body []byte) error {
	w, err := s.from.Writer()
	if err != nil {
		return err
	}
	defer w.Close()
	return w.Write(ctx, []bus.Record{{Topic: s.topic(), Value: body}})
}
