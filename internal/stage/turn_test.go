package stage_test

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"noroshi/internal/bus"
	"noroshi/internal/stage"
)

// A step that is to become another one does not wait for records that may be stored later. The clock that commits go by stands still here, so
// that nothing else stores them.
func TestATurnWaitsForNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		var wanted, turned atomic.Int64
		now := time.Now()
		s := &stage.Session{Bus: w.bus, Open: w.open, Now: func() time.Time { return now }, Counts: &w.counts, Log: slog.New(slog.NewTextHandler(w, nil)),
			Patient: func(*bus.Record) bool { return true },
			Turns:   func() bool { return wanted.Load() > turned.Load() },
			Turn:    func() { turned.Store(wanted.Load()) },
			Step:    bus.Step{Topic: bus.Events, Group: "counting", State: bus.DetectorState, Instance: "one", Exactly: w.exactly}}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.Run(ctx, t.Context()) }()
		for turn := range 3 {
			w.write(turn, turn+1, "a")
			w.await("the record is done, and waits", func() bool {
				for _, p := range w.parts {
					if p.did > 0 {
						return true
					}
				}
				return false
			})
			wanted.Add(1)
			w.await("the step has turned, and the record is stored", func() bool { return turned.Load() == wanted.Load() && w.stored == turn+1 })
		}
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	})
}
