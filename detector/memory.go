package detector

import (
	"noroshi/internal/alert"
	"noroshi/rules"
	"noroshi/rules/kind"
)

// Memory is what the rules of a set keep of one partition's events. It belongs to one goroutine.
type Memory struct {
	set      *Set
	rules    []kind.Memory
	findings []kind.Finding
	// Cut counts the alerts that did not fit.
	Cut int
}

// Memory makes an empty memory.
func (s *Set) Memory() *Memory {
	m := &Memory{set: s}
	for _, r := range s.rules {
		m.rules = append(m.rules, r.Kind.New())
	}
	return m
}

// Apply gives each alert that a hit completes. The alert, and the texts in it, live until each returns; the hit's bytes may
// be used again when Apply has returned.
// An alert of a rule that is not live says so in its State, and is not for delivery.
func (m *Memory) Apply(s *kind.Hit, each func(*alert.Alert)) {
	r := m.set.rules[s.Rule]
	m.findings = m.rules[s.Rule].Apply(s, m.findings[:0])
	for i := range m.findings {
		a := m.alert(r, &m.findings[i])
		each(&a)
	}
}

// alert is what a finding says. The last event speaks for the others.
func (m *Memory) alert(r *rule, f *kind.Finding) alert.Alert {
	last := f.Hits[len(f.Hits)-1]
	a := alert.Alert{
		Schema: alert.Schema, ID: alert.ID(last.Tenant, r.ID, last.Key, f.Anchor...), Status: alert.Firing, Revision: 1, Late: f.Late, Rule: r.head, Severity: r.Severity,
		Tenant: last.Tenant, Account: last.Account, Actor: last.Actor, Target: last.Target, Summary: last.Summary, Time: f.Last,
		Window: alert.Window{First: f.First, Last: f.Last, Count: f.Count}, Group: make(map[string]string, len(last.Key)), DedupKey: alert.DedupKey(last.Tenant, r.ID, last.Key),
		Source: last.Source, Respond: last.Respond, Times: alert.Times{Happened: f.Last, Enqueued: last.Enqueued},
	}
	if r.State != rules.Live {
		a.State = string(r.State)
	}
	for i, name := range r.ByNames {
		a.Group[name] = last.Key[i]
	}
	hits := f.Hits
	if n := len(hits); n > alert.MaxEvidence {
		hits = append(append([]*kind.Hit{}, hits[:alert.MaxEvidence/2]...), hits[n-alert.MaxEvidence/2:]...)
		a.Cut = append(a.Cut, "evidence")
	}
	for _, s := range hits {
		a.Evidence = append(a.Evidence, alert.Evidence{ID: s.ID, Time: s.Time, Action: s.Action, Dataset: s.Dataset, SourceIP: s.Source.IP, Facts: s.Facts, Cut: s.Cut})
		a.Sessions = add(a.Sessions, s.Session)
		a.Indicators.Apps = add(a.Indicators.Apps, s.App)
		a.Indicators.Networks = add(a.Indicators.Networks, s.Source.IP)
	}
	destinations(&a, f.Hits)
	a.Fit()
	if len(a.Cut) > 0 {
		m.Cut++
	}
	return a
}

// destinations are the first of those of all hits, and how many there are.
func destinations(a *alert.Alert, hits []*kind.Hit) {
	seen := map[string]struct{}{}
	for _, s := range hits {
		for _, d := range s.Destinations {
			if _, have := seen[d]; have || d == "" {
				continue
			}
			seen[d] = struct{}{}
			if len(seen) <= alert.MaxDestinations {
				a.Indicators.Destinations = append(a.Indicators.Destinations, d)
			}
		}
	}
	if len(seen) > alert.MaxDestinations {
		a.Indicators.Total, a.Cut = len(seen), append(a.Cut, "destinations")
	}
}

// add appends a text that is there and new.
func add(all []string, s string) []string {
	if s == "" {
		return all
	}
	for _, have := range all {
		if have == s {
			return all
		}
	}
	return append(all, s)
}
