package explain

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"noroshi/internal/cond"
	"noroshi/internal/decode"
	"noroshi/internal/event"
	"noroshi/rules"
)

// Conditions tell which parts of a rule's conditions a record satisfies.
type Conditions struct {
	rule    *rules.Rule
	scope   *cond.Scope
	clauses []clause
}

// clause is a condition of the rule and its parts.
type clause struct {
	name  string
	of    []string // alerts of rules satisfy it, events do not
	open  bool     // exceptions do not excuse what satisfies it
	parts []cond.Conjunct
	tells []bool // of each part, that not every event satisfies it
}

// NewConditions takes the conditions of a rule apart. It must be called before the set is compiled: parts are conditions of their own.
func NewConditions(scope *cond.Scope, r *rules.Rule) (*Conditions, error) {
	c := &Conditions{rule: r, scope: scope}
	for i, k := range r.Kind.Clauses {
		one := clause{name: r.Kind.ClauseName(i), of: k.Of, open: k.Open}
		if k.When != nil {
			var err error
			if one.parts, err = cond.Conjuncts(k.When.Source, scope); err != nil {
				return nil, fmt.Errorf("explain %s: %w", r.ID, err)
			}
		}
		c.clauses = append(c.clauses, one)
	}
	return c, nil
}

// Reader reads records for conditions.
type Reader struct {
	*decode.Reader
	machine *cond.Machine
	empty   *cond.Machine // of an event without any value
}

// NewReader makes what asks conditions about the record that a reader has at hand.
func NewReader(scope *cond.Scope, r *decode.Reader) *Reader {
	none := event.New(scope.Layout, nothing{})
	none.Next()
	return &Reader{Reader: r, machine: cond.NewMachine(r.Event, scope), empty: cond.NewMachine(none, scope)}
}

// nothing has no values.
type nothing struct{}

func (nothing) Text(event.Slot) string   { return "" }
func (nothing) List(event.Slot) []string { return nil }
func (nothing) Has(event.Slot) bool      { return false }

// Event is the record at hand.
func (r *Reader) event() *Event {
	id := r.Identity()
	return &Event{ID: id.ID, Time: Time{id.Time}, Action: id.Action, Account: strings.Clone(r.Event.Text(event.Account))}
}

// Tree says what the rule makes of the record at hand as far as conditions tell. A rule of one event fires by them alone; of one
// that remembers the verdict is Silent where the event counts.
func (c *Conditions) Tree(r *Reader) Tree {
	t := Tree{Rule: c.rule.ID, Title: c.rule.Title, Kind: c.rule.Kind.Name(), Event: r.event(), Verdict: Uncounted}
	if c.rule.State != rules.Live {
		t.State = string(c.rule.State)
	}
	excuses, because := c.excuses(r, &t)
	open := false
	for i := range c.clauses {
		k := &c.clauses[i]
		p, near := k.part(r)
		t.Near = max(t.Near, near)
		t.Parts = append(t.Parts, p)
		if p.Holds && (because == "" || k.open || c.rule.Kind.Learns) {
			t.CountsAs = append(t.CountsAs, k.name)
		}
		open = open || p.Holds && k.open
	}
	held := len(t.CountsAs) > 0
	if len(c.clauses) == 1 {
		t.Parts = t.Parts[0].Parts
	}
	t.raises = c.raises(r)
	t.Parts = slices.Concat(t.Parts, excuses, t.raises)
	switch {
	case because != "" && !open && c.holdsAny(t.Parts):
		t.Verdict, t.Because = Excused, because
	case held && c.rule.Kind.Single():
		t.Verdict, t.Near, t.CountsAs = Fires, 1, nil
	case held:
		t.Verdict = Silent
	case c.rule.Kind.Single():
		t.Verdict = Silent
	case c.ofAlerts():
		t.Because = "the rule looks at alerts of other rules, not at events; without --event its keys are told, with the alerts that count"
	}
	return t
}

// ofAlerts reports whether no event satisfies a condition of the rule, because it looks at alerts.
func (c *Conditions) ofAlerts() bool {
	return !slices.ContainsFunc(c.clauses, func(k clause) bool { return k.of == nil })
}

// holdsAny reports whether the record satisfies a condition of the rule.
func (c *Conditions) holdsAny(parts []Part) bool {
	if len(c.clauses) > 1 {
		for i := range c.clauses {
			if parts[i].Holds {
				return true
			}
		}
		return false
	}
	for i := range parts[:len(c.clauses[0].parts)] {
		if !parts[i].Holds {
			return false
		}
	}
	return true
}

// excuses are the exceptions as parts and what an event must satisfy to fire, and why one of them excuses the record.
func (c *Conditions) excuses(r *Reader, t *Tree) (all []Part, because string) {
	for i := range c.rule.Unless {
		x := &c.rule.Unless[i]
		p := r.part(cond.Conjunct{Source: x.When.Source, Program: x.When})
		p.Name, p.Says = "unless", x.Because
		if x.Expired(t.Event.Time.Time) {
			p.Says += ", expired"
			p.Holds = false
		}
		if p.Holds {
			because = x.Because
			if because == "" {
				because = "an exception holds"
			}
		}
		all = append(all, p)
	}
	if only := c.rule.Kind.Only; only != nil {
		p := r.part(cond.Conjunct{Source: only.Source, Program: only})
		if p.Name = "only"; !p.Holds && because == "" {
			because = "the rule learns from such an event and does not fire for it, since it does not satisfy only"
		}
		all = append(all, p)
	}
	return all, because
}

// raises are the conditions that lift the severity, as parts.
func (c *Conditions) raises(r *Reader) (all []Part) {
	for i := range c.rule.Raise {
		x := &c.rule.Raise[i]
		p := r.part(cond.Conjunct{Source: x.When.Source, Program: x.When})
		p.Name = raiseTo(x)
		all = append(all, p)
	}
	return all
}

func raiseTo(x *rules.Raise) string { return "raise to " + rules.Severities[x.To] }

// raised are the conditions for the severity to which a finding is lifted: its place from 1, 0 where none holds.
func raised(r *rules.Rule, level uint8) (all []Part) {
	for i := range r.Raise {
		if x := &r.Raise[i]; x.To == int(level)-1 {
			all = append(all, Part{Name: raiseTo(x), Condition: strings.TrimSpace(x.When.Source), Holds: true})
		}
	}
	if len(all) > 1 { // one of them holds, and which is not held
		one := all[0]
		for _, other := range all[1:] {
			one.Condition += " or " + other.Condition
		}
		return []Part{one}
	}
	return all
}

// part says which parts of a clause hold. Near is the share of those that hold, 0 where all that holds holds for every event.
func (k *clause) part(r *Reader) (p Part, near float64) {
	if k.of != nil {
		return Part{Name: k.name, Says: "alerts of " + strings.Join(k.of, ", ")}, 0
	}
	p = Part{Name: k.name, Holds: true}
	telling, holding := false, 0
	for i, one := range k.parts {
		part := r.part(one)
		if len(k.tells) == i {
			holds, _ := r.empty.Holds(one.Program)
			k.tells = append(k.tells, !holds)
		}
		if part.Holds {
			holding++
			telling = telling || k.tells[i]
		}
		p.Holds = p.Holds && part.Holds
		p.Parts = append(p.Parts, part)
	}
	if telling {
		near = float64(holding) / float64(len(k.parts)+1)
	}
	return p, near
}

func (r *Reader) part(c cond.Conjunct) Part {
	p := Part{Condition: c.Source}
	var err error
	if p.Holds, err = r.machine.Holds(c.Program); err != nil {
		p.Error = err.Error()
	}
	for _, s := range c.Program.Slots() {
		p.Values = append(p.Values, r.value(s))
	}
	return p
}

func (r *Reader) value(s event.Slot) Value {
	v := Value{Field: r.Reader.Event.Layout().Def(s).Name}
	b, err := json.Marshal(r.machine.Value(s))
	switch {
	case err != nil:
		b = []byte(`"?"`)
	case string(b) == "null": // a list that the event does not have
		b = []byte("[]")
	}
	v.Value = b
	return v
}

// Of reports whether the conditions are those of a rule.
func (c *Conditions) Of(r *rules.Rule) bool { return c.rule == r }

// LacksKey says which fields of the key the record at hand does not have.
func (c *Conditions) LacksKey(r *Reader) string {
	var lacks []string
	for _, f := range c.rule.Kind.By {
		has := r.Event.Has(f.Slot)
		if f.Type == event.List {
			has = len(r.Event.List(f.Slot)) > 0
		}
		if !has {
			lacks = append(lacks, f.Name)
		}
	}
	if len(lacks) == 0 {
		return "the event has no value for the key of its step"
	}
	return "the event has no " + strings.Join(lacks, " and no ") + ", which the key needs"
}
