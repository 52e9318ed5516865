package replay

import (
	"slices"
	"testing"

	"noroshi/detector"
	"noroshi/internal/coverage"
	"noroshi/internal/event"
	"noroshi/rules"
)

// TestNoRuleSleepsThatFires: where a test of a shipped rule fires, the datasets of the evidence alone keep the rule awake. Whoever lacks
// them is told so.
func TestNoRuleSleepsThatFires(t *testing.T) {
	set, ps := rules.Load(rules.Options{Library: true})
	if len(ps) > 0 {
		t.Fatal(ps)
	}
	set.AllLive()
	for _, r := range set.Own() {
		p := NewProver(set, r, detector.Options{})
		for i := range r.Tests {
			one := &r.Tests[i]
			if len(one.Want) == 0 || one.Arrive.Shuffled || one.Arrive.Doubled {
				continue
			}
			for _, datasets := range datasetsOf(t, p, one) {
				shown := coverage.Shown{Datasets: map[string]map[event.Slot]bool{}}
				for _, d := range slices.Concat(datasets, r.Kind.Needs) {
					shown.Datasets[d] = nil
				}
				for _, c := range coverage.Of(set.Looking(r), &shown) {
					if c.Rule == r && !c.Awake {
						t.Errorf("%s, %q: fires on %v and sleeps there: %+v", r.ID, one.Name, datasets, c.Lacks)
					}
				}
			}
		}
		if c := coverage.Of(set.Looking(r), &coverage.Shown{}); c[slices.IndexFunc(c, func(c coverage.Coverage) bool { return c.Rule == r })].Awake {
			t.Errorf("%s is awake where nothing is shown", r.ID)
		}
	}
}

// datasetsOf are the datasets of the evidence of each alert of a test.
func datasetsOf(t *testing.T, p *Prover, one *rules.Test) (all [][]string) {
	t.Helper()
	with, err := p.with(one)
	if err != nil {
		t.Fatal(err)
	}
	records, err := with.builder.records(one)
	if err != nil {
		t.Fatal(err)
	}
	alerts, err := with.findings(t.Context(), p.counts, one, records, inOrder)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range alerts {
		var datasets []string
		for _, e := range a.(map[string]any)["evidence"].([]any) {
			datasets = append(datasets, e.(map[string]any)["dataset"].(string))
		}
		slices.Sort(datasets)
		all = append(all, slices.Compact(datasets))
	}
	return all
}
