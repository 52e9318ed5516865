package rules

import (
	"fmt"
	"slices"
	"strings"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/diag"
	"noroshi/internal/strictyaml"
)

// MaxDeep is how deep rules may look at alerts of rules: one that names rules without references of their own is one deep.
const MaxDeep = 3

// link is an entry of a key `of`: a rule whose alerts are looked at, guide:S3 or class:access.
type link struct {
	rule *Rule
	doc  *strictyaml.Doc
	node *yaml.Node
}

// note keeps the references of a rule until all rules are read.
func (l *loader) note(d *strictyaml.Doc, r *Rule) {
	if r.Kind == nil || len(r.Kind.Of) == 0 {
		return
	}
	var walk func(n *yaml.Node)
	walk = func(n *yaml.Node) {
		for i, c := range n.Content {
			if n.Kind == yaml.MappingNode && i%2 == 1 && n.Content[i-1].Value == "of" && c.Kind == yaml.SequenceNode {
				for _, entry := range c.Content {
					l.links = append(l.links, link{r, d, entry})
				}
				continue
			}
			walk(c)
		}
	}
	for i := 0; i+1 < len(d.Root.Content); i += 2 {
		switch key := d.Root.Content[i]; key.Value {
		case "of", "steps":
			walk(&yaml.Node{Kind: yaml.MappingNode, Content: d.Root.Content[i : i+2]})
		}
	}
}

// follow tells of references that lead nowhere, in a circle, or too deep. Rules with such a one are left out; of one that is there to
// be named it is told where it is named.
func (l *loader) follow() {
	for _, k := range l.links {
		if message, _ := l.leads(k); k.rule.Named && message != "" {
			l.broken[k.rule.ID] = fmt.Sprintf("%s:%d:%d: %s", k.doc.Name, k.node.Line, k.node.Column, message)
			l.set.Rules = slices.DeleteFunc(l.set.Rules, func(r *Rule) bool { return r == k.rule })
		}
	}
	for _, k := range l.links {
		message, meant := l.leads(k)
		if k.rule.Named {
			continue // it is not asked about
		}
		if message == "" {
			l.idle(k)
			continue
		}
		l.problems = append(l.problems, diag.Problem{File: k.doc.Name, Line: k.node.Line, Column: k.node.Column, Code: "of", Level: diag.Error,
			Message: message, Suggestion: meant, Source: k.doc.Line(k.node.Line)})
		l.set.Rules = slices.DeleteFunc(l.set.Rules, func(r *Rule) bool { return r == k.rule })
	}
}

// idle warns of a reference that no alert comes from.
func (l *loader) idle(k link) {
	message := ""
	name := k.node.Value
	switch named := l.set.Find(name); {
	case l.broken[name] != "":
		message = "a file of the rule " + name + " has an error: " + l.broken[name]
	case named != nil && named.StateAt != "" && k.rule.Shipped: // the operator has chosen so; explain tells it
	case named != nil && named.State == Shadow:
		message = "the rule " + name + " is in shadow: rules that name it do not see its alerts"
	case named != nil && named.State == Off:
		message = "the rule " + name + " is off: it gives no alerts"
	case !strings.Contains(name, ":") || l.options.Beside && !l.options.Library && !l.options.Named: // the shipped rules stand beside it
	case !slices.ContainsFunc(l.set.Rules, func(r *Rule) bool { return r.Answers(name) && r.State != Shadow && r.State != Off }):
		message = "no rule that is loaded is taken in by " + name
	}
	if message != "" {
		l.problems = append(l.problems, diag.Problem{File: k.doc.Name, Line: k.node.Line, Column: k.node.Column, Code: "of", Level: diag.Warning,
			Message: message, Source: k.doc.Line(k.node.Line)})
	}
}

// leads says what is wrong with a reference, "" where it is right.
func (l *loader) leads(k link) (message, meant string) {
	name := k.node.Value
	switch family, word, found := strings.Cut(name, ":"); {
	case found && family == "guide" && !slices.Contains(GuideItems, word):
		return fmt.Sprintf("no item %q of the guide; known are %s", word, strings.Join(GuideItems, ", ")), prefixed("guide:", closest(word, GuideItems))
	case found && family == "class" && !slices.Contains(Classes, word):
		return fmt.Sprintf("no class %q; known are %s", word, strings.Join(Classes, ", ")), prefixed("class:", closest(word, Classes))
	case found && (family == "guide" || family == "class"):
		return "", ""
	case found:
		return fmt.Sprintf("%q names nothing; expected the id of a rule, guide:S3 or class:access", name), ""
	case name == k.rule.ID:
		return "a rule cannot look at its own alerts", ""
	}
	if l.ids[name] == "" && l.taken[name] == "" {
		switch {
		case !idPattern.MatchString(strings.ToLower(name)):
			return fmt.Sprintf("%q names nothing; expected the id of a rule, guide:S3 or class:access", name), ""
		case slices.Contains(GuideItems, name):
			return "no rule " + name, "guide:" + name
		case slices.Contains(Classes, name):
			return "no rule " + name, "class:" + name
		case l.unnamed: // it may be there when that is mended, which is told
			return "", ""
		}
		var ids []string
		for id := range l.ids {
			ids = append(ids, id)
		}
		slices.Sort(ids)
		return "no rule " + name + " is loaded", closest(name, ids)
	}
	if circle := l.circle(k.rule.ID, []string{k.rule.ID, name}); circle != nil {
		return "these rules look at each other's alerts in a circle: " + strings.Join(circle, " → "), ""
	}
	if deep := 1 + l.depth(name, 0); deep > MaxDeep {
		return fmt.Sprintf("the references of this rule are %d deep by way of %s; at most %d are read", deep, name, MaxDeep), ""
	}
	return "", ""
}

func prefixed(prefix, word string) string {
	if word == "" {
		return ""
	}
	return prefix + word
}

// linksOf are the rules that a rule names, which may be broken or of no memory: then they are none.
func (l *loader) linksOf(id string) (all []string) {
	for _, k := range l.links {
		if k.rule.ID == id && !strings.Contains(k.node.Value, ":") {
			all = append(all, k.node.Value)
		}
	}
	return all
}

// circle is the way that leads from the end of a way back to a rule, or nil if there is none.
func (l *loader) circle(to string, way []string) []string {
	for _, next := range l.linksOf(way[len(way)-1]) {
		switch {
		case next == to:
			return append(slices.Clone(way), to)
		case slices.Contains(way, next): // another circle, told elsewhere
			continue
		}
		if circle := l.circle(to, append(slices.Clone(way), next)); circle != nil {
			return circle
		}
	}
	return nil
}

// depth is how deep the references of a rule are, as far as it matters.
func (l *loader) depth(id string, above int) (deepest int) {
	if above > 2*MaxDeep {
		return 0 // a circle, told elsewhere
	}
	for _, next := range l.linksOf(id) {
		deepest = max(deepest, 1+l.depth(next, above+1))
	}
	return deepest
}
