package rules

import (
	"slices"
	"strings"

	"noroshi/internal/event"
	"noroshi/rules/kind"
)

// windowNames are the names of what a rule's memory gives, whatever the rule.
var windowNames = []string{kind.WindowCount, kind.WindowDistinct, kind.WindowSum, kind.WindowFirst, kind.WindowLast, kind.WindowValues}

// ownUnknown says why a name of a rule's memory is none of the rule's, "" of other names.
func ownUnknown(r *kind.Rule, l *event.Layout) func(name string) (message, meant string) {
	return func(name string) (message, meant string) {
		family, rest, _ := strings.Cut(name, ".")
		switch {
		case family == "window" && rest != "":
			return windowUnknown(r, l, name)
		case family == "steps" || family == "step":
			return stepUnknown(r, l, rest)
		}
		return "", ""
	}
}

func windowUnknown(r *kind.Rule, l *event.Layout, name string) (message, meant string) {
	has := r.Names(l)
	var mine []string
	for _, n := range windowNames {
		if _, ok := has(n); ok {
			mine = append(mine, n)
		}
	}
	switch {
	case len(mine) == 0:
		return "no " + name + ": a rule of kind " + r.Name() + " without repeat has no window", ""
	case slices.Contains(windowNames, name):
		return "no " + name + ": this rule counts no such thing; it has " + joined(mine), ""
	}
	return "no " + name + "; this rule has " + joined(mine), closest(name, mine)
}

func stepUnknown(r *kind.Rule, l *event.Layout, rest string) (message, meant string) {
	if len(r.Steps) == 0 {
		return "no steps: this rule is of kind " + r.Name(), ""
	}
	id, field, _ := strings.Cut(rest, ".")
	var ids []string
	for i, s := range r.Steps {
		ids = append(ids, s.ID)
		if s.ID != id {
			continue
		}
		if field == "" {
			return "steps." + id + " needs a field of the step's last event, such as " + kind.StepName(id, "source.ip"), ""
		}
		if _, ok := event.Lookup(field); !ok {
			if meant = event.Suggest(field); meant != "" {
				meant = kind.StepName(id, meant)
			}
			return "no field " + `"` + field + `"` + " in the step " + id, meant
		}
		var shown []string
		for _, f := range r.StepFields(l, i) {
			shown = append(shown, f.Name)
		}
		return "the step " + id + " does not show " + field + ", but " + joined(shown) + "; give the step the key show: [" + field + "]", ""
	}
	if near := closest(id, ids); near != "" {
		meant = strings.TrimSuffix("steps."+near+"."+field, ".")
	}
	return "no step " + id + "; the steps are " + joined(ids), meant
}

// anyOwn takes every name of a rule's memory.
func anyOwn(l *event.Layout) func(name string) (event.Slot, bool) {
	return func(name string) (event.Slot, bool) {
		switch family, _, _ := strings.Cut(name, "."); {
		case name == kind.WindowCount || name == kind.WindowDistinct || name == kind.WindowSum:
			return l.Own(name, event.Number), true
		case name == kind.WindowValues:
			return l.Own(name, event.List), true
		case family == "window" || family == "steps":
			return l.Own(name, event.Text), true
		}
		return 0, false
	}
}

// whenAlone says of a name of a rule's memory that conditions do not have it.
func whenAlone(name string) (message, meant string) {
	if family, _, ok := strings.Cut(name, "."); ok && (family == "window" || family == "steps") {
		return name + " is known when the rule fires; only the summary can show it", ""
	}
	return "", ""
}
