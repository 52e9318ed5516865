package alert

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// TestAnOrdinaryAlertStaysAsItIs: also one that fills its bounds.
func TestAnOrdinaryAlertStaysAsItIs(t *testing.T) {
	a := example()
	a.Summary = strings.Repeat("日", MaxSummary)
	for range MaxEvidence - 1 {
		a.Evidence = append(a.Evidence, a.Evidence[0])
	}
	for i := range a.Evidence {
		a.Evidence[i].Cut = false
		a.Evidence[i].Facts = json.RawMessage(`{"a":"` + strings.Repeat("x", MaxFacts-10) + `"}`)
	}
	a.Cut = nil
	want := a
	a.Fit()
	if d := cmp.Diff(want, a); d != "" {
		t.Error(d)
	}
}

// TestEveryAlertFits: whatever strangers write, and however much of it.
func TestEveryAlertFits(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	text := func() string {
		unit := []string{"x", "\x00", "日", "\"", "\u202e", "\xff"}[r.IntN(6)]
		return strings.Repeat(unit, []int{1, 10, 300, 3000, 8000}[r.IntN(5)])
	}
	list := func() (all []string) {
		for range []int{0, 3, 60, 1000}[r.IntN(4)] {
			all = append(all, text()[:1]+strings.Repeat("y", r.IntN(600)))
		}
		return all
	}
	for range 30 {
		a := example()
		a.Cut, a.Account, a.Target, a.Actor.Name, a.Tenant, a.Source.IP, a.Group = nil, text(), text(), text(), text(), text(), map[string]string{"account": text(), "b": text()}
		a.Sessions, a.Indicators = list(), Indicators{Destinations: list(), Apps: list(), Networks: list()}
		for range []int{1, 50, 120}[r.IntN(3)] {
			a.Evidence = append(a.Evidence, Evidence{ID: text(), Action: text(), Facts: json.RawMessage(`{"a":"` + strings.Repeat("z", r.IntN(3000)) + `"}`)})
		}
		for range r.IntN(20) {
			a.Respond = append(a.Respond, Remedy{"id", text(), text()})
		}
		id, before := a.ID, a.AppendJSON(nil)
		a.Fit()
		after := a.AppendJSON(nil)
		if len(after) > MaxSize || len(a.Evidence) > MaxEvidence || a.ID != id || !json.Valid(after) {
			t.Errorf("%d bytes became %d, with %d entries of evidence", len(before), len(after), len(a.Evidence))
		}
		if len(before) > MaxSize && len(a.Cut) == 0 {
			t.Error("what was cut is not marked")
		}
		for _, e := range a.Evidence {
			if len(e.Facts) > MaxFacts || !utf8.Valid(e.Facts) {
				t.Errorf("facts of %d bytes", len(e.Facts))
			}
		}
	}
}

// TestEvidenceKeepsItsEnds: the first and the last entries are the ones that are told.
func TestEvidenceKeepsItsEnds(t *testing.T) {
	a := example()
	a.Cut, a.Evidence = nil, nil
	for i := range 90 {
		a.Evidence = append(a.Evidence, Evidence{ID: fmt.Sprint(i)})
	}
	a.Fit()
	if len(a.Evidence) != MaxEvidence || a.Evidence[24].ID != "24" || a.Evidence[25].ID != "65" || a.Evidence[49].ID != "89" || !slices.Equal(a.Cut, []string{"evidence"}) {
		t.Errorf("%d entries, cut %v", len(a.Evidence), a.Cut)
	}
}
