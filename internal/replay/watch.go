package replay

import (
	"time"

	"noroshi/detector"
	"noroshi/internal/state"
)

// watch looks on while records are evaluated, so that what rules make of them can be explained. A nil watch sees nothing.
type watch struct {
	of     *Explaining
	asking *detector.Explainer
	memory *detector.Memory
	seen   detector.Seen
	end    time.Time
	later  int // events that are left out, because they are too late
}

// keeps is how long rules that look at alerts keep what they hold.
func (w *watch) keeps() time.Duration {
	if w == nil {
		return 0
	}
	return 100 * 365 * 24 * time.Hour // longer than any window
}

// over begins to look at a memory.
func (w *watch) over(m *detector.Memory) {
	if w != nil {
		w.memory = m
		w.asking = detector.NewExplainer(m, w.of.answered)
	}
}

// leavesOut reports whether an event is too late to be looked at.
func (w *watch) leavesOut(at int64) bool {
	return w != nil && !w.of.Until.IsZero() && at > state.Nanoseconds(w.of.Until)
}

// matched looks at the record that a worker has at hand, and at its hits.
func (w *watch) matched(worker *detector.Worker, hits []byte) {
	if w == nil || w.leavesOut(state.Nanoseconds(worker.Reader().Time())) || w.seen.Add(worker.Reader().Duplicate()) {
		return
	}
	w.of.matched(hits)
}

// before is called before the clock moves to a time.
func (w *watch) before(now time.Time) error {
	if w == nil {
		return nil
	}
	return w.asking.Before(state.Nanoseconds(now))
}

// applied is called after each hit.
func (w *watch) applied(packed []byte) error {
	if w == nil || !w.of.asks(packed) {
		return nil
	}
	return w.asking.Ask(packed)
}

// ends is called when all hits have been applied, before the memory ends.
func (w *watch) ends(now time.Time) error {
	if w == nil {
		return nil
	}
	w.end = now
	if err := w.asking.End(state.Nanoseconds(now)); err != nil {
		return err
	}
	w.of.ended(w.memory, detector.AtEvents, now)
	return nil
}

// ended is called when the memory has ended, so that the alerts that rules look at are told.
func (w *watch) ended() error {
	if w == nil {
		return nil
	}
	if err := w.asking.Ended(state.Nanoseconds(w.end)); err != nil {
		return err
	}
	w.of.ended(w.memory, detector.AtAlerts, w.end)
	return nil
}
