package app

import (
	"slices"
	"sync"

	"noroshi/detector"
	"noroshi/internal/alert"
	"noroshi/internal/state"
	"noroshi/rules"
)

// tally is what a session has counted of a batch: it belongs to one goroutine, and is added to what all have counted at the end of
// the batch.
type tally struct {
	rules                        []ruleTally  // by their place in the set
	of                           []*ruleTally // what all have counted of them
	lists, overflows             int64
	alerts, alertsCut, evidenced int64
	revised                      int64        // later revisions of alerts
	bounds                       state.Counts // of memory
}

// ruleTally is what one rule has done.
type ruleTally struct{ evaluated, failed, excused, fired, shadow, building, timed, time int64 }

// tallies are what all sessions have counted.
type tallies struct {
	mu    sync.Mutex
	sum   tally
	rules map[string]*ruleTally // by id: sets come and go
}

// tally makes the tally of a session for a set.
func (all *tallies) tally(set *detector.Set) (t tally) {
	all.mu.Lock()
	defer all.mu.Unlock()
	if all.rules == nil {
		all.rules = map[string]*ruleTally{}
	}
	for _, r := range set.Rules() {
		if all.rules[r.ID] == nil {
			all.rules[r.ID] = &ruleTally{}
		}
		t.of = append(t.of, all.rules[r.ID])
	}
	t.rules = make([]ruleTally, len(t.of))
	return t
}

// found counts an alert, and reports whether it is for delivery.
func (t *tally) found(a *alert.Alert, rule int32) bool {
	first := int64(0) // a later revision is no further alert
	if a.Revision <= 1 || a.Partial {
		first = 1 // nobody knows whether something was told before a part
	}
	r := &t.rules[rule]
	switch rules.State(a.State) {
	case rules.Shadow:
		r.shadow += first
		return false
	case rules.Building:
		r.building += first
		return false
	}
	r.fired += first
	t.alerts += first
	t.revised += 1 - first
	if len(a.Cut) > 0 {
		t.alertsCut++
	}
	if slices.Contains(a.Cut, "evidence") || slices.ContainsFunc(a.Evidence, func(e alert.Evidence) bool { return e.Cut }) {
		t.evidenced++
	}
	return true
}

// take takes over what a worker has counted for itself.
func (t *tally) take(w *detector.Worker) {
	for i := range t.rules {
		t.rules[i].evaluated, w.Evaluated[i] = int64(w.Evaluated[i]), 0
		t.rules[i].failed, w.Failed[i] = int64(w.Failed[i]), 0
		t.rules[i].timed, w.Timed[i] = int64(w.Timed[i]), 0
		t.rules[i].time, w.Time[i] = int64(w.Time[i]), 0
		t.bounds.Overflow, w.Overflow[i] = t.bounds.Overflow+w.Overflow[i], 0
	}
	t.lists, w.Reader().Cut = int64(w.Reader().Cut), 0
}

// bounded takes over which bounds of a memory have bitten.
func (t *tally) bounded(m *detector.Memory) {
	for i := range m.Counts {
		t.bounds.Add(m.Counts[i])
		m.Counts[i] = state.Counts{}
	}
}

// overflowed takes over what a memory of recent records has counted.
func (t *tally) overflowed(r *detector.Recent) {
	t.overflows, r.Overflows = t.overflows+int64(r.Overflows), 0
}

// add adds the tally of a batch, and makes it empty.
func (all *tallies) add(t *tally) {
	all.mu.Lock()
	defer all.mu.Unlock()
	s := &all.sum
	for i, r := range t.rules {
		to := t.of[i]
		to.evaluated, to.failed, to.excused = to.evaluated+r.evaluated, to.failed+r.failed, to.excused+r.excused
		to.fired, to.shadow, to.building = to.fired+r.fired, to.shadow+r.shadow, to.building+r.building
		to.timed, to.time = to.timed+r.timed, to.time+r.time
	}
	s.lists, s.overflows = s.lists+t.lists, s.overflows+t.overflows
	s.alerts, s.alertsCut, s.evidenced = s.alerts+t.alerts, s.alertsCut+t.alertsCut, s.evidenced+t.evidenced
	s.revised += t.revised
	s.bounds.Add(t.bounds)
	clear(t.rules)
	*t = tally{rules: t.rules, of: t.of}
}

func (all *tallies) snapshot() tally {
	all.mu.Lock()
	defer all.mu.Unlock()
	return all.sum
}

// rule is what has been counted of a rule.
func (all *tallies) rule(id string) (t ruleTally) {
	all.mu.Lock()
	defer all.mu.Unlock()
	if known := all.rules[id]; known != nil {
		t = *known
	}
	return t
}
