package feed_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"noroshi/ingest/feed"
	"noroshi/internal/bus"
	"noroshi/internal/kafkatest"
)

// anew is a stream that was made anew: whatever the position, it gives what it has from its first message on.
type anew struct{}

func (anew) Name() string                            { return "anew" }
func (anew) Partitions(context.Context) (int, error) { return 1, nil }
func (anew) State(context.Context, int32) (feed.State, error) {
	return feed.State{First: 0, Last: 0}, nil
}
func (a anew) Open(context.Context, int32, *feed.Position) (feed.Cursor, error) {
	return &single{}, nil
}

type single struct{ given bool }

func (c *single) Next(ctx context.Context) ([]feed.Message, error) {
	if c.given {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	c.given = true
	return []feed.Message{{Position: feed.Position{Sequence: 0}, Body: []byte("0")}}, nil
}

func (*single) Close(context.Context) {}

// A message that is stored is never stored again, whatever the stream gives.
func TestAStreamThatWasMadeAnewIsRefused(t *testing.T) {
	b := kafkatest.Start(t, 1)
	if _, err := b.EnsureCheckpoints(t.Context(), bus.CheckpointsOf("anew"), 1); err != nil {
		t.Fatal(err)
	}
	var counts feed.Counts
	f := &feed.Feed{Stream: anew{}, Bus: b, Counts: &counts, Log: slog.New(slog.DiscardHandler), Room: func(context.Context) error { return nil },
		Prepare: func(int32) feed.Prepare {
			return func(to []bus.Record, m feed.Message, _ *feed.Tally) []bus.Record {
				return append(to, bus.Record{Topic: bus.Events, Key: []byte("k"), Value: m.Body})
			}
		}}
	f.Abandon(func() bool { return false })
	for _, restarts := range []int64{0, 1} {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		done := make(chan struct{})
		go func() {
			defer close(done)
			f.Carry(ctx, 0)
		}()
		for look := time.Tick(5 * time.Millisecond); ctx.Err() == nil; <-look {
			if s := counts.Snapshot(); len(s) > 0 && s[0].Messages == 1 && s[0].Restarts["denied"] >= restarts {
				break
			}
		}
		cancel()
		<-done
	}
	if s := counts.Snapshot()[0]; s.Messages != 1 || s.Restarts["denied"] == 0 {
		t.Errorf("counted are %+v", s)
	}
	stored := 0
	if err := b.All(t.Context(), bus.Events, func(bus.Record) error { stored++; return nil }); err != nil || stored != 1 {
		t.Errorf("%d records are stored, %v", stored, err)
	}
}

// growing has messages before the first start, and more each time its link breaks; its first links break before they give any.
type growing struct {
	last   int64
	breaks int
}

func (*growing) Name() string                            { return "growing" }
func (*growing) Partitions(context.Context) (int, error) { return 1, nil }
func (g *growing) State(context.Context, int32) (feed.State, error) {
	return feed.State{First: 0, Last: g.last}, nil
}

func (g *growing) Open(_ context.Context, _ int32, after *feed.Position) (feed.Cursor, error) {
	if after == nil {
		return nil, errors.New("a start at the end is asked for")
	}
	if g.breaks--; g.breaks >= 0 {
		g.last++
		return nil, errors.New("the link breaks")
	}
	return &rest{next: after.Sequence + 1, last: g.last}, nil
}

type rest struct{ next, last int64 }

func (c *rest) Next(ctx context.Context) (all []feed.Message, err error) {
	for ; c.next <= c.last; c.next++ {
		all = append(all, feed.Message{Position: feed.Position{Sequence: c.next}, Body: fmt.Append(nil, c.next)})
	}
	if len(all) == 0 {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return all, nil
}

func (*rest) Close(context.Context) {}

// A first start at the end holds its place from then on, also when it has read nothing when the link breaks.
func TestAStartAtTheEndHoldsItsPlace(t *testing.T) {
	b := kafkatest.Start(t, 1)
	if _, err := b.EnsureCheckpoints(t.Context(), bus.CheckpointsOf("growing"), 1); err != nil {
		t.Fatal(err)
	}
	var counts feed.Counts
	f := &feed.Feed{Stream: &growing{last: 6, breaks: 2}, Bus: b, Latest: true, Counts: &counts, Log: slog.New(slog.DiscardHandler), Room: func(context.Context) error { return nil },
		Prepare: func(int32) feed.Prepare {
			return func(to []bus.Record, m feed.Message, _ *feed.Tally) []bus.Record {
				return append(to, bus.Record{Topic: bus.Events, Key: []byte("k"), Value: m.Body})
			}
		}}
	f.Abandon(func() bool { return false })
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f.Carry(ctx, 0)
	}()
	for look := time.Tick(5 * time.Millisecond); ctx.Err() == nil; <-look {
		if s := counts.Snapshot(); len(s) > 0 && s[0].Messages == 2 {
			break
		}
	}
	cancel()
	<-done
	var stored []string
	if err := b.All(t.Context(), bus.Events, func(r bus.Record) error { stored = append(stored, string(r.Value)); return nil }); err != nil || !slices.Equal(stored, []string{"7", "8"}) {
		t.Errorf("stored are %q, %v; there were six before the first start", stored, err)
	}
}
