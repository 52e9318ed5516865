package rules

import (
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/cond"
	"noroshi/internal/diag"
	"noroshi/internal/incident"
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
	r := Remedy{ID: id, Phase: incident.BySign, At: n.Line}
	template := func(to **cond.Template) func(*yaml.Node) {
		return func(n *yaml.Node) { *to = l.template(d, n, l.set.Scope) }
	}
	d.Fields(n, map[string]func(*yaml.Node){
		"guide": func(n *yaml.Node) { r.Guide = oneOfEach(d, n, "guide", GuideItems) },
		"phase": func(n *yaml.Node) { r.Phase = d.OneOf(n, "value", incident.Phases...) },
		"for":   func(n *yaml.Node) { r.For = oneOfEach(d, n, "value", calling) },
		"shown": func(n *yaml.Node) { r.Shown = d.OneOf(n, "value", shown...) },
		"connect": func(n *yaml.Node) {
			r.Connect = fixed(d, n, connects, "a command that connects, such as Connect-ExchangeOnline")
		},
		"link":   func(n *yaml.Node) { r.Link = fixed(d, n, links, "an address that begins with https://") },
		"tenant": func(n *yaml.Node) { r.Tenant = d.Bool(n) },
		"text":   template(&r.Text),
		"ja":     template(&r.Local),
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

// What steps are for, and what shows that they are done.
var (
	calling = []string{incident.Always, incident.InboxRule, incident.Forwarding, incident.Delegate, incident.Role, incident.Method, incident.Consent,
		incident.Application, incident.Device, incident.AuditSwitch, incident.TenantForwarding, incident.MailboxAudit}
	shown = []string{incident.Password, incident.Sessions, incident.SignIn, incident.Unblocked}
)

// How the texts of steps that nothing is filled into are written: no page and no terminal reads more into them.
var (
	connects = regexp.MustCompile(`^Connect-[A-Za-z]+( -[A-Za-z]+ [A-Za-z.,-]+)*(; Connect-[A-Za-z]+)*$`)
	links    = regexp.MustCompile(`^https://[a-z0-9.-]+/[A-Za-z0-9/#_~.-]*$`)
)

// fixed is a text that nothing is filled into.
func fixed(d *strictyaml.Doc, n *yaml.Node, as *regexp.Regexp, what string) string {
	text := d.Text(n)
	if text != "" && !as.MatchString(text) {
		d.At(n, "value", "expected "+what)
	}
	return text
}

// Remediation are the steps of the shipped library, in the order in which they are written, and what they are filled in from.
func Remediation() ([]incident.Remedy, *cond.Scope, []diag.Problem) {
	set, _ := Load(Options{})
	l := newLoader(Options{}, set)
	steps := slices.Collect(maps.Values(l.remediation()))
	slices.SortFunc(steps, func(a, b incident.Remedy) int { return a.At - b.At })
	return steps, set.Scope, l.problems
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
