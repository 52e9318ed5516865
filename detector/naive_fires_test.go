package detector_test

import (
	"maps"
	"slices"
	"testing"
)

// evaluate gives what the rules of a case find, each after those that it looks at.
func (c theCase) evaluate(w *world) (all []*finding) {
	for _, r := range c.rules {
		all = append(all, w.evaluate(r, c.rules)...)
	}
	return all
}

// TestEveryKindFiresAndIsSilent: the random cases are worth something: of each kind a third fires, and a tenth does not.
func TestEveryKindFiresAndIsSilent(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(kinds)) {
		const n = 1000
		fired, alerts := 0, 0
		for seed := range uint64(n) {
			c := kinds[name](newMaker(seed))
			w := newWorld(c.events)
			c.evaluate(w)
			if found := len(w.found[c.rules[len(c.rules)-1].id]); found > 0 {
				fired++
				alerts += found
			}
		}
		t.Logf("%-12s fires in %d of %d cases, %d alerts", name, fired, n, alerts)
		if fired < n/3 || fired > n-n/10 {
			t.Errorf("%s fires in %d of %d cases", name, fired, n)
		}
	}
}
