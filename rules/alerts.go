package rules

import (
	"slices"
	"strings"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/cond"
	"noroshi/internal/diag"
	"noroshi/internal/event"
	"noroshi/internal/strictyaml"
	"noroshi/rules/kind"
)

// alertFields are the fields that alerts have where rules look at them.
var alertFields = []string{"account", "source.ip", "source.geo.country_iso_code", "source.as.number", "user.name", "user.kind", "user.id", "user.target.name",
	"session.id", "app.id"}

// aboutAlerts tells what makes no sense in a rule that looks at alerts.
func (l *loader) aboutAlerts(d *strictyaml.Doc, r *Rule, nodes map[string]*yaml.Node) {
	if r.Kind == nil || len(r.Kind.Of) == 0 {
		return
	}
	if !slices.ContainsFunc(r.Kind.Clauses, func(c kind.Clause) bool { return c.Of == nil }) {
		for key, instead := range map[string]string{
			"unless": "alerts are not excused; put the exception into the rules that this one names",
			"facts":  "the evidence is that of the alerts; put the fields into the rules that this one names",
		} {
			if n := nodes[key]; n != nil {
				d.At(n, "value", "a rule that looks at alerts alone has no "+key+": "+instead)
			}
		}
	}
	if n := len(r.Kind.Clauses); n == 0 || r.Kind.Clauses[n-1].Of == nil {
		return // its texts speak of an event
	}
	has := "; alerts have " + joined(alertFields)
	if lacks := l.lacking(r.Summary); lacks != "" {
		l.lesser(d.At(nodes["summary"], "field", "the summary is about an alert, which has no "+lacks+has))
	}
	for i, m := range r.Respond {
		for _, t := range []*cond.Template{m.Text, m.Command} {
			if lacks := l.lacking(t); lacks != "" && i < len(nodes["respond"].Content) {
				l.lesser(d.At(nodes["respond"].Content[i], "respond", "this step is filled in from an alert, which has no "+lacks+"; name it in the rules that this one looks at"))
				break
			}
		}
	}
}

// lesser makes a problem a warning for all but check.
func (l *loader) lesser(p *diag.Problem) {
	if !l.options.Strict {
		p.Level = diag.Warning
	}
}

// lacking names the fields that a text shows and alerts do not have, "" where it says the same without them.
func (l *loader) lacking(t *cond.Template) string {
	if t == nil {
		return ""
	}
	layout := l.set.Scope.Layout
	render := func(has func(event.Slot) bool) string {
		ev := event.New(layout, &pretended{layout, has})
		ev.Next()
		return cond.NewMachine(ev, l.set.Scope).Render(t)
	}
	whole := render(func(event.Slot) bool { return true })
	var lacks []string
	for _, s := range t.Slots() {
		name := layout.Def(layout.Root(s)).Name
		if layout.Def(s).Own() || slices.Contains(alertFields, name) || slices.Contains(lacks, name) {
			continue
		}
		if render(func(x event.Slot) bool { return layout.Root(x) != layout.Root(s) }) != whole {
			lacks = append(lacks, name)
		}
	}
	return strings.Join(lacks, " and no ")
}

// pretended is an event that has some fields.
type pretended struct {
	layout *event.Layout
	has    func(event.Slot) bool
}

// Text implements event.Source.
func (p *pretended) Text(s event.Slot) string {
	switch {
	case !p.has(s) || p.layout.Def(s).Type == event.List:
		return ""
	case p.layout.Def(s).Type == event.Bool:
		return "true"
	}
	return "1"
}

// List implements event.Source.
func (p *pretended) List(s event.Slot) []string {
	if p.has(s) && p.layout.Def(s).Type == event.List {
		return []string{"1"}
	}
	return nil
}

// Has implements event.Source.
func (p *pretended) Has(s event.Slot) bool { return p.has(s) }
