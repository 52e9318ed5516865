package detector

import (
	"strings"

	"noroshi/internal/alert"
	"noroshi/internal/event"
	"noroshi/internal/state"
	"noroshi/rules/kind"
)

// evidence shows what counted, and what else to look for.
func (m *Memory) evidence(a *alert.Alert, r *rule, f *state.Finding) {
	if len(r.Kind.Of) > 0 {
		m.linked(a, r, f)
		return
	}
	n := len(f.Counted)
	h := &m.counted
	seen := map[string]struct{}{}
	own := r.accountOf(m.told()) != ""
	for i, c := range f.Counted {
		shown := n <= alert.MaxEvidence || i < alert.MaxEvidence/2 || i >= n-alert.MaxEvidence/2
		if !shown && own && !c.Listed() {
			continue // it has nothing that the others have not shown
		}
		if h.UnpackHeld(c.Packed) != nil {
			continue
		}
		m.show.stand(r, h)
		a.Indicators.Accounts = addUpTo(a.Indicators.Accounts, m.show.ev.Text(event.Account), alert.MaxAccounts)
		m.destinations(a, seen)
		if !shown {
			continue
		}
		a.Evidence = append(a.Evidence, m.evident(r, h, stepOf(r, c)))
		m.indicate(a)
	}
	if max(n, f.Total) > alert.MaxEvidence {
		a.Cut = append(a.Cut, "evidence")
	}
	if len(seen) > alert.MaxDestinations {
		a.Indicators.Total, a.Cut = len(seen), append(a.Cut, "destinations")
	}
}

// evident is the event at hand as evidence shows it.
func (m *Memory) evident(r *rule, h *kind.Hit, step string) alert.Evidence {
	one := alert.Evidence{ID: strings.Clone(h.ID), Time: h.Time, Action: strings.Clone(h.Action), Dataset: m.show.text(event.Dataset),
		SourceIP: m.show.text(event.SourceIP), Step: step}
	one.Facts, one.Cut = m.show.factsOf(r)
	one.Cut = one.Cut || h.Cut
	return one
}

// indicate adds what else to look for that the event at hand shows.
func (m *Memory) indicate(a *alert.Alert) {
	m.enrich(a)
	a.Sessions = add(a.Sessions, m.show.text(event.Session))
	a.Indicators.Apps = add(a.Indicators.Apps, m.show.text(event.AppID))
	a.Indicators.Networks = add(a.Indicators.Networks, m.show.text(event.SourceIP))
}

// enrichments are the fields that name databases, by what an alert calls them.
var enrichments = []struct{ what, field string }{{"place", "source.geo.database"}, {"network", "source.as.database"}}

// enrich notes the databases that told something of the event that its record does not say.
func (m *Memory) enrich(a *alert.Alert) {
	for _, e := range enrichments {
		slot, ok := m.set.scope.Layout.Find(e.field)
		if !ok {
			continue
		}
		enrich(a, e.what, m.show.ev.Text(slot))
	}
}

func enrich(a *alert.Alert, what, database string) {
	if database == "" || strings.Contains(a.Enrichment[what], database) {
		return
	}
	if a.Enrichment == nil {
		a.Enrichment = map[string]string{}
	}
	if have := a.Enrichment[what]; have != "" { // it was replaced between two events
		database = have + ", " + database
	}
	a.Enrichment[what] = strings.Clone(database)
}

// stepOf is the step that an event stands for: the last where the rule fires for it, else the first that it satisfies.
func stepOf(r *rule, c state.Counted) string {
	if i := stepNumber(r, c); i >= 0 {
		return r.Kind.Steps[i].ID
	}
	return ""
}

// stepNumber is the number of the step that an event stands for, -1 for an event of no step.
func stepNumber(r *rule, c state.Counted) int {
	n := len(r.Kind.Steps)
	if c.Fires {
		return n - 1
	}
	for i := range n {
		if c.Clauses&(1<<i) != 0 {
			return i
		}
	}
	return -1
}

// destinations are the first of those of all events; seen are all.
func (m *Memory) destinations(a *alert.Alert, seen map[string]struct{}) {
	for _, slot := range [...]event.Slot{event.ForwardTo, event.SendsTo} {
		for _, d := range m.show.ev.List(slot) {
			addDestination(a, d, seen)
		}
	}
}

func addDestination(a *alert.Alert, d string, seen map[string]struct{}) {
	if _, have := seen[d]; have || d == "" {
		return
	}
	d = strings.Clone(d)
	seen[d] = struct{}{}
	if len(seen) <= alert.MaxDestinations {
		a.Indicators.Destinations = append(a.Indicators.Destinations, d)
	}
}
