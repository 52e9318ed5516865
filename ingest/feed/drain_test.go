package feed

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"noroshi/internal/bus"
)

// slow is a Kafka that takes so long to store a transaction, or does not answer, and is told when it is closed.
type slow struct {
	takes  time.Duration
	stored int
	time   bool // that it had for closing
}

func (*slow) Checkpoint(context.Context) ([]byte, error)      { return nil, nil }
func (*slow) Rows(context.Context) (map[string][]byte, error) { return nil, nil }
func (s *slow) Stage(ctx context.Context, _ []bus.Record, _ bus.Record, _ ...bus.Record) error {
	return Pause(ctx, s.takes)
}
func (s *slow) Commit(context.Context) error          { s.stored++; return nil }
func (s *slow) Abort(context.Context) error           { return nil }
func (s *slow) Close(ctx context.Context)             { s.time = ctx.Err() == nil }
func (*slow) Name() string                            { return "slow" }
func (*slow) Dense() bool                             { return true }
func (*slow) Partitions(context.Context) (int, error) { return 1, nil }
func (*slow) State(context.Context, int32) (State, error) {
	return State{First: 0, Last: 0}, nil
}
func (*slow) Open(context.Context, int32, *Position) (Cursor, error) { return &oneMessage{}, nil }

type oneMessage struct{ given bool }

func (c *oneMessage) Next(ctx context.Context) ([]Message, error) {
	if c.given {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	c.given = true
	return []Message{{Body: []byte("{}")}}, nil
}

func (*oneMessage) Close(context.Context) {}

// TestATransactionUnderWayHasUntilTheDrainEnds, all of it and not longer.
func TestATransactionUnderWayHasUntilTheDrainEnds(t *testing.T) {
	const drain = 15 * time.Second
	for name, one := range map[string]struct {
		takes, ends time.Duration
		stored      int
	}{
		"it is stored before":        {2 * time.Second, 2 * time.Second, 1},
		"it is stored at last":       {drain - time.Second, drain - time.Second, 1},
		"it is not stored in time":   {drain + time.Second, drain, 0},
		"Kafka does not answer ever": {time.Hour, drain, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &slow{takes: one.takes}
				f := &Feed{Stream: s, Counts: &Counts{}, Log: slog.New(slog.DiscardHandler), pauses: &usualPauses,
					Prepare: func(int32) Prepare { return func(to []bus.Record, _ Message, _ *Tally) []bus.Record { return to } },
					Room:    func(context.Context) error { return nil },
					begin:   func(context.Context, int32) (transactor, error) { return s, nil }}
				ctx, stop := context.WithCancel(t.Context())
				until, free := Outlive(ctx, drain)
				defer free()
				ended := make(chan struct{})
				go func() {
					defer close(ended)
					f.carry(ctx, until, 0)
				}()
				synctest.Wait()
				stop()
				began := time.Now()
				<-ended
				if took := time.Since(began); took != one.ends || s.stored != one.stored {
					t.Errorf("it ends after %v, %d are stored; want %v, %d", took, s.stored, one.ends, one.stored)
				}
				if s.time != (one.ends < drain) {
					t.Errorf("there is time to close: %t", s.time)
				}
			})
		})
	}
}
