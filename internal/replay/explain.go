package replay

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"noroshi/internal/cond"
	"noroshi/internal/decode"
	"noroshi/internal/event"
	"noroshi/rules"
)

// Explainer tells why a rule fires for a record, or does not.
type Explainer struct {
	rule    *rules.Rule
	scope   *cond.Scope
	reader  *decode.Reader
	machine *cond.Machine
	clauses []explained
}

// explained is a condition of the rule and its parts.
type explained struct {
	name  string // "" where the rule has one alone
	open  bool   // exceptions do not excuse what satisfies it
	parts []cond.Conjunct
}

// Explanation is what a rule makes of one record.
type Explanation struct {
	ID     string
	Action string
	Time   time.Time
	// Fires says of a rule that looks at one event alone that it fires for it.
	Fires bool
	// Remembers says that the rule looks at more than one event. Counts are then the conditions that the event satisfies.
	Remembers bool
	Counts    []string
	Excused   bool // by an exception
	Parts     []Part
}

// Part is a part of the condition, or an exception.
type Part struct {
	Role   string // "" of the condition, "unless " of an exception, "guess: " of the step guess
	Source string
	Holds  bool
	Err    error
	Values []string // field = value
}

// NewExplainer prepares the explanation of a rule.
func NewExplainer(set *rules.Set, r *rules.Rule, o decode.Options) (*Explainer, error) {
	e := &Explainer{rule: r, scope: set.Scope}
	for i, c := range r.Kind.Clauses {
		one := explained{name: r.Kind.ClauseName(i), open: c.Open}
		if c.When != nil {
			var err error
			if one.parts, err = cond.Conjuncts(c.When.Source, set.Scope); err != nil {
				return nil, fmt.Errorf("explain %s: %w", r.ID, err)
			}
		}
		e.clauses = append(e.clauses, one)
	}
	e.reader = decode.NewPlan(set.Scope.Layout, o).Reader()
	e.machine = cond.NewMachine(e.reader.Event, set.Scope)
	return e, nil
}

// Reader reads the records to explain.
func (e *Explainer) Reader() *decode.Reader { return e.reader }

// Explain evaluates the rule, part by part, on the record that the reader has at hand.
func (e *Explainer) Explain() Explanation {
	id := e.reader.Identity()
	x := Explanation{ID: id.ID, Action: id.Action, Time: id.Time, Remembers: e.rule.Kind.Memory != nil}
	holds := make([]bool, len(e.clauses))
	for i, c := range e.clauses {
		role := ""
		if len(e.clauses) > 1 {
			role = c.name + ": "
		}
		holds[i] = true
		for _, part := range c.parts {
			p := e.part(role, part.Program)
			holds[i] = holds[i] && p.Holds
			x.Parts = append(x.Parts, p)
		}
	}
	for i := range e.rule.Unless {
		u := &e.rule.Unless[i]
		p := e.part("unless ", u.When)
		p.Source += " (" + u.Because + ")"
		if u.Expired(x.Time) {
			p.Source += ", expired"
			p.Holds = false
		}
		x.Excused = x.Excused || p.Holds
		x.Parts = append(x.Parts, p)
	}
	for i, c := range e.clauses {
		if holds[i] && (!x.Excused || c.open) {
			x.Counts = append(x.Counts, c.name)
		}
	}
	x.Fires = !x.Remembers && len(x.Counts) > 0
	return x
}

// Verdict says in words what the rule makes of the record.
func (x *Explanation) Verdict() string {
	switch {
	case x.Fires:
		return "fires"
	case !x.Remembers:
		return "does not fire"
	case len(x.Counts) > 0:
		return "counts as " + strings.Join(x.Counts, ", ")
	case x.Excused:
		return "is excused"
	}
	return "does not count"
}

func (e *Explainer) part(role string, c *cond.Program) Part {
	p := Part{Role: role, Source: c.Source}
	p.Holds, p.Err = e.machine.Holds(c)
	for _, s := range c.Slots() {
		p.Values = append(p.Values, e.value(s))
	}
	return p
}

func (e *Explainer) value(s event.Slot) string {
	name := e.scope.Layout.Def(s).Name
	b, err := json.Marshal(e.machine.Value(s))
	switch {
	case err != nil:
		return name
	case string(b) == "null": // a list that the event does not have
		b = []byte("[]")
	}
	return name + " = " + string(b)
}
