package sinks

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// lasting is a destination that takes so long.
type lasting struct {
	scripted
	takes time.Duration
}

func (s *lasting) Send(ctx context.Context, all []Message) error {
	select {
	case <-time.After(s.takes):
		return s.scripted.Send(ctx, all)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// holding counts how long it was held.
type holding struct {
	given
	held time.Duration
}

func (q *holding) Hold(ctx context.Context, d time.Duration) (moved bool, err error) {
	from := time.Now()
	moved, err = q.given.Hold(ctx, d)
	q.held += time.Since(from)
	return moved, err
}

// TestALongSendHoldsUpNoGroup: while a destination takes long, partitions may move; what has moved is not sent again from here.
func TestALongSendHoldsUpNoGroup(t *testing.T) {
	for name, c := range map[string]struct {
		takes time.Duration
		moves int
		held  time.Duration
		want  string // sent, done, given back
	}{
		"short":              {4 * time.Second, 0, 0, "[[0 1 2] [3]] 4 0"},
		"long":               {time.Minute, 0, 110 * time.Second, "[[0 1 2] [3]] 4 0"},
		"too long":           {3 * time.Minute, 0, 0, "[] 0 4"},
		"moved in the midst": {time.Minute, 1, 0, "[[0 1 2]] 0 1"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var said bytes.Buffer
				s, q := &lasting{takes: c.takes}, &holding{given: given{n: 4, moves: c.moves}}
				r := runner(s, q, &said)
				ctx, stop := context.WithTimeout(t.Context(), 10*time.Minute)
				defer stop()
				if err := r.Run(ctx, t.Context()); err != nil {
					t.Error(err)
				}
				if got := fmt.Sprint(s.batches, q.done, r.Counts().Returned); got != c.want || c.held > 0 && q.held != c.held {
					t.Errorf("got %s, held %s; want %s, %s", got, q.held, c.want, c.held)
				}
			})
		})
	}
}
