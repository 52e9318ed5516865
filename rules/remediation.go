package rules

import (
	"fmt"
	"io/fs"
	"strings"
	"unicode/utf8"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/cond"
	"noroshi/internal/strictyaml"
)

const remediationFile = "remediation.yaml"

// remediation gives the steps that rules may name. They are read when the first rule names one: many rules name none, and their conditions
// would pay for the fields that the steps mention.
func (l *loader) remediation() map[string]Remedy {
	if l.remedies == nil {
		l.remedies = map[string]Remedy{}
		l.readRemediation()
	}
	return l.remedies
}

func (l *loader) readRemediation() {
	name := inside(l.home.name, remediationFile)
	data, err := fs.ReadFile(l.home.in, remediationFile)
	if err != nil {
		l.failed(name, err)
		return
	}
	d := strictyaml.Parse(name, data)
	l.steps(d)
	l.take(d)
}

// steps reads the steps of a document.
func (l *loader) steps(d *strictyaml.Doc) {
	if d.Root == nil {
		return
	}
	for i := 0; i+1 < len(d.Root.Content); i += 2 {
		l.remedy(d, d.Root.Content[i].Value, d.Root.Content[i+1])
	}
}

func (l *loader) remedy(d *strictyaml.Doc, id string, n *yaml.Node) {
	r := Remedy{ID: id}
	template := func(to **cond.Template) func(*yaml.Node) {
		return func(n *yaml.Node) { *to = l.template(d, n, l.set.Scope) }
	}
	d.Fields(n, map[string]func(*yaml.Node){
		"guide": func(n *yaml.Node) { r.Guide = oneOfEach(d, n, "guide", GuideItems) },
		"text":  template(&r.Text),
		"command": func(n *yaml.Node) {
			r.Command = l.template(d, n, l.set.Scope)
			quoted(d, n)
		},
	})
	if r.Text == nil || r.Command == nil {
		d.At(n, "missing", fmt.Sprintf("step %s needs text and command", id))
		return
	}
	l.remedies[id] = r
}

// quoted checks that all values of a command stand in single quotes: strangers choose some of them, and of other texts
// PowerShell evaluates parts.
func quoted(d *strictyaml.Doc, n *yaml.Node) {
	inside, at := false, 0
	for i, part := range strings.Split(n.Value, "{{") {
		if i > 0 {
			if !inside {
				d.Inside(n, at, "value", "a value of a command stands in single quotes")
			}
			at += 2
			value, rest, _ := strings.Cut(part, "}}")
			at += utf8.RuneCountInString(value) + 2
			part = rest
		}
		for _, r := range part {
			switch r {
			case '\'':
				inside = !inside
			case '"', '`':
				d.Inside(n, at, "value", fmt.Sprintf("%c has no place in a command; quote with '", r))
			}
			at++
		}
	}
}
