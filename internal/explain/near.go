package explain

import (
	"bytes"
	"cmp"
	"slices"

	"noroshi/rules/kind"
)

// ranks are the verdicts by their order.
var ranks = map[Verdict]int{Fires: 0, Fired: 1, Waits: 2, Undecided: 2, Silent: 3, Excused: 4, NoKey: 5, NotHeld: 6, Uncounted: 7}

// Nearer compares trees: what fires first, then what the rule asks about before what only goes with it, then what comes near.
func Nearer(a, b *Tree) int {
	return cmp.Or(cmp.Compare(ranks[a.Verdict], ranks[b.Verdict]), cmp.Compare(Sidelined(a), Sidelined(b)), cmp.Compare(b.Near, a.Near))
}

// Sidelined is above 0 of an event that the rule does not ask about: it still learns from it, or the event satisfies only without or among.
func Sidelined(t *Tree) int {
	learns := func(p Part) bool { return p.Name == "learn" && !p.Holds }
	second := map[string]string{kind.Absence{}.Name(): "without", kind.FirstSeen{}.Name(): "among"}[t.Kind]
	switch {
	case second != "" && len(t.CountsAs) == 1 && t.CountsAs[0] == second:
		return 2
	case second == "among" && slices.ContainsFunc(t.Parts, learns):
		return 1
	}
	return 0
}

// Compare is Nearer, and an order among those that are as near.
func Compare(a, b *Tree) int {
	return cmp.Or(Nearer(a, b), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Tenant, b.Tenant),
		slices.CompareFunc(a.Key, b.Key, func(a, b Value) int { return bytes.Compare(a.Value, b.Value) }))
}

// Sort puts the nearest trees first.
func Sort(all []Tree) { slices.SortStableFunc(all, func(a, b Tree) int { return Compare(&a, &b) }) }
