package kind

import (
	"strings"

	"noroshi/internal/event"
)

// Own are the values that a rule's memory gives to texts.
const (
	WindowCount    = "window.count"
	WindowDistinct = "window.distinct"
	WindowSum      = "window.sum"
	WindowFirst    = "window.first"
	WindowLast     = "window.last"
	WindowValues   = "window.values"
)

// Name is the name of the kind.
func (r *Rule) Name() string { return r.Kind.Name() }

// ClauseName is what the rule's file calls a clause: the step, or the key.
func (r *Rule) ClauseName(i int) string {
	if i < len(r.Steps) {
		return r.Steps[i].ID
	}
	if i < len(r.Clauses) && r.Clauses[i].Of != nil {
		return "of"
	}
	if names := secondClause[r.Name()]; i == 1 && names != "" {
		return names
	}
	return "when"
}

// secondClause is the key of the second condition of kinds that have two.
var secondClause = map[string]string{Absence{}.Name(): "without", FirstSeen{}.Name(): "among"}

// Alone reports whether each event is a finding by itself, so that its key only groups.
func (r *Rule) Alone() bool { return r.Kind == Match{} }

// Names finds the names that a rule's texts may use beside the fields of events.
func (r *Rule) Names(l *event.Layout) func(name string) (event.Slot, bool) {
	own := map[string]event.Type{}
	if r.Memory != nil {
		own[WindowCount], own[WindowFirst], own[WindowLast] = event.Number, event.Text, event.Text
	}
	if r.Distinct {
		own[WindowDistinct], own[WindowValues] = event.Number, event.List
	}
	if r.Sum {
		own[WindowSum] = event.Number
	}
	for i, s := range r.Steps {
		for _, f := range r.StepFields(l, i) {
			own[StepName(s.ID, f.Name)] = f.Type
		}
	}
	return func(name string) (event.Slot, bool) {
		t, ok := own[name]
		if !ok {
			return 0, false
		}
		return l.Own(name, t), true
	}
}

// StepName is how texts call a field of a step's last event.
func StepName(step, field string) string { return "steps." + step + "." + field }

// StepFields are the fields of a step that texts may show: those of its condition, and those that it lists.
func (r *Rule) StepFields(l *event.Layout, step int) (all []Field) {
	seen := map[event.Slot]bool{}
	add := func(slot event.Slot) {
		if slot = l.Root(slot); !seen[slot] && !strings.Contains(l.Def(slot).Name, " ") {
			seen[slot] = true
			all = append(all, Field{Name: l.Def(slot).Name, Slot: slot, Type: l.Def(slot).Type})
		}
	}
	if step < len(r.Clauses) && r.Clauses[step].When != nil {
		for _, slot := range r.Clauses[step].When.Slots() {
			add(slot)
		}
	}
	for _, f := range r.Steps[step].Show {
		add(f.Slot)
	}
	return all
}
