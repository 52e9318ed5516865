package cond

import (
	"slices"

	"noroshi/internal/event"
)

// Admits gives those of the texts that a field can have where the condition holds, as far as it is understood without being run. Other
// fields may have any value.
func (p *Program) Admits(slot event.Slot, texts []string) (all []string) {
	for _, t := range texts {
		if p.May(func(s event.Slot) (string, bool) { return t, s == slot }) {
			all = append(all, t)
		}
	}
	return all
}

// May reports whether the condition can hold where some fields have the values that are known, as far as it is understood without being
// run. A text that is known to be "" is absent.
func (p *Program) May(known func(event.Slot) (text string, ok bool)) bool {
	may, _ := p.root.with(known)
	return may
}

// Compared are the texts that the condition compares a field with, as far as it is understood without being run.
func (p *Program) Compared(slot event.Slot) []string { return p.root.compared(slot, nil) }

func (p *pred) compared(slot event.Slot, all []string) []string {
	if p.shape == atoms && p.slot == slot {
		for i := range p.atoms {
			all = append(all, p.atoms[i].Text)
		}
	}
	for _, k := range p.kids {
		all = k.compared(slot, all)
	}
	return all
}

// with tells whether the pred may hold, and whether it must, by the values that are known.
func (p *pred) with(known func(event.Slot) (string, bool)) (may, must bool) {
	if action, ok := known(event.Action); ok && len(p.actions) > 0 && !slices.Contains(p.actions, action) {
		return false, false
	}
	switch p.shape {
	case unknown:
		if p.present {
			text, ok := known(p.slot)
			return !ok || text != "", false
		}
	case atoms:
		text, ok := known(p.slot)
		if !ok {
			return true, false
		}
		for i := range p.atoms {
			if p.atoms[i].Holds(text) {
				return true, p.exact
			}
		}
		return false, false
	case and, or:
		may, must = p.shape == and, p.shape == and
		for _, k := range p.kids {
			kMay, kMust := k.with(known)
			if p.shape == and {
				may, must = may && kMay, must && kMust
			} else {
				may, must = may || kMay, must || kMust
			}
		}
		return may, must
	case not:
		may, must = p.kids[0].with(known)
		return !must, !may
	}
	return true, false
}
