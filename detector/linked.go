package detector

import (
	"encoding/json"
	"slices"

	"noroshi/internal/alert"
	"noroshi/internal/state"
	"noroshi/rules/kind"
)

// linked shows what counted for a rule that looks at alerts: these alerts, with their own evidence, and the events of steps.
func (m *Memory) linked(a *alert.Alert, r *rule, f *state.Finding) {
	g := gathering{alert: a, destinations: map[string]struct{}{}, seen: map[uint64]struct{}{}}
	parts := make([]*part, len(f.Counted))
	for i, c := range f.Counted {
		if parts[i] = m.part(r, f, i); parts[i] != nil {
			g.add(i, parts[i], stepNumber(r, c))
		}
	}
	for _, place := range g.evidence.all() {
		a.Evidence = append(a.Evidence, m.retold(r, f.Counted[place.entry], parts[place.entry], place.at))
	}
	if len(parts) > fewCounted {
		m.keepRead(parts, g.evidence.all())
	}
	if g.evidence.n > alert.MaxEvidence {
		a.Cut = append(a.Cut, "evidence")
	}
	if len(g.destinations) > alert.MaxDestinations {
		a.Indicators.Total, a.Cut = len(g.destinations), append(a.Cut, "destinations")
	}
}

// keepRead keeps of alerts what has been read for the evidence chosen, and no more: the next finding of the key mostly shows the same.
func (m *Memory) keepRead(parts []*part, chosen []place) {
	was := m.readParts
	m.readParts = nil
	for _, place := range chosen {
		m.readParts = append(m.readParts, parts[place.entry])
	}
	for _, p := range was {
		if !slices.Contains(m.readParts, p) {
			p.shown = nil
		}
	}
}

// retold is a piece of evidence of an entry that counted.
func (m *Memory) retold(r *rule, c state.Counted, p *part, at int) alert.Evidence {
	var h kind.Hit
	if h.UnpackHeld(c.Packed) != nil {
		return alert.Evidence{}
	}
	if h.Told == nil {
		m.show.stand(r, &h)
		return m.evident(r, &h, stepOf(r, c))
	}
	shown := p.shown
	if shown == nil {
		shown = &alert.Shown{}
		_ = json.Unmarshal(h.Told.Shown, shown) // as when the part was read
		p.shown = shown                         // its other evidence comes next
	}
	one := shown.Evidence[at]
	if len(r.Kind.Steps) > 0 {
		one.Step = stepOf(r, c)
	}
	return one
}

// gathering adds up what entries show that counted. What they show alike is added once, so that thousands of them cost little more
// than a look at each.
type gathering struct {
	alert        *alert.Alert
	evidence     ends
	destinations map[string]struct{} // all, of which the alert shows some
	seen         map[uint64]struct{} // lists that have been added
	last         [kindsOfLists]uint64
	alike        uint64 // the lists of the part before
}

func (g *gathering) add(entry int, p *part, step int) {
	a := g.alert
	most := alert.MaxIndicators
	if p.id == "" {
		most++ // of events one more than is shown: Fit notes what it cuts
	} else if len(a.Linked) <= alert.MaxEvidence {
		a.Linked = append(a.Linked, clone(p.id))
	}
	if p.alike != g.alike {
		g.alike = p.alike
		for i, hash := range p.hashes {
			if hash != 0 && hash != g.last[i] {
				g.list(i, p, most)
			}
		}
	}
	for at, hash := range p.evidence {
		g.evidence.add(place{entry, at}, hash^uint64(step+1)*stepPrime)
	}
}

// stepPrime tells the same event in different steps apart.
const stepPrime = 0x9e3779b97f4a7c15

// list adds a list, once.
func (g *gathering) list(i int, p *part, most int) {
	to := g.shown(i)
	if i == ofAccounts {
		most = alert.MaxAccounts
	}
	if to != nil && len(*to) >= most {
		return
	}
	g.last[i] = p.hashes[i]
	if _, have := g.seen[p.hashes[i]]; have {
		return
	}
	g.seen[p.hashes[i]] = struct{}{}
	for k, text := range p.lists[i].texts {
		switch i {
		case ofDestinations:
			addDestination(g.alert, text, g.destinations)
		case ofEnrichment:
			enrich(g.alert, p.lists[i].names[k], text)
		default:
			*to = addUpTo(*to, text, most)
		}
	}
}

// shown is a list of the alert that has a bound.
func (g *gathering) shown(i int) *[]string {
	switch i {
	case ofAccounts:
		return &g.alert.Indicators.Accounts
	case ofSessions:
		return &g.alert.Sessions
	case ofApps:
		return &g.alert.Indicators.Apps
	case ofNetworks:
		return &g.alert.Indicators.Networks
	}
	return nil
}

// place is a piece of evidence: that of an entry that counted, of an alert one of several.
type place struct{ entry, at int }

// ends chooses evidence, each event of a step once: the first and the last.
type ends struct {
	first, last []place
	seen        Seen
	n           int
}

const end = alert.MaxEvidence / 2

// add takes the next piece, which is known by a hash.
func (e *ends) add(one place, hash uint64) {
	if e.seen.Add(hash) {
		return
	}
	if e.n++; len(e.first) < end {
		e.first = append(e.first, one)
		return
	}
	if e.last = append(e.last, one); len(e.last) > 4*end { // now and then
		e.last = slices.Delete(e.last, 0, len(e.last)-end)
	}
}

func (e *ends) all() []place {
	return append(e.first, e.last[max(0, len(e.last)-end):]...)
}
