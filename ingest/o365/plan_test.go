package o365

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// However long requests take and instances are away: windows are at most a day long and no older than seven, what is listed on has no
// hole, and what was not listed in time is said.
func TestWindowsCoverTheTime(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 16))
		now := time.Date(2026, 1, 2, 3, 4, 5, r.IntN(1e9), time.UTC)
		c := Config{Newest: seed%3 == 0, Latest: seed%7 == 6}
		if seed%5 == 4 {
			c.Since = now.Add(-time.Duration(r.Int64N(int64(9 * day))))
		}
		p := c.first(now)
		floor := p.Floor
		var covered []window // without what was listed again
		var poll, sweep time.Time
		for range 600 {
			for from, to := p.expired(now); !from.IsZero(); from, to = p.expired(now) {
				covered = append(covered, window{from, to, forward})
			}
			if sweep.IsZero() && r.IntN(20) == 0 {
				sweep = p.Reached.Add(-swept)
			}
			w, at, ok := p.plan(now, sweep, poll, time.Duration(1)<<r.IntN(9))
			if !ok {
				if sweep = (time.Time{}); !at.After(now.Add(-time.Second)) {
					t.Fatalf("seed %d: nothing is due, and the next is due at %v, now is %v", seed, at, now)
				}
				now = later(now, at).Add(time.Duration(r.IntN(2000)) * time.Millisecond)
				continue
			}
			if d := w.to.Sub(w.from); d <= 0 || d > day || now.Sub(w.from) >= kept || w.to.After(now) {
				t.Fatalf("seed %d: at %v it lists from %v to %v", seed, now, w.from, w.to)
			}
			if w.kind == again && w.from.Before(floor) {
				t.Fatalf("seed %d: it lists again from %v, before its beginning %v", seed, w.from, floor)
			}
			if w.kind == again {
				if sweep = w.to; !sweep.Before(p.Reached) {
					sweep = time.Time{}
				}
			} else {
				covered = append(covered, w)
			}
			took := time.Duration(r.IntN(3000)) * time.Millisecond
			switch r.IntN(60) {
			case 0:
				took = time.Duration(r.Int64N(int64(2 * day))) // an instance was away
			case 1:
				if seed%2 == 0 {
					took = time.Duration(r.Int64N(int64(9 * day)))
				}
			}
			if w.kind == forward && !w.to.Before(second(now)) {
				poll = now.Add(time.Minute)
			}
			now = now.Add(took)
			if r.IntN(10) > 0 { // else it died, and the window comes again
				p.done(w)
			}
		}
		if hole := holes(covered, floor, p); hole != "" {
			t.Fatalf("seed %d: %s", seed, hole)
		}
	}
}

// holes says what of the time from a beginning is not covered that the place has passed.
func holes(covered []window, floor time.Time, p place) string {
	reached := floor
	if p.behind() {
		reached = p.Back
	}
	for again := true; again; {
		again = false
		for _, w := range covered {
			if !w.from.After(reached) && w.to.After(reached) {
				reached, again = w.to, true
			}
		}
	}
	if reached.Before(p.Reached) {
		return fmt.Sprintf("covered up to %v, and it says %v", reached, p.Reached)
	}
	return ""
}
