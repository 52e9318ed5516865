package feed_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"noroshi/ingest/feed"
	"noroshi/internal/bus"
	"noroshi/internal/kafkatest"
)

// uneven is a stream of two partitions with a backlog of three hours, of which one takes long to read.
type uneven struct{ began time.Time }

const (
	unevenMessages = 1080
	unevenBatch    = 6 // messages that lie within a minute
)

func (*uneven) Name() string                            { return "uneven" }
func (*uneven) Dense() bool                             { return true }
func (*uneven) Partitions(context.Context) (int, error) { return 2, nil }
func (*uneven) State(context.Context, int32) (feed.State, error) {
	return feed.State{First: 0, Last: unevenMessages - 1}, nil
}

func (u *uneven) Open(_ context.Context, partition int32, after *feed.Position) (feed.Cursor, error) {
	c := &unevenCursor{stream: u, slow: partition == 1}
	if after != nil {
		c.next = after.Sequence + 1
	}
	return c, nil
}

type unevenCursor struct {
	stream *uneven
	next   int64
	slow   bool
}

func (c *unevenCursor) Next(ctx context.Context) (all []feed.Message, err error) {
	if c.next == unevenMessages {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if c.slow {
		if err := feed.Pause(ctx, 10*time.Millisecond); err != nil {
			return nil, err
		}
	}
	for range unevenBatch {
		at := c.stream.began.Add(time.Duration(c.next) * 10 * time.Second)
		all = append(all, feed.Message{Position: feed.Position{Sequence: c.next, Enqueued: at}, Body: fmt.Append(nil, c.next)})
		c.next++
	}
	return all, nil
}

func (*unevenCursor) Close(context.Context) {}

// A partition that is read fast waits for one that is read slowly, as long as both have a backlog.
func TestAFastPartitionWaitsForASlowOne(t *testing.T) {
	b := kafkatest.Start(t, 2)
	var mu sync.Mutex
	last, stored, most := [2]time.Time{}, 0, time.Duration(0)
	prepare := func(partition int32) feed.Prepare {
		return func(to []bus.Record, m feed.Message, tally *feed.Tally) []bus.Record {
			mu.Lock()
			defer mu.Unlock()
			last[partition] = m.Enqueued
			stored++
			if other := last[1-partition]; !other.IsZero() {
				most = max(most, m.Enqueued.Sub(other))
			}
			tally.Record(feed.Dataset{Name: "test"}, m.Enqueued, m.Enqueued)
			return append(to, bus.Record{Topic: bus.Events, Key: []byte("k"), Value: m.Body})
		}
	}
	f := &feed.Feed{Stream: &uneven{began: time.Now().Add(-4 * time.Hour)}, Bus: b, Counts: &feed.Counts{}, Log: slog.New(slog.DiscardHandler), Now: time.Now,
		Prepare: prepare, Room: func(context.Context) error { return nil }}
	during(t, f, func(ctx context.Context) { f.Run(ctx, t.Context()) }, func() bool {
		mu.Lock()
		defer mu.Unlock()
		return stored >= 2*unevenMessages
	})
	if most > 3*time.Minute { // a minute, and what the two have in hand
		t.Errorf("one partition was %s ahead of the other", most)
	}
}
