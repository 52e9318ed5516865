package rules

import (
	"slices"
	"strings"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/diag"
	"noroshi/internal/event"
	"noroshi/rules/kind"
)

// needsLess warns of an absence that waits for fewer datasets than those in which the other event is looked for.
func (f *form) needsLess(r *kind.Rule, nodes map[string]*yaml.Node) {
	n := nodes["needs"]
	if n == nil || len(r.Clauses) < 2 || r.Clauses[1].When == nil {
		return
	}
	admitted := r.Clauses[1].When.Admits(event.Dataset, event.Datasets)
	if len(admitted) == len(event.Datasets) {
		return // the condition does not say where the other event would show
	}
	lacks := slices.DeleteFunc(admitted, func(name string) bool { return slices.Contains(r.Needs, name) })
	if len(lacks) > 0 {
		f.doc.Warn(n, "value", "needs lacks "+strings.Join(lacks, ", ")+", where without looks for the other event, too; the rule fires before "+
			"it could have shown there")
	}
}

// shortHistory warns of pauses that are compared with hardly any others.
func (f *form) shortHistory(v *kind.Values, n *yaml.Node) {
	switch {
	case n == nil || f.kind.Name() != (kind.Silence{}).Name():
	case !v.Has("ratio"):
		f.doc.Warn(n, "value", "history changes nothing without ratio, which says how many times as long as a pause of the history a silence must be")
	case v.Duration("history") < v.Duration("longer"):
		f.doc.Warn(n, "value", "history is shorter than longer, so that hardly a pause lies in it; ratio then changes next to nothing")
	}
}

// neverDiffers warns of different values of a field that the key holds: all events of a key have the same.
func (f *form) neverDiffers(nodes map[string]*yaml.Node) {
	f.sameInKey(nodes["distinct"], nodes["by"])
	if steps := nodes["steps"]; steps != nil {
		for _, s := range steps.Content {
			by := child(s, "by")
			if by == nil {
				by = nodes["by"]
			}
			f.sameInKey(child(s, "distinct"), by)
		}
	}
}

func (f *form) sameInKey(distinct, by *yaml.Node) {
	if distinct == nil {
		return
	}
	of := child(distinct, "of")
	if of == nil || of.Kind != yaml.ScalarNode {
		return
	}
	name := of.Value
	if slot, ok := f.set.Scope.Layout.Find(name); ok && f.set.Scope.Layout.Def(slot).Type == event.List {
		return // an event counts under each of its elements
	}
	keys := []string{"account"}
	if by != nil {
		keys = nil
		for _, c := range by.Content {
			keys = append(keys, c.Value)
		}
	}
	if !slices.Contains(keys, name) {
		return
	}
	p := f.doc.At(of, "value", "all events of a key have the same "+name+", because by holds it, so that there is never more than one")
	p.Level = diag.Warning
	switch rest := slices.DeleteFunc(keys, func(k string) bool { return k == name }); {
	case len(rest) > 0:
		p.Suggestion = "by: [" + strings.Join(rest, ", ") + "]"
	case name == "source.ip":
		p.Suggestion = "by: [account]"
	default:
		p.Suggestion = "by: [source.ip]"
	}
}
