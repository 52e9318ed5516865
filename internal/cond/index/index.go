// Package index names the few rules that a record can still fire, from the texts of its slots.
package index

import (
	"slices"
	"strings"
)

// Op is how a text is compared.
type Op uint8

// The comparisons that can be looked up instead of tried.
const (
	Equal Op = iota
	Prefix
	Suffix
	Contains
)

// Atom is one comparison of one slot's text with one constant.
type Atom struct {
	Slot int32
	Op   Op
	Text string
}

// Holds tries the atom on a text.
func (a *Atom) Holds(s string) bool {
	switch a.Op {
	case Equal:
		return s == a.Text
	case Prefix:
		return strings.HasPrefix(s, a.Text)
	case Suffix:
		return strings.HasSuffix(s, a.Text)
	}
	return strings.Contains(s, a.Text)
}

// Table finds, for a text of one slot, the rules whose witness it satisfies. It is immutable once built.
type Table struct {
	equal    map[string][]int32
	filter   filter
	prefixes affixes
	suffixes affixes
	grams    grams
}

// A Witness is a disjunction of atoms that a rule cannot fire without.
type Witness []Atom

// Build makes the table of each slot for one witness a rule. The sample, texts by slot, tells which pieces of a text are rare.
func Build(witnesses map[int32]Witness, sample map[int32][]string) map[int32]*Table {
	needles := map[int32][]needle{}
	for rule, w := range witnesses {
		for _, a := range w {
			needles[a.Slot] = append(needles[a.Slot], needle{a, rule})
		}
	}
	tables := map[int32]*Table{}
	for slot, ns := range needles {
		slices.SortFunc(ns, func(a, b needle) int { return int(a.rule - b.rule) })
		tables[slot] = newTable(ns, sample[slot])
	}
	return tables
}

// needle is an atom and the rule it stands for.
type needle struct {
	Atom
	rule int32
}

// entry is a comparison and all rules that wait for it.
type entry struct {
	Atom
	rules []int32
}

// merge gathers the rules of equal comparisons.
func merge(ns []needle, op Op) (all []entry) {
	at := map[string]int{}
	for _, n := range ns {
		if n.Op != op {
			continue
		}
		i, ok := at[n.Text]
		if !ok {
			i = len(all)
			at[n.Text] = i
			all = append(all, entry{Atom: n.Atom})
		}
		all[i].rules = append(all[i].rules, n.rule)
	}
	return all
}

func newTable(ns []needle, sample []string) *Table {
	t := &Table{equal: map[string][]int32{}, prefixes: newAffixes(Prefix, ns), suffixes: newAffixes(Suffix, ns), grams: newGrams(merge(ns, Contains), sample)}
	for _, e := range merge(ns, Equal) {
		t.equal[e.Text] = e.rules
	}
	t.filter = newFilter(len(t.equal))
	for k := range t.equal {
		t.filter.add(endsOf(k).whole(len(k)))
	}
	return t
}

// Rules appends the rules whose witness the text satisfies; a rule may come twice.
func (t *Table) Rules(s string, to []int32) []int32 {
	e := endsOf(s)
	if t.filter.has(e.whole(len(s))) {
		to = append(to, t.equal[s]...)
	}
	to = t.prefixes.rules(s, e, to)
	to = t.suffixes.rules(s, e, to)
	return t.grams.rules(s, to)
}

// Any reports whether the text satisfies any witness.
func (t *Table) Any(s string) bool {
	var room [8]int32
	return len(t.Rules(s, room[:0])) > 0
}

// slow says whether an answer is worth remembering: only looking inside a text costs by its length.
func (t *Table) slow() bool { return t.grams.any }
