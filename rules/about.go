package rules

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/cond"
	"noroshi/internal/diag"
	"noroshi/internal/event"
	"noroshi/internal/strictyaml"
)

// About is what a rule tells the people who read it and act on it.
type About struct {
	Description    string   // more than the title says; may have several lines
	References     []string // addresses of pages about it
	FalsePositives []string // what else looks like it
	Runbook        string   // the address of the page that says what to do
}

// The bounds of what a rule tells.
const (
	maxDescription = 4000 // characters
	maxReferences  = 50
	maxFacts       = 50
)

// about are the keys of what a rule tells.
func (l *loader) about(d *strictyaml.Doc, r *Rule) map[string]func(*yaml.Node) {
	return map[string]func(*yaml.Node){
		"description":     func(n *yaml.Node) { r.Description = prose(d, n) },
		"references":      func(n *yaml.Node) { r.References = each(d, n, address) },
		"false_positives": func(n *yaml.Node) { r.FalsePositives = each(d, n, prose) },
		"runbook":         func(n *yaml.Node) { r.Runbook = address(d, n) },
		"facts":           func(n *yaml.Node) { l.facts(d, n, r) },
	}
}

// prose is a text of one or several lines.
func prose(d *strictyaml.Doc, n *yaml.Node) string {
	text := strings.TrimSpace(d.Text(n))
	cutText(d, n)
	if len([]rune(text)) > maxDescription {
		d.At(n, "value", fmt.Sprintf("expected at most %d characters", maxDescription))
	}
	return text
}

// address is the address of a web page.
func address(d *strictyaml.Doc, n *yaml.Node) string {
	text := d.Text(n)
	if text == "" {
		return ""
	}
	u, err := url.Parse(text)
	if err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && !strings.ContainsAny(text, " \t\n") {
		return text
	}
	p := d.At(n, "value", fmt.Sprintf("%q is no address of a page; expected one such as https://wiki.example.com/runbooks/forwarding", text))
	if err == nil && u.Scheme == "" && strings.Contains(text, ".") && !strings.ContainsAny(text, " \t\n") && !strings.HasPrefix(text, "/") {
		p.Suggestion = "https://" + text
	}
	return ""
}

// each reads the entries of a list, each once.
func each(d *strictyaml.Doc, n *yaml.Node, read func(*strictyaml.Doc, *yaml.Node) string) (all []string) {
	entries := d.Items(n)
	if len(entries) > maxReferences {
		d.At(entries[maxReferences], "value", fmt.Sprintf("expected at most %d entries", maxReferences))
		entries = entries[:maxReferences]
	}
	for _, c := range entries {
		text := read(d, c)
		if text != "" && slices.Contains(all, text) {
			d.At(c, "value", fmt.Sprintf("%q stands here twice", text))
		}
		all = append(all, text)
	}
	return all
}

// facts reads the fields that an alert shows beside those that the conditions name.
func (l *loader) facts(d *strictyaml.Doc, n *yaml.Node, r *Rule) {
	for i, c := range d.Items(n) {
		slot, ok := l.field(d, c)
		switch {
		case !ok:
		case i == maxFacts:
			d.At(c, "value", fmt.Sprintf("expected at most %d fields", maxFacts))
			return
		case slices.Contains(r.Facts, slot):
			d.At(c, "value", c.Value+" stands here twice")
		default:
			r.Facts = append(r.Facts, slot)
		}
	}
}

// field reads the name of a field, spelt as in conditions.
func (l *loader) field(d *strictyaml.Doc, n *yaml.Node) (event.Slot, bool) {
	text := d.Text(n)
	if strings.TrimSpace(text) == "" {
		return 0, false
	}
	slot, ms := cond.Field(text, l.set.Scope)
	l.mistakes(d, n, ms)
	return slot, len(ms) == 0
}

// endless tells of an exception without an end: whoever excuses something for ever hides it for ever. It is an error for check
// alone, so that a running rule set stays as it is.
func (l *loader) endless(d *strictyaml.Doc, exception *yaml.Node) {
	for i := 0; i+1 < len(exception.Content); i += 2 {
		if exception.Content[i].Value == "until" {
			return
		}
	}
	p := d.At(exception, "missing", "an exception needs the key until, its last day, such as 2027-03-31")
	if !l.options.Strict {
		p.Level = diag.Warning
	}
}
