package cond

import (
	"slices"

	"noroshi/internal/cond/index"
	"noroshi/internal/event"
)

// Counts tells how common comparisons are, for choosing what a rule is looked up by.
type Counts interface {
	// Count is how many of the sampled records an atom holds for.
	Count(a index.Atom) int
	// Costly reports whether a slot's value is worked out rather than looked up.
	Costly(s event.Slot) bool
}

// Witness is the cheapest disjunction of comparisons without which the condition cannot hold, or nil if there is none.
func (p *Program) Witness(c Counts) index.Witness {
	w, _ := p.root.witness(c)
	return w
}

func (p *pred) witness(c Counts) (best index.Witness, least int) {
	offer := func(w index.Witness, cost int) {
		if w != nil && (best == nil || cost < least) {
			best, least = w, cost
		}
	}
	switch p.shape {
	case atoms:
		if !p.empty && !c.Costly(p.slot) {
			offer(p.atoms, sum(c, p.atoms))
		}
	case and:
		for _, k := range p.kids {
			offer(k.witness(c))
		}
	case or:
		var all index.Witness
		total := 0
		for _, k := range p.kids {
			w, cost := k.witness(c)
			if w == nil {
				return nil, 0
			}
			all, total = append(all, w...), total+cost
		}
		offer(all, total)
	}
	if p.actions != nil && (p.shape == unknown || p.shape == not || p.shape == native || p.shape == atoms && best == nil) {
		w := oneOf(p.actions)
		offer(w, sum(c, w))
	}
	return best, least
}

// oneOf is the witness that the record has one of the operations.
func oneOf(actions []string) (w index.Witness) {
	for _, a := range actions {
		w = append(w, index.Atom{Slot: int32(event.Action), Op: index.Equal, Text: a})
	}
	return w
}

func sum(c Counts, w index.Witness) (n int) {
	for _, a := range w {
		n += c.Count(a)
	}
	return n
}

// Filter is the necessary conditions of a program that a look at the event decides, the most selective first.
type Filter []*pred

// Exact reports whether the filter of the condition decides it alone. A condition that is fully understood cannot fail.
func (p *Program) Exact() bool { return p.root.exact }

// Filter leaves out what the witness has proved, unless the condition is exact.
func (p *Program) Filter(w index.Witness, c Counts) Filter {
	parts := []*pred{p.root}
	if p.root.shape == and {
		parts = p.root.kids
	}
	type ranked struct {
		*pred
		cost int
	}
	var rs []ranked
	for _, k := range parts {
		proved := k.shape == atoms && slices.Equal(k.atoms, w)
		if k.shape == unknown && !k.present || proved && !p.root.exact {
			continue
		}
		wit, cost := k.witness(c)
		if proved {
			cost += 1 << 31
		}
		if wit == nil || k.shape != atoms {
			cost += 1 << 30
		}
		if k.shape == atoms && c.Costly(k.slot) {
			cost += 1 << 29
		}
		rs = append(rs, ranked{k, cost})
	}
	slices.SortStableFunc(rs, func(a, b ranked) int { return a.cost - b.cost })
	var f Filter
	for _, r := range rs {
		f = append(f, r.pred)
	}
	return f
}

// Holds is false only where the rule cannot fire.
func (f Filter) Holds(ev *event.Event) bool {
	for _, p := range f {
		if !p.holds(ev) {
			return false
		}
	}
	return true
}
