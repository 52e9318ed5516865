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
	scope   *cond.Scope
	plan    *decode.Plan
	rules   []*rule
	plain   int // how many of them are rules; those behind are lines of stories
	clauses []clause
	needs   map[string]bool // datasets of which rules ask what they have shown
	always  []int32         // clauses that no text finds
	// unindexed are these, and those that are found by nothing but what is worked out of every record for them.
	unindexed []int32
	tables    map[int32]*index.Table
	probes    [event.Shapes][]event.Slot // indexed slots that records of a shape can have
	listed    [event.Shapes][]event.Slot // those of them that lie in Name/Value lists
	carried   []event.Slot               // what hits of any rule carry
	known     map[known]int32            // rules of the second stage
	given     [event.Shapes][]uint64     // those of carried that records of a shape can have, a bit each
	digest    [8]byte                    // of these
}

// rule is a rule as the detector runs it.
type rule struct {
	*rules.Rule
	facts   []fact
	head    alert.Rule
	carries []event.Slot // what its hits carry, what its memory looks at first
	at      []int32      // by slot: its place among them; -1: none
	numbers []int32      // their places in Set.carried
	wants   []uint64     // these, a bit each
	lists   []int32      // those of them that are lists
	version string       // see versionOf
	open    uint8        // clauses that exceptions do not excuse
	only    *clause      // what an event must satisfy to fire; nil: each may
	alike   bool         // all clauses have the rule's key
	// datasets are those of the events that the rule waits for; none: any.
	datasets []string
	lookers  []looker // those that look at its alerts
	level    int      // see levels
	wait     int64    // how long after its time an alert that the rule looks at may still grow
	travels  bool     // see Second
	// crossings is how often what the rule looks at has crossed from one partition of the second stage to another.
	crossings int
	line      *rules.Line // of stories, where it is no rule
}

// clause is a condition of a rule.
type clause struct {
	rule   int32
	bit    uint8
	when   *cond.Program // nil: every event
	filter cond.Filter
	exact  bool // the filter decides it
	marked bool // of a line that is told of marked accounts alone
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
		s.add(r)
	}
	s.plain = len(s.rules)
	for _, x := range rs.Story {
		s.addLine(x)
	}
	var databases []event.Slot // that tell of addresses
	for _, e := range enrichments {
		if slot, ok := rs.Scope.Layout.Find(e.field); ok && o.Decode.Place != nil {
			databases = append(databases, slot)
		}
	}
	for _, r := range s.rules {
		r.carry(s.scope.Layout, databases)
	}
	s.number()
	s.look()
	s.share()
	s.choose(o.Sample)
	return s
}

// add takes a rule in, and its clauses.
func (s *Set) add(r *rules.Rule) {
	one := &rule{Rule: r, facts: factsOf(s.scope.Layout, r), alike: true, head: alert.Rule{
		ID: r.ID, Title: r.Title, Guide: r.Guide, Class: r.Class, Points: r.Points, Attack: r.Attack, Revision: r.Revision}}
	for bit, c := range r.Kind.Clauses {
		if c.Of != nil {
			continue // no event satisfies it
		}
		s.clauses = append(s.clauses, clause{rule: int32(len(s.rules)), bit: uint8(bit), when: c.When})
		if c.Open {
			one.open |= 1 << bit
		}
		one.alike = one.alike && c.By == nil
	}
	if p := r.Kind.Only; p != nil {
		one.only = &clause{when: p}
	}
	one.datasets = datasetsOf(r)
	s.rules = append(s.rules, one)
	for _, name := range r.Kind.Needs {
		if s.needs == nil {
			s.needs = map[string]bool{}
		}
		s.needs[name] = true
	}
}

// datasetsOf are the datasets of the events that a rule looks at and of those that it needs, as far as its conditions tell.
func datasetsOf(r *rules.Rule) (all []string) {
	for _, c := range r.Kind.Clauses {
		if c.When == nil {
			return nil
		}
		admitted := c.When.Admits(event.Dataset, event.Datasets)
		if len(admitted) == len(event.Datasets) {
			return nil
		}
		all = append(all, admitted...)
	}
	all = append(all, r.Kind.Needs...)
	slices.Sort(all)
	return slices.Compact(all)
}

// always are the values that every hit carries, because every alert shows them.
var always = []event.Slot{event.Account, event.Dataset, event.SourceIP, event.SourceCountry, event.SourceASN, event.UserName, event.UserKind, event.UserID,
	event.TargetName, event.Session, event.AppID, event.ForwardTo, event.SendsTo}

// carry decides what the rule's hits carry: what its memory looks at, what alerts show, and what its texts mention.
func (r *rule) carry(l *event.Layout, databases []event.Slot) {
	for _, f := range r.Kind.Looks {
		r.carries = append(r.carries, f.Slot)
	}
	more := slices.Concat(always, cond.Asked(l), databases)
	for _, f := range r.facts {
		more = append(more, f.slot)
	}
	if r.Summary != nil {
		more = append(more, r.Summary.Slots()...)
	}
	for _, m := range r.Respond {
		more = append(append(more, m.Text.Slots()...), m.Command.Slots()...)
	}
	if r.line != nil {
		for _, t := range r.line.Templates() {
			more = append(more, t.Slots()...)
		}
	}
	r.at = make([]int32, l.Len())
	for i := range r.at {
		r.at[i] = -1
	}
	for i, slot := range r.carries {
		r.at[slot] = int32(i)
	}
	for _, slot := range more {
		if slot = l.Root(slot); r.at[slot] < 0 && !l.Def(slot).Own() {
			r.at[slot] = int32(len(r.carries))
			r.carries = append(r.carries, slot)
		}
	}
	r.version = r.versionOf(l)
}

// number finds the place of what each rule's hits carry among all that hits carry.
func (s *Set) number() {
	places := map[event.Slot]int32{}
	for _, r := range s.rules {
		for _, slot := range r.carries {
			if _, have := places[slot]; !have {
				places[slot] = int32(len(s.carried))
				s.carried = append(s.carried, slot)
			}
		}
	}
	for _, r := range s.rules {
		r.wants = make([]uint64, (len(s.carried)+63)/64)
		for _, slot := range r.carries {
			n := places[slot]
			r.numbers = append(r.numbers, n)
			r.wants[n/64] |= 1 << (n % 64)
			if s.scope.Layout.Def(slot).Type == event.List {
				r.lists = append(r.lists, n)
			}
		}
	}
	for shape := range s.given {
		s.given[shape] = make([]uint64, (len(s.carried)+63)/64)
		for n, slot := range s.carried {
			if s.plan.Given(slot, event.Shape(shape)) {
				s.given[shape][n/64] |= 1 << (n % 64)
			}
		}
	}
}

// factsOf are the fields that a rule's condition names and those that the rule asks to show, each once, forms of a field as the
// field.
func factsOf(l *event.Layout, r *rules.Rule) (all []fact) {
	seen := map[event.Slot]bool{}
	named := slices.Clone(r.Facts)
	for _, c := range r.Kind.Clauses {
		if c.When != nil {
			named = append(named, c.When.Slots()...)
		}
	}
	if only := r.Kind.Only; only != nil {
		named = append(named, only.Slots()...)
	}
	for _, f := range slices.Concat(r.Kind.Looks, r.Kind.Shows) {
		named = append(named, f.Slot)
	}
	for _, slot := range named {
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
	for i := range s.clauses {
		k := &s.clauses[i]
		var w index.Witness
		if k.when != nil {
			w = k.when.Witness(c)
			k.filter, k.exact = k.when.Filter(w, c), k.when.Exact()
		}
		if w == nil {
			s.always = append(s.always, int32(i))
		} else {
			chosen[int32(i)] = w
		}
	}
	for _, r := range s.rules {
		if k := r.only; k != nil {
			k.filter, k.exact = k.when.Filter(nil, c), k.when.Exact()
		}
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
	for _, r := range s.rules[:s.plain] {
		all = append(all, r.Rule)
	}
	return all
}

// Unindexed are the rules for which something has to be worked out of every record.
func (s *Set) Unindexed() (all []*rules.Rule) {
	for _, i := range s.unindexed {
		if r := s.rules[s.clauses[i].rule]; r.line != nil {
			continue
		}
		if r := s.rules[s.clauses[i].rule].Rule; len(all) == 0 || all[len(all)-1] != r {
			all = append(all, r)
		}
	}
	return all
}

// Plan is how records are read.
func (s *Set) Plan() *decode.Plan { return s.plan }

// Remembers reports whether a rule of the set has memory.
func (s *Set) Remembers() bool {
	return slices.ContainsFunc(s.rules, func(r *rule) bool { return r.Kind.Memory != nil })
}
