package detector_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"noroshi/detector"
	"noroshi/internal/alert"
	"noroshi/rules/kind"
)

// answers are those about the hits of a case's events in order, and about those of alerts, by rule, key and event; of one event, or
// where it is nil of all. They come with the alerts that the rules give.
func (x tried) answers(c theCase, one *event) (all map[string]kind.Progress, got map[string]*alert.Alert, failed error) {
	hits, shown, err := x.hitsOf(c, detector.Alone)
	if err != nil {
		return nil, nil, err
	}
	got = map[string]*alert.Alert{}
	take := func(a *alert.Alert) {
		var kept alert.Alert
		failed = errors.Join(failed, json.Unmarshal(a.AppendJSON(nil), &kept))
		got[a.ID] = &kept
	}
	all = map[string]kind.Progress{}
	alerts := map[string][]byte{} // hits of alerts in their last revisions, by name
	m := x.set.Memory(detector.MemoryOptions{Shown: shown, KeepAlerts: long, Send: func(packed []byte) bool {
		alerts[x.hitName(packed)] = bytes.Clone(packed)
		return false
	}})
	asking := detector.NewExplainer(m, func(packed []byte, s *detector.Standing) {
		if s.Progress == nil || s.Progress.Gone || s.Progress.Waits != math.MaxInt64 && s.Progress.Fires {
			failed = fmt.Errorf("%s has no answer", x.hitName(packed))
			return
		}
		all[x.hitName(packed)] = *s.Progress
	})
	numbers := make([]int, len(c.events))
	for i := range numbers {
		numbers[i] = i
	}
	slices.SortStableFunc(numbers, func(a, b int) int { return order(c.events[a], c.events[b]) })
	var last time.Time
	for _, i := range numbers {
		last = c.events[i].at
		if err := asking.Before(last.UnixNano()); err != nil {
			return nil, nil, err
		}
		m.Advance(last, take)
		for _, packed := range hits[i] {
			if err := m.Apply(packed, take); err != nil {
				return nil, nil, err
			}
			if one != nil && one != c.events[i] {
				continue
			}
			if err := asking.Ask(packed); err != nil {
				return nil, nil, err
			}
		}
	}
	if err := asking.End(last.UnixNano()); err != nil {
		return nil, nil, err
	}
	m.End(last, take)
	for _, packed := range alerts {
		if err := asking.Ask(packed); err != nil {
			return nil, nil, err
		}
	}
	return all, got, errors.Join(asking.Ended(last.UnixNano()), failed)
}

func firedName(rule string, key []string, e *event) string {
	return fmt.Sprintf("%s %q %q %s", rule, e.tenant(), key, e.identity())
}

// hitName is what firedName calls a packed hit.
func (x tried) hitName(packed []byte) string {
	var h kind.Hit
	if err := h.Unpack(packed); err != nil {
		return err.Error()
	}
	e := &event{at: h.Time, id: h.ID, finding: &finding{}, fields: fields{"organization.id": {h.Tenant}}}
	if h.Told == nil {
		e.finding = nil
		e.fields["event.id"], e.fields["event.action"], e.fields["event.outcome"] = []string{h.ID}, []string{h.Action}, []string{h.Outcome}
		if h.Outcome != "" {
			e.fields["event.dataset"] = []string{"entra.signin"}
		}
	}
	return firedName(x.set.Rules()[h.Rule].ID, h.Key, e)
}

// TestExplainKnowsWhatFires: what is explained as firing are the events, and the alerts, for which the definitions say that the rule
// fires.
func TestExplainKnowsWhatFires(t *testing.T) {
	cases := 75
	if testing.Short() {
		cases = 25
	}
	for _, name := range slices.Sorted(maps.Keys(kinds)) {
		t.Run(name, func(t *testing.T) {
			known(t, kinds[name](newMaker(1)))
			fired := 0
			for seed := range uint64(cases) {
				c := kinds[name](newMaker(seed))
				x, err := loadTried(c)
				if err != nil {
					t.Fatal(err)
				}
				answers, alerts, err := x.answers(c, nil)
				if err != nil {
					t.Fatalf("seed %d: %v\n%s", seed, err, c)
				}
				w, difference := compared(c, alerts, nil)
				if difference != "" {
					t.Fatalf("seed %d: %s", seed, difference)
				}
				got := map[string]bool{}
				for name, p := range answers {
					rule, _, _ := strings.Cut(name, " ")
					if _, have := w.found[rule]; have && p.Fires {
						got[name] = true
					}
				}
				want := map[string]bool{}
				for _, found := range w.found {
					for _, f := range found {
						for _, e := range f.fires {
							want[firedName(f.rule.id, f.key, e)] = true
						}
					}
				}
				fired += len(got)
				if !maps.Equal(got, want) {
					t.Fatalf("seed %d: explained as firing\n  %s\nfires\n  %s\n%s", seed, listed(got), listed(want), c)
				}
			}
			if fired == 0 {
				t.Error("nothing fires")
			}
		})
	}
}

func listed(all map[string]bool) string {
	return strings.Join(slices.Sorted(maps.Keys(all)), "\n  ")
}

// enlarged is a case with further events like one of it: of other identity and, where the rule counts different values, of other
// values.
func enlarged(c theCase, like *event, more int, amount float64) theCase {
	r := c.rules[0]
	events := slices.Clone(c.events)
	for i := range more {
		e := *like
		e.fields = maps.Clone(like.fields)
		e.fields["event.id"] = []string{fmt.Sprintf("more-%d", i)}
		switch {
		case r.distinct == "source.ip":
			e.fields[r.distinct] = []string{fmt.Sprintf("192.0.2.%d", i)}
		case r.distinct != "":
			e.fields[r.distinct] = []string{fmt.Sprintf("other-%d@contoso.example", i)}
		case r.sum != "":
			e.fields[r.sum] = []string{fmt.Sprint(amount)}
		}
		events = append(events, &e)
	}
	return theCase{c.rules, events}
}

// alike reports whether further events like one would count as it does.
func alike(c theCase, e *event) bool {
	r := c.rules[0]
	all := enlarged(c, e, 1, 1).events
	other := all[len(all)-1]
	return r.relevant(r.when, other) &&
		slices.EqualFunc(keysOf(e, r.fields()), keysOf(other, r.fields()), slices.Equal) &&
		r.distinct != "mailbox.items" && (r.sum == "" || !slices.Contains(r.fields(), r.sum)) && (r.sum == "" || e.act != nil && slices.Contains(e.act.may, r.sum))
}

// firesWith reports whether the rule is explained as firing for an event when further ones have come.
func firesWith(t *testing.T, x tried, c theCase, e *event, name string, more int, amount float64) bool {
	t.Helper()
	all, _, err := x.answers(enlarged(c, e, more, amount), e)
	if err != nil {
		t.Fatal(err)
	}
	return all[name].Fires
}

// TestWhatAThresholdLacksIsExact: with as many further events as are missing the rule fires for the event, with less it does not.
func TestWhatAThresholdLacksIsExact(t *testing.T) {
	compared := 0
	for seed := range uint64(80) {
		c := maker.threshold(newMaker(seed))
		x, err := loadTried(c)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range c.events {
			answers, _, err := x.answers(c, e)
			if err != nil {
				t.Fatal(err)
			}
			for name, p := range answers {
				if p.Fires || !alike(c, e) {
					continue
				}
				compared++
				lacks := p.Parts[0].Missing()
				enough := firesWith(t, x, c, e, name, int(lacks), 0)
				fewer := firesWith(t, x, c, e, name, int(lacks)-1, 0)
				if c.rules[0].sum != "" {
					enough, fewer = firesWith(t, x, c, e, name, 1, lacks), firesWith(t, x, c, e, name, 1, lacks-1)
				}
				if !enough || fewer {
					t.Fatalf("seed %d: %q: %v are missing; with them it fires: %v, with less: %v\n%s",
						seed, name, lacks, enough, fewer, c)
				}
			}
		}
	}
	t.Logf("%d compared", compared)
	if compared < 100 {
		t.Errorf("only %d compared", compared)
	}
}
