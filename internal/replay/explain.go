package replay

import (
	"encoding/json"
	"fmt"
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
	parts   []cond.Conjunct
}

// Explanation is what a rule makes of one record.
type Explanation struct {
	ID     string
	Action string
	Time   time.Time
	Fires  bool
	Parts  []Part
}

// Part is a part of the condition, or an exception.
type Part struct {
	Role   string // "" of the condition, "unless " of an exception
	Source string
	Holds  bool
	Err    error
	Values []string // field = value
}

// NewExplainer prepares the explanation of a rule.
func NewExplainer(set *rules.Set, r *rules.Rule, o decode.Options) (*Explainer, error) {
	e := &Explainer{rule: r, scope: set.Scope}
	var err error
	if e.parts, err = cond.Conjuncts(r.Kind.Clauses[0].When.Source, set.Scope); err != nil {
		return nil, fmt.Errorf("explain %s: %w", r.ID, err)
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
	x := Explanation{ID: id.ID, Action: id.Action, Time: id.Time, Fires: true}
	for _, c := range e.parts {
		p := e.part("", c.Program)
		x.Fires = x.Fires && p.Holds
		x.Parts = append(x.Parts, p)
	}
	for i := range e.rule.Unless {
		u := &e.rule.Unless[i]
		p := e.part("unless ", u.When)
		p.Source += " (" + u.Because + ")"
		if u.Expired(x.Time) {
			p.Source += ", expired"
			p.Holds = false
		}
		x.Fires = x.Fires && !p.Holds
		x.Parts = append(x.Parts, p)
	}
	return x
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
