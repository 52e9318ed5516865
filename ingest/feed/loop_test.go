package feed_test

import (
	"context"
	"log/slog"
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
	if err := b.EnsureCheckpoints(t.Context(), bus.CheckpointsOf("anew"), 1); err != nil {
		t.Fatal(err)
	}
	var counts feed.Counts
	f := &feed.Feed{Stream: anew{}, Bus: b, Counts: &counts, Log: slog.New(slog.DiscardHandler), Room: func(context.Context) error { return nil },
		Prepare: func(int32) feed.Prepare {
			return func(m feed.Message, _ *feed.Tally) []bus.Record {
				return []bus.Record{{Topic: bus.Events, Key: []byte("k"), Value: m.Body}}
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
