package explain

import (
	"bytes"
	"cmp"
	"slices"
)

// ranks are the verdicts by their order.
var ranks = map[Verdict]int{Fires: 0, Fired: 1, Waits: 2, Undecided: 2, Silent: 3, Excused: 4, NoKey: 5, NotHeld: 6, Uncounted: 7}

// Nearer compares trees: what fires first, then what comes near.
func Nearer(a, b *Tree) int {
	return cmp.Or(cmp.Compare(ranks[a.Verdict], ranks[b.Verdict]), cmp.Compare(b.Near, a.Near))
}

// Compare is Nearer, and an order among those that are as near.
func Compare(a, b *Tree) int {
	return cmp.Or(Nearer(a, b), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Tenant, b.Tenant),
		slices.CompareFunc(a.Key, b.Key, func(a, b Value) int { return bytes.Compare(a.Value, b.Value) }))
}

// Sort puts the nearest trees first.
func Sort(all []Tree) { slices.SortStableFunc(all, func(a, b Tree) int { return Compare(&a, &b) }) }
