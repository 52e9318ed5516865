package detector

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"noroshi/internal/alert"
	"noroshi/internal/state"
	"noroshi/rules/kind"
)

// TestWhatManyAlertsShowIsShownInTheirOrder: an alert about alerts shows what one would see who reads all of them one after the other,
// be they few or so many that what they add is kept.
func TestWhatManyAlertsShowIsShownInTheirOrder(t *testing.T) {
	set := ruleSet(t, "id: of\ntitle: Of\nseverity: low\nwhen: event.action == \"Send\"\n",
		"id: about\ntitle: About\nseverity: low\nkind: correlation\nof: [of]\ncount: 2\nwithin: 1d\n")
	r := set.rules[slices.IndexFunc(set.rules, func(r *rule) bool { return r.ID == "about" })]
	m := set.Memory(MemoryOptions{})
	for _, n := range []int{1, 20, fewCounted, fewCounted + 1, 200} {
		rng := rand.New(rand.NewPCG(13, uint64(n)))
		for _, different := range []int{2, 30, 500} {
			f := &state.Finding{}
			for i := range n {
				f.Counted = append(f.Counted, state.Counted{Entry: linkedEntry(t, rng, i, different)})
			}
			for _, again := range []string{"read", "kept"} {
				var got, want alert.Alert
				m.linked(&got, r, f)
				readAll(t, &want, f)
				got.Fit()
				want.Fit()
				if diff := cmp.Diff(got, want); diff != "" {
					t.Fatalf("%d alerts, %d different values, %s (-got +want):\n%s", n, different, again, diff)
				}
			}
		}
	}
}

// linkedEntry is an alert that shows some of so many different things.
func linkedEntry(t *testing.T, rng *rand.Rand, i, different int) *state.Entry {
	t.Helper()
	some := func(of string, most int) (all []string) {
		for range rng.IntN(most + 1) {
			all = append(all, fmt.Sprintf("%s-%d", of, rng.IntN(different)))
		}
		return all
	}
	shown := alert.Shown{Sessions: some("session", 2), Indicators: alert.Indicators{Destinations: some("to", 3), Apps: some("app", 1), Networks: some("203.0.113", 2)}}
	for _, id := range some("event", 4) {
		shown.Evidence = append(shown.Evidence, alert.Evidence{ID: id, Time: time.Unix(int64(len(id)), 0).UTC(), Action: "Send", Facts: json.RawMessage(`{}`)})
	}
	if rng.IntN(3) == 0 {
		shown.Enrichment = map[string]string{"place": fmt.Sprint("city-", rng.IntN(3)), "network": fmt.Sprint("asn-", rng.IntN(2))}
	}
	b, err := json.Marshal(shown)
	if err != nil {
		t.Fatal(err)
	}
	h := kind.Hit{Time: time.Unix(int64(i), 0), ID: fmt.Sprint("alert-", i), Told: &kind.Told{Revision: 1, Shown: b}}
	packed, body, head := h.Append(nil)
	e := &state.Entry{Time: h.Time.UnixNano(), Packed: packed[:body], Head: int32(head)}
	e.Link()
	return e
}

// readAll reads all alerts one after the other.
func readAll(t *testing.T, a *alert.Alert, f *state.Finding) {
	t.Helper()
	var evidence []alert.Evidence
	destinations := map[string]struct{}{}
	for _, c := range f.Counted {
		var h kind.Hit
		var shown alert.Shown
		if h.UnpackHeld(c.Packed) != nil || json.Unmarshal(h.Told.Shown, &shown) != nil {
			t.Fatal("no packed alert")
		}
		a.Linked = append(a.Linked, h.ID)
		for _, d := range shown.Indicators.Destinations {
			addDestination(a, d, destinations)
		}
		for _, of := range []struct {
			to   *[]string
			from []string
		}{{&a.Sessions, shown.Sessions}, {&a.Indicators.Apps, shown.Indicators.Apps}, {&a.Indicators.Networks, shown.Indicators.Networks}} {
			for _, text := range of.from {
				*of.to = addUpTo(*of.to, text, alert.MaxIndicators)
			}
		}
		for _, what := range slices.Sorted(maps.Keys(shown.Enrichment)) {
			enrich(a, what, shown.Enrichment[what])
		}
		for _, one := range shown.Evidence {
			if !slices.ContainsFunc(evidence, func(e alert.Evidence) bool { return e.ID == one.ID && e.Time.Equal(one.Time) }) {
				evidence = append(evidence, one)
			}
		}
	}
	if a.Evidence = evidence; len(evidence) > alert.MaxEvidence {
		a.Evidence = slices.Concat(evidence[:end], evidence[len(evidence)-end:])
		a.Cut = append(a.Cut, "evidence")
	}
	if n := len(destinations); n > alert.MaxDestinations {
		a.Indicators.Total, a.Cut = n, append(a.Cut, "destinations")
	}
}
