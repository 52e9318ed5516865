package detector

import (
	"slices"

	"noroshi/internal/state"
)

// Shown is when the datasets of tenants have shown events: of every minute the first and the last, which is enough to tell whether
// there was one between any two times a minute or more apart, and after a time within its minute.
type Shown struct {
	by map[dataset][]shown
}

type dataset struct{ tenant, name string }

type shown struct{ first, last int64 }

const shownCell = int64(60 * 1e9)

// NewShown makes an empty record.
func NewShown() *Shown { return &Shown{by: map[dataset][]shown{}} }

// Add notes an event, in any order.
func (s *Shown) Add(tenant, name string, at int64) {
	d := dataset{tenant, name}
	all, ok := s.by[d]
	if !ok {
		d = dataset{clone(tenant), clone(name)}
	}
	cell := state.Floor(at, shownCell)
	if n := len(all); n > 0 && state.Floor(all[n-1].first, shownCell) == cell { // what comes in order
		all[n-1] = shown{min(all[n-1].first, at), max(all[n-1].last, at)}
		return
	}
	i, have := slices.BinarySearchFunc(all, cell, func(x shown, cell int64) int {
		return int(max(-1, min(1, state.Floor(x.first, shownCell)-cell)))
	})
	if have {
		all[i] = shown{min(all[i].first, at), max(all[i].last, at)}
		return
	}
	s.by[d] = slices.Insert(all, i, shown{at, at})
}

// asking is what the datasets that a rule needs have shown in a tenant.
type asking struct {
	shown  shows  // nil: nothing is known of it
	clocks Clocks // nil: the rule's clock says enough
	wait   int64  // how long the rule waits
	tenant string
	names  []string
}

// shows knows when datasets have shown events.
type shows interface {
	Shows(tenant, dataset string, after, within int64) bool
}

// All implements state.Shown.
func (a *asking) All(after, within int64) bool {
	for _, name := range a.names {
		if !a.has(name, after, within) {
			return false
		}
	}
	return true
}

// has reports whether a dataset has shown an event after a time. One that had shown nothing yet did not hold the rule's clock: so its own
// is asked, too.
func (a *asking) has(name string, after, within int64) bool {
	if a.shown == nil || !a.shown.Shows(a.tenant, name, after, within) {
		return false
	}
	return a.clocks == nil || a.clocks.Of(a.tenant, []string{name}) > state.Plus(after, a.wait)
}

// Shows reports whether a dataset has shown an event in a tenant after a time, at most so much later.
func (s *Shown) Shows(tenant, name string, after, within int64) bool {
	all := s.by[dataset{tenant, name}]
	i, _ := slices.BinarySearchFunc(all, after, func(x shown, t int64) int {
		if x.last <= t {
			return -1
		}
		return 1
	})
	if i == len(all) {
		return false
	}
	return all[i].first > after && all[i].first-after <= within || all[i].first <= after
}
