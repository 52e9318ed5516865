package rules

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/cond"
	"noroshi/internal/strictyaml"
)

// Tuning is what a configuration says of rules without changing their files.
type Tuning struct {
	Doc        *strictyaml.Doc
	Library    *yaml.Node // of shipped rules: off, shadow, severity, points; nil: nothing
	Exceptions *yaml.Node // what rules of any kind do not count; nil: nothing

	Named []*yaml.Node // lists of rules that the configuration names elsewhere, such as those of a sink
}

// tune applies the configuration to the rules that have been read.
func (l *loader) tune() {
	t := l.options.Tuning
	if t.Doc == nil {
		return
	}
	before := len(t.Doc.Problems)
	if t.Library != nil {
		l.library(t.Doc, t.Library)
	}
	if t.Exceptions != nil {
		l.at = place{} // its lists are those of the configuration
		for _, c := range t.Doc.Items(t.Exceptions) {
			l.except(t.Doc, c)
		}
	}
	for _, n := range t.Named {
		l.mentioned(t.Doc, n)
	}
	l.problems = append(l.problems, t.Doc.Problems[before:]...)
}

// ownAlerts is how rules are called whose alerts are about Noroshi itself; they stand in no file.
const ownAlerts = "noroshi-"

// mentioned tells of names in a list that are those of no rule: a sink that is for them would tell nothing, and nobody would know.
func (l *loader) mentioned(d *strictyaml.Doc, n *yaml.Node) {
	if n.Kind != yaml.SequenceNode || l.unnamed || !l.options.Library && !l.options.Beside {
		return
	}
	for _, c := range n.Content {
		if id := c.Value; !strings.HasPrefix(id, ownAlerts) && l.set.Find(id) == nil && l.taken[id] == "" && l.ids[id] == "" {
			d.At(c, "sink", "no rule "+strconv.Quote(id)).Suggestion = closest(id, slices.Sorted(maps.Keys(l.taken)))
		}
	}
}

// library reads what the configuration says of shipped rules.
func (l *loader) library(d *strictyaml.Doc, n *yaml.Node) {
	states := map[string]*yaml.Node{} // by rule: where its state stands
	state := func(to State) func(*yaml.Node) {
		return func(n *yaml.Node) {
			for _, c := range d.Items(n) {
				if id := d.Text(c); l.isShipped(d, c) {
					if states[id] != nil {
						d.At(c, "library", fmt.Sprintf("the rule %s stands in line %d, too; a rule is either off or in shadow", id, states[id].Line))
					}
					states[id] = c
					l.each(id, func(r *Rule) { r.State, r.StateAt = to, fmt.Sprintf("%s:%d", d.Name, c.Line) })
				}
			}
		}
	}
	d.Fields(n, map[string]func(*yaml.Node){
		"off":    state(Off),
		"shadow": state(Shadow),
		"severity": func(n *yaml.Node) {
			l.byRule(d, n, func(id string, n *yaml.Node) {
				severity := d.OneOf(n, "severity", Severities...)
				l.each(id, func(r *Rule) { r.Severity = severity })
			})
		},
		"points": func(n *yaml.Node) {
			l.byRule(d, n, func(id string, n *yaml.Node) {
				points := d.Int(n, 0, 100)
				l.each(id, func(r *Rule) { r.Points = points })
			})
		},
	})
}

// byRule reads a mapping whose keys are ids of shipped rules.
func (l *loader) byRule(d *strictyaml.Doc, n *yaml.Node, read func(id string, n *yaml.Node)) {
	is := d.Named(n, "ids of shipped rules", func(name, v *yaml.Node) {
		if d.Tracing() || l.isShipped(d, name) {
			read(name.Value, v)
		}
	})
	if !is {
		d.At(n, "type", "expected ids of shipped rules, such as sign-in-from-new-country, with a value each, got "+strictyaml.Kind(n))
	}
}

func (l *loader) each(id string, do func(*Rule)) {
	for _, r := range l.set.Rules {
		if r.ID == id && r.Shipped {
			do(r)
		}
	}
}

// isShipped reports whether a node holds the id of a shipped rule, and tells if not.
func (l *loader) isShipped(d *strictyaml.Doc, n *yaml.Node) bool {
	at, r := l.taken[n.Value], l.set.Find(n.Value)
	switch {
	case n.Value == "" || !l.options.Library && !l.options.Beside:
		return false // what is shipped is not known here
	case at == shippedPlace || strings.HasPrefix(at, "library/") || r != nil && r.Shipped:
		return true
	case at != "":
		d.At(n, "library", fmt.Sprintf("%s is no shipped rule; change it in its file, %s", n.Value, at))
		return false
	}
	d.At(n, "library", fmt.Sprintf("no shipped rule %q", n.Value)).Suggestion = closest(n.Value, slices.Sorted(maps.Keys(l.taken)))
	return false
}

var tenantID = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// except reads an exception of the configuration and gives it to the rules that it names.
func (l *loader) except(d *strictyaml.Doc, n *yaml.Node) {
	var of []string
	var tenant string
	var tests []Test
	before := d.Errors()
	x := l.exception(d, n, map[string]func(*yaml.Node){
		"rules": func(n *yaml.Node) { of = l.excepted(d, n) },
		"tenant": func(n *yaml.Node) {
			if tenant = d.Text(n); tenant != "" && !tenantID.MatchString(tenant) {
				d.At(n, "value", "expected the id of a tenant, such as aaaabbbb-0000-cccc-1111-dddd2222eeee")
				tenant = ""
			}
		},
		"tests": func(n *yaml.Node) { tests = l.testsOfException(d, n) },
	})
	if n.Kind == yaml.MappingNode && member(n, "rules") == nil {
		d.At(n, "missing", "an exception of the configuration needs the key rules: ids of rules, class:access, guide:S3, or all")
	}
	if when := member(n, "when"); tenant != "" && (when == nil || x.When != nil) {
		x.When = l.within(d, n, tenant, x.When)
	}
	if x.When == nil {
		return
	}
	x.Outside = true
	if len(tests) > 0 && len(of) > 0 && d.Errors() == before {
		l.set.Excused = append(l.set.Excused, &Excused{Rules: of, File: d.Name, Line: n.Line, Tests: tests, exception: x})
	}
	for _, r := range l.set.Rules {
		if slices.ContainsFunc(of, r.isMeant) {
			r.Unless = append(r.Unless, x)
		}
	}
}

// within is a condition for one tenant alone; when may be nil.
func (l *loader) within(d *strictyaml.Doc, n *yaml.Node, tenant string, when *cond.Program) *cond.Program {
	source := fmt.Sprintf("organization.id == %q", strings.ToLower(tenant))
	if when != nil {
		source += " && (" + strings.TrimSpace(when.Source) + "\n)" // the source may end in a comment
	}
	p, ms := cond.Compile(source, l.set.Scope)
	if p == nil {
		d.At(member(n, "when"), ms[0].Code, "with the tenant before it: "+ms[0].Message)
	}
	return p
}

// excepted reads the rules that an exception is for.
func (l *loader) excepted(d *strictyaml.Doc, n *yaml.Node) (all []string) {
	for _, c := range d.Items(n) {
		name := d.Text(c)
		if name == "" {
			continue
		}
		if message, meant := l.means(name); message != "" {
			d.At(c, "exception", message).Suggestion = meant
			continue
		}
		all = append(all, name)
	}
	return all
}

// means says what is wrong with the name of rules that an exception is for, "" where nothing is.
func (l *loader) means(name string) (message, meant string) {
	family, word, found := strings.Cut(name, ":")
	r := l.set.Find(name)
	switch {
	case name == "all":
	case found && family == "class" && !slices.Contains(Classes, word):
		return fmt.Sprintf("no class %q; known are %s", word, strings.Join(Classes, ", ")), prefixed("class:", closest(word, Classes))
	case found && family == "guide" && !slices.Contains(GuideItems, word):
		return fmt.Sprintf("no item %q of the guide; known are %s", word, strings.Join(GuideItems, ", ")), prefixed("guide:", closest(word, GuideItems))
	case found && family != "class" && family != "guide":
		return fmt.Sprintf("%q names nothing; expected the id of a rule, class:access, guide:S3 or all", name), ""
	case !found && r == nil && l.taken[name] == "" && l.ids[name] == "" && !l.unnamed && (l.options.Library || l.options.Beside):
		return "no rule " + name, closest(name, slices.Sorted(maps.Keys(l.taken)))
	case r != nil && r.Kind != nil && r.onlyAlerts():
		return fmt.Sprintf("the rule %s looks at alerts alone; an exception is for the rules that it names: %s", name, strings.Join(r.Kind.Of, ", ")), ""
	}
	return "", ""
}

// onlyAlerts reports whether no condition over events belongs to the rule.
func (r *Rule) onlyAlerts() bool {
	for _, c := range r.Kind.Clauses {
		if c.Of == nil {
			return false
		}
	}
	return len(r.Kind.Of) > 0
}

// isMeant reports whether an exception for a name is for the rule.
func (r *Rule) isMeant(name string) bool {
	family, word, _ := strings.Cut(name, ":")
	switch {
	case r.Kind == nil || r.onlyAlerts():
		return false
	case name == "all" || name == r.ID:
		return true
	case family == "guide":
		return slices.Contains(r.Guide, word)
	}
	return family == "class" && word == r.Class
}
