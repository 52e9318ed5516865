package detector

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"noroshi/internal/alert"
	"noroshi/internal/event"
	"noroshi/internal/state"
	"noroshi/rules/kind"
)

// linked shows what counted for a rule that looks at alerts: these alerts, with their own evidence, and the events of steps.
func (m *Memory) linked(a *alert.Alert, r *rule, f *state.Finding) {
	var h kind.Hit
	evidence := ends{seen: map[string]struct{}{}}
	destinations := map[string]struct{}{}
	for _, c := range f.Counted {
		if h.UnpackHeld(c.Packed) != nil {
			continue
		}
		m.show.stand(r, &h)
		a.Indicators.Accounts = addUpTo(a.Indicators.Accounts, m.show.ev.Text(event.Account), alert.MaxAccounts)
		if h.Told == nil {
			m.destinations(a, destinations)
			m.indicate(a)
			evidence.add(m.evident(r, &h, stepOf(r, c)))
			continue
		}
		a.Linked = append(a.Linked, strings.Clone(h.ID))
		var shown alert.Shown
		if json.Unmarshal(h.Told.Shown, &shown) != nil {
			continue
		}
		retell(a, &shown, destinations)
		for _, one := range shown.Evidence {
			if len(r.Kind.Steps) > 0 {
				one.Step = stepOf(r, c)
			}
			evidence.add(one)
		}
	}
	a.Evidence = evidence.all()
	if evidence.n > alert.MaxEvidence {
		a.Cut = append(a.Cut, "evidence")
	}
	if len(destinations) > alert.MaxDestinations {
		a.Indicators.Total, a.Cut = len(destinations), append(a.Cut, "destinations")
	}
}

// retell tells again what else to look for that an alert has told.
func retell(a *alert.Alert, shown *alert.Shown, destinations map[string]struct{}) {
	for _, d := range shown.Indicators.Destinations {
		addDestination(a, d, destinations)
	}
	for _, s := range shown.Sessions {
		a.Sessions = addUpTo(a.Sessions, s, alert.MaxIndicators)
	}
	for _, s := range shown.Indicators.Apps {
		a.Indicators.Apps = addUpTo(a.Indicators.Apps, s, alert.MaxIndicators)
	}
	for _, s := range shown.Indicators.Networks {
		a.Indicators.Networks = addUpTo(a.Indicators.Networks, s, alert.MaxIndicators)
	}
	for _, what := range slices.Sorted(maps.Keys(shown.Enrichment)) {
		enrich(a, what, shown.Enrichment[what])
	}
}

// ends gathers evidence, each event of a step once: the first entries and the last.
type ends struct {
	first, last []alert.Evidence
	seen        map[string]struct{}
	n           int
}

const end = alert.MaxEvidence / 2

func (e *ends) add(one alert.Evidence) {
	known := fmt.Sprint(one.Time.UnixNano(), len(one.ID), one.ID, len(one.Action), one.Action, one.Step)
	if _, have := e.seen[known]; have {
		return
	}
	e.seen[known] = struct{}{}
	if e.n++; len(e.first) < end {
		e.first = append(e.first, one)
		return
	}
	if e.last = append(e.last, one); len(e.last) > 4*end { // now and then
		e.last = slices.Delete(e.last, 0, len(e.last)-end)
	}
}

func (e *ends) all() []alert.Evidence {
	return append(e.first, e.last[max(0, len(e.last)-end):]...)
}
