package sinks

import (
	"log/slog"
	"sync"
	"time"
)

// State is how a sink is.
type State string

// The states of a sink.
const (
	Delivering  State = "delivering"  // what comes is delivered
	Retrying    State = "retrying"    // an attempt has failed and is made again
	Open        State = "open"        // so many attempts have failed that one alert is tried at a time, after longer waits
	Dead        State = "dead"        // its destination wants nothing more; nothing is sent until the next start
	Interrupted State = "interrupted" // its alerts cannot be read from their topic
)

// Counts are what a runner has done so far, and how it is.
type Counts struct {
	// Of what the queue has given, Read, nothing is lost: Read = Sent + Summarised + Filtered + Refused + Held + Returned.
	Read, Sent, Summarised, Filtered, Refused int64
	Held                                      int64 // at hand
	Returned                                  int64 // given back undone, because it moved or the runner ended; it comes again
	Faults                                    int64
	Untold                                    int64 // results that could not be stored

	State State
	Since time.Time // it is in this state
	Took  time.Time // when the destination last took an alert; zero: not yet
	Fault error     // the last; nil: none since the start
	Next  time.Time // when it is tried again; zero where nothing failed
}

// Paused reports whether the sink waits after a fault.
func (c Counts) Paused() bool { return c.failing() || c.State == Dead }

// failing reports whether attempts fail.
func (c Counts) failing() bool { return c.State == Retrying || c.State == Open }

// tellEvery is how often a fault that lasts is told.
const tellEvery = time.Minute

// health is the counts of a runner, as they are now.
type health struct {
	mu   sync.Mutex
	now  Counts
	told time.Time
}

// A queue says nothing while nothing comes. One that has not failed for so long after it was to be read again is read.
const readsAfter = 90 * time.Second

func (h *health) look(at time.Time) Counts {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.now.State == Interrupted && at.Sub(h.now.Next) > readsAfter {
		h.turn(Delivering, h.now.Next)
	}
	return h.now
}

// turn changes the state, and reports whether it was another.
func (h *health) turn(to State, at time.Time) (changed bool) {
	if h.now.State == to {
		return false
	}
	h.now.State, h.now.Since, h.now.Next = to, at, time.Time{}
	return true
}

// Counts may be called from any goroutine.
func (r *Runner) Counts() Counts { return r.health.look(r.Env.Now()) }

// Interrupted is told that the messages could not be read. It is over with the next of them.
func (r *Runner) Interrupted(err error, again time.Duration) {
	h := &r.health
	h.mu.Lock()
	defer h.mu.Unlock()
	h.turn(Interrupted, r.Env.Now())
	h.now.Fault, h.now.Next = err, r.Env.Now().Add(again)
}

// over notes that a state is over.
func (r *Runner) over(was State) {
	h := &r.health
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.now.State == was {
		h.turn(Delivering, r.Env.Now())
	}
}

// read counts messages that the queue has given.
func (r *Runner) read(n int) {
	h := &r.health
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now.Read += int64(n)
	h.now.Held += int64(n)
}

// giveBack counts that what is at hand and not done comes again.
func (r *Runner) giveBack() {
	h := &r.health
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now.Returned += h.now.Held
	h.now.Held = 0
}

// lost counts results that could not be stored.
func (r *Runner) lost(n int) {
	h := &r.health
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now.Untold += int64(n)
}

// end notes what has become of a message: nothing else ends one.
func (r *Runner) end(i int, o Outcome, answer, ref, summary string) {
	r.done[i] = true
	r.note(i, o, answer, ref, summary)
	if r.Watch.Ended != nil && o != WasFiltered {
		r.Watch.Ended(&r.all[i], o, r.attempts, r.carried)
	}
	h := &r.health
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now.Held--
	switch o {
	case WasSent:
		h.now.Sent++
		h.now.Took = r.Env.Now()
	case WasSummarised:
		h.now.Summarised++
		h.now.Took = r.Env.Now()
	case WasRefused:
		h.now.Refused++
	case WasFiltered:
		h.now.Filtered++
	}
}

// pause notes a fault. It is told when it begins, and each minute while it lasts.
func (r *Runner) pause(err error, wait time.Duration) {
	h, now := &r.health, r.Env.Now()
	h.mu.Lock()
	begins := !h.now.failing() && h.turn(Retrying, now)
	if h.now.State = Retrying; r.breaker.open {
		h.now.State = Open // since the first fault
	}
	h.now.Faults++
	h.now.Fault, h.now.Next = err, now.Add(wait)
	tell, since := begins || now.Sub(h.told) >= tellEvery, h.now.Since
	if tell {
		h.told = now
	}
	h.mu.Unlock()
	switch {
	case begins:
		r.Env.Log.Warn("sink paused", slog.String("sink", r.Name), slog.Any("err", err), slog.Duration("retry_in", wait))
	case tell:
		r.Env.Log.Warn("sink still paused", slog.String("sink", r.Name), slog.Any("err", err), slog.Duration("retry_in", wait), slog.Time("since", since))
	}
}

// disable notes that the destination wants nothing more.
func (r *Runner) disable(err error) {
	h := &r.health
	h.mu.Lock()
	h.turn(Dead, r.Env.Now())
	h.now.Fault = err
	h.mu.Unlock()
	r.Env.Log.Error("sink disabled by its destination until restart", slog.String("sink", r.Name), slog.Any("err", err))
}

func (r *Runner) resume() {
	h := &r.health
	h.mu.Lock()
	was := h.now
	h.turn(Delivering, r.Env.Now())
	h.mu.Unlock()
	if was.failing() {
		r.Env.Log.Info("sink resumed", slog.String("sink", r.Name), slog.Duration("after", r.Env.Now().Sub(was.Since)))
	}
}
