package rules

import (
	"fmt"
	"io/fs"
	"reflect"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/cond"
	"noroshi/internal/event"
	"noroshi/internal/incident"
	"noroshi/internal/strictyaml"
	"noroshi/rules/kind"
)

const storyFile = "story.yaml"

// Line says which events become a line of an account's story though no rule fires.
type Line struct {
	ID     string
	Does   Does
	Kind   *kind.Rule     // which events
	Closes string         // of a line that closes: see incident.Activity
	Thing  string         // the kind of what comes or goes
	Whose  *cond.Template // whose story; nil or an empty text: the account's; TenantStory: the tenant's
	Name   *cond.Template // of the thing
	Ref    *cond.Template // the source's own name of the thing
	Detail *cond.Template // what else there is to say of the thing
	Client *cond.Template // what was used
	Device *cond.Template // of a sign-in
	Text   *cond.Template
	Tests  []Test
	File   string
	At     int // its line in the file
}

// Does is what the events of a line do.
type Does string

// What events do.
const (
	Tells  Does = "tells"   // what an account did; told while it is marked
	Counts Does = "sign_in" // a sign-in, which also counts for the profile
	Brings Does = "brings"  // a thing came; always told
	Takes  Does = "takes"   // a thing went; always told
	Closes Does = "closes"  // it closes something that is no thing; always told
)

// TenantStory is whose story a line is that is about the whole tenant.
const TenantStory = "tenant"

// Things are the kinds of things that lines bring and take.
var Things = []string{incident.InboxRule, incident.Forwarding, incident.Delegate, incident.Role, incident.Method, incident.Consent, incident.Application,
	incident.Device}

// closings are what a line closes that takes no thing.
var closings = []string{incident.Password, incident.Sessions, incident.SignIn, incident.Unblocked}

// story reads the lines of accounts' stories.
func (l *loader) story() {
	name := inside(l.home.name, storyFile)
	data, err := fs.ReadFile(l.home.in, storyFile)
	if err != nil {
		l.failed(name, err)
		return
	}
	l.at, l.base = place{l.home.in, "."}, storyFile
	l.wants = reflect.TypeFor[incident.Activity]()
	defer func() { l.wants = nil }()
	d := strictyaml.Parse(name, data)
	if d.Root != nil {
		for i := 0; i+1 < len(d.Root.Content); i += 2 {
			l.line(d, d.Root.Content[i], d.Root.Content[i+1])
		}
	}
	l.take(d)
}

// line reads one line.
func (l *loader) line(d *strictyaml.Doc, id, n *yaml.Node) {
	x := &Line{ID: id.Value, Does: Tells, File: d.Name, At: id.Line}
	if !idPattern.MatchString(x.ID) || len(x.ID) > maxID {
		d.At(id, "id", fmt.Sprintf("%q is no id: lower case letters, digits and single hyphens, at most %d", x.ID, maxID))
	}
	var when *cond.Program
	done := 0
	does := func(what Does, to *string, of []string) func(*yaml.Node) {
		return func(n *yaml.Node) {
			done++
			x.Does, *to = what, d.OneOf(n, "value", of...)
		}
	}
	template := func(to **cond.Template) func(*yaml.Node) {
		return func(n *yaml.Node) { *to = l.template(d, n, l.set.Scope) }
	}
	errors := d.Errors()
	d.Fields(n, map[string]func(*yaml.Node){
		"when":   func(n *yaml.Node) { when = l.condition(d, n) },
		"brings": does(Brings, &x.Thing, Things), "takes": does(Takes, &x.Thing, Things), "closes": does(Closes, &x.Closes, closings),
		"counts": does(Counts, new(string), []string{string(Counts)}),
		"whose":  template(&x.Whose), "name": template(&x.Name), "ref": template(&x.Ref), "detail": template(&x.Detail),
		"client": template(&x.Client), "device": template(&x.Device), "text": template(&x.Text),
		"tests": func(n *yaml.Node) {
			if !l.options.Untested {
				x.Tests = l.tests(d, n)
			}
		},
	})
	switch {
	case d.Errors() > errors:
		return
	case when == nil || x.Text == nil:
		d.At(n, "missing", fmt.Sprintf("the line %s needs when and text", x.ID))
		return
	case done > 1:
		d.At(n, "value", fmt.Sprintf("the line %s does one thing: brings, takes, closes or counts", x.ID))
		return
	case x.Does == Brings && x.Name == nil:
		d.At(n, "missing", fmt.Sprintf("the line %s needs name: what the thing is called", x.ID))
		return
	}
	x.Kind = &kind.Rule{Kind: kind.Match{}, Clauses: []kind.Clause{{When: when}}, By: []kind.Field{{Name: "account", Slot: event.Account, Type: event.Text}}}
	l.set.Story = append(l.set.Story, x)
}

// Templates are the texts of the line.
func (x *Line) Templates() (all []*cond.Template) {
	for _, t := range [...]*cond.Template{x.Whose, x.Name, x.Ref, x.Detail, x.Client, x.Device, x.Text} {
		if t != nil {
			all = append(all, t)
		}
	}
	return all
}
