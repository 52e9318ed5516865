package cond

import "noroshi/internal/event"

// Admits gives those of the texts that a field can have where the condition holds, as far as it is understood without being run. Other
// fields may have any value.
func (p *Program) Admits(slot event.Slot, texts []string) (all []string) {
	for _, t := range texts {
		if may, _ := p.root.with(slot, t); may {
			all = append(all, t)
		}
	}
	return all
}

// with tells whether the pred may hold, and whether it must, where a slot has a text.
func (p *pred) with(slot event.Slot, text string) (may, must bool) {
	switch p.shape {
	case atoms:
		if p.slot != slot {
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
			kMay, kMust := k.with(slot, text)
			if p.shape == and {
				may, must = may && kMay, must && kMust
			} else {
				may, must = may || kMay, must || kMust
			}
		}
		return may, must
	case not:
		may, must = p.kids[0].with(slot, text)
		return !must, !may
	}
	return true, false
}
