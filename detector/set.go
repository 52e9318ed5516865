// Package detector evaluates records against rules: Match finds what one record satisfies, Apply what that completes.
package detector

import (
	"slices"

	"noroshi/internal/alert"
	"noroshi/internal/cond"
	"noroshi/internal/cond/index"
	"noroshi/internal/decode"
	"noroshi/internal/event"
	"noroshi/rules"
)

// Options are what a set needs beyond its rules.
type Options struct {
	// Decode is what the operator knows beyond the records.
	Decode decode.Options
	// Sample is records that tell how common comparisons are; without one the set assumes what is usual.
	Sample [][]byte
}

// Set is a compiled rule set: immutable, shared by all workers.
type Set struct {
	scope  *cond.Scope
	plan   *decode.Plan
	rules  []*rule
	always []int32
	tables map[int32]*index.Table
	probes [event.Shapes][]event.Slot // indexed slots that records of a shape can have
	listed [event.Shapes][]event.Slot // those of them that lie in Name/Value lists
}

// rule is a rule as the detector runs it.
type rule struct {
	*rules.Rule
	filter cond.Filter
	facts  []fact
	head   alert.Rule
}

// fact is a field that an alert's evidence shows.
type fact struct {
	slot event.Slot
	name []byte // as JSON, with colon
}

// New compiles a set. It adds nothing to the rules; rules that are off take no part.
func New(rs *rules.Set, o Options) *Set {
	cond.Prepare(rs.Scope.Layout)
	s := &Set{scope: rs.Scope, plan: decode.NewPlan(rs.Scope.Layout, o.Decode)}
	for _, r := range rs.Rules {
		if r.State == rules.Off {
			continue
		}
		s.rules = append(s.rules, &rule{Rule: r, facts: factsOf(s.scope.Layout, r), head: alert.Rule{
			ID: r.ID, Title: r.Title, Guide: r.Guide, Class: r.Class, Points: r.Points, Attack: r.Attack, Revision: r.Revision}})
	}
	s.choose(o.Sample)
	return s
}

// factsOf are the fields that a rule's condition names and those that the rule asks to show, each once, forms of a field as the
// field.
func factsOf(l *event.Layout, r *rules.Rule) (all []fact) {
	seen := map[event.Slot]bool{}
	for _, slot := range slices.Concat(r.When.Slots(), r.Facts) {
		slot = l.Root(slot)
		if seen[slot] {
			continue
		}
		seen[slot] = true
		all = append(all, fact{slot, append(alert.AppendQuoted(nil, l.Def(slot).Name), ':')})
	}
	slices.SortFunc(all, func(a, b fact) int { return slices.Compare(a.name, b.name) })
	return all
}

// choose finds for every rule the comparison that it is looked up by.
func (s *Set) choose(sample [][]byte) {
	c := s.count(sample)
	chosen := map[int32]index.Witness{}
	for i, r := range s.rules {
		w := r.When.Witness(c)
		if w == nil {
			s.always = append(s.always, int32(i))
		} else {
			chosen[int32(i)] = w
		}
		r.filter = r.When.Filter(w, c)
	}
	s.tables = index.Build(chosen, c.byText())
	for shape := range s.probes {
		for slot := range s.tables {
			l := s.plan.Layout()
			switch slot := event.Slot(slot); {
			case !s.plan.Given(slot, event.Shape(shape)):
			case l.Def(l.Root(slot)).Family() == "param":
				s.listed[shape] = append(s.listed[shape], slot)
			default:
				s.probes[shape] = append(s.probes[shape], slot)
			}
		}
		slices.Sort(s.probes[shape])
		slices.Sort(s.listed[shape])
	}
}

// Rules are the rules that take part, in their order; a hit's Rule counts among them.
func (s *Set) Rules() (all []*rules.Rule) {
	for _, r := range s.rules {
		all = append(all, r.Rule)
	}
	return all
}

// Unindexed are the rules that have to be tried on every record.
func (s *Set) Unindexed() (all []*rules.Rule) {
	for _, i := range s.always {
		all = append(all, s.rules[i].Rule)
	}
	return all
}

// Plan is how records are read.
func (s *Set) Plan() *decode.Plan { return s.plan }
