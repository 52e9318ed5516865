package index

import (
	"math/bits"
	"slices"
)

// maxWidths bounds the look-ups a text costs.
const maxWidths = 8

// affixes finds the prefixes (or suffixes) of a text among many needles. Needles are grouped by length, so that a group
// costs a filter bit and, rarely, a look-up whose bucket seldom holds more than the needle itself.
type affixes struct {
	op     Op
	groups []group
}

type group struct {
	width int // a needle is filed under so many of its bytes
	filter
	byKey map[uint64][]entry
}

func newAffixes(op Op, ns []needle) affixes {
	a := affixes{op: op}
	all := merge(ns, op)
	for _, width := range widths(all) {
		a.groups = append(a.groups, group{width: width, byKey: map[uint64][]entry{}})
	}
	for _, n := range all {
		g := len(a.groups) - 1
		for a.groups[g].width > len(n.Text) {
			g--
		}
		k := a.key(n.Text, endsOf(n.Text), a.groups[g].width)
		a.groups[g].byKey[k] = append(a.groups[g].byKey[k], n)
	}
	for i := range a.groups {
		g := &a.groups[i]
		g.filter = newFilter(len(g.byKey))
		for k := range g.byKey {
			g.add(k)
		}
	}
	return a
}

// widths are the needles' lengths, or a few of them, always the shortest.
func widths(all []entry) (ws []int) {
	for _, n := range all {
		ws = append(ws, len(n.Text))
	}
	slices.Sort(ws)
	ws = slices.Compact(ws)
	if n := len(ws); n > maxWidths {
		for i := range maxWidths {
			ws[i] = ws[i*n/maxWidths]
		}
		ws = ws[:maxWidths]
	}
	return ws
}

// key stands for the first (or last) so many bytes: all of them up to eight, else the outer eight and the inner eight.
func (a *affixes) key(s string, e ends, width int) uint64 {
	switch {
	case a.op == Prefix && width < 8:
		return e.head << (64 - 8*width)
	case a.op == Prefix:
		return e.head ^ bits.RotateLeft64(load(s[width-8:]), 23)
	case width < 8:
		return e.tail >> (64 - 8*width)
	}
	return e.tail ^ bits.RotateLeft64(load(s[len(s)-width:]), 23)
}

func (a *affixes) rules(s string, e ends, to []int32) []int32 {
	for i := range a.groups {
		g := &a.groups[i]
		if len(s) < g.width {
			break
		}
		k := a.key(s, e, g.width)
		if !g.has(k) {
			continue
		}
		for _, n := range g.byKey[k] {
			if n.Holds(s) {
				to = append(to, n.rules...)
			}
		}
	}
	return to
}
