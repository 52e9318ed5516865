// Package page says in a few lines what somebody who is woken needs to know of an alert.
package page

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"noroshi/internal/alert"
	"noroshi/sinks"
)

// The bounds of a page: two screens of a telephone.
const (
	maxTitle = 200 // characters
	maxText  = 500
	maxFacts = 8
	maxSteps = 2
)

// Page is what is told of an alert. All texts are short, one line each, and show no character that nobody sees.
type Page struct {
	Title    string // severity, what, who, how often and when: enough where nothing else is shown
	Subject  string // severity, what and who: the same for all revisions, by which mail programs find what belongs together
	Severity string
	Status   string
	Account  string
	Summary  string
	When     string
	Since    string
	Count    int
	From     string // where the actor came from
	Why      []Fact
	Steps    []Step
	More     int // steps that are not told here
	ID       string
	Rule     string
	Class    string
	Tenant   string
	Guide    []string
	Attack   []string
	Revision int
	Partial  bool   // it adds to what was told before, and does not take its place
	Link     string // to more, where a template makes one
}

// drill is what the titles of drills begin with.
const drill = "[DRILL] "

// Fact is one thing that the rule saw.
type Fact struct{ Name, Value string }

// Step is one thing to do.
type Step struct{ Text, Command string }

// Of reads an alert. A message that is none is refused.
func Of(m *sinks.Message) (*Page, error) {
	a := &alert.Alert{}
	if err := json.Unmarshal(m.Body, a); err != nil {
		return nil, &sinks.Refused{Cause: fmt.Errorf("read alert: %w", err)}
	}
	p := &Page{Severity: a.Severity, Status: string(a.Status), Account: line(a.Account), Summary: line(a.Summary), When: stamp(a.Window.Last), Since: stamp(a.Window.First), Count: a.Window.Count, From: from(a),
		ID: m.ID, Rule: a.Rule.ID, Class: a.Rule.Class, Tenant: line(a.Tenant), Guide: a.Rule.Guide, Attack: a.Rule.Attack, Revision: m.Revision, Partial: a.Partial}
	p.Title, p.Subject = alert.OneLine(title(a), maxTitle), alert.OneLine(subject(a, ""), maxTitle)
	p.Why = why(a)
	for i, r := range a.Respond {
		if i == maxSteps {
			p.More = len(a.Respond) - maxSteps
			break
		}
		p.Steps = append(p.Steps, Step{line(r.Text), command(r.Command)})
	}
	return p, nil
}

// line is a text as a page shows it. Line ends become blanks.
func line(s string) string { return alert.OneLine(strings.Join(strings.Fields(s), " "), maxText) }

// command is a command as a whole: a part of one would be another one.
func command(s string) string {
	if s != alert.OneLine(s, len(s)+1) || len(s) > 2*maxText {
		return ""
	}
	return s
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// title is severity, what, who, how often and when.
func title(a *alert.Alert) string {
	events := "1 event"
	if a.Window.Count != 1 {
		events = strconv.Itoa(a.Window.Count) + " events"
	}
	when := a.Window.Last.UTC().Format("15:04 UTC")
	if first := a.Window.First.UTC().Format("15:04"); !strings.HasPrefix(when, first) {
		when = first + "–" + when
	}
	state := ""
	switch {
	case a.Status == alert.Withdrawn:
		state = "withdrawn: "
	case a.Partial:
		state = "came late: "
	}
	return fmt.Sprintf("%s (%s, %s)", subject(a, state), events, when)
}

// subject is severity, what and who, with a state before what.
func subject(a *alert.Alert, state string) string {
	who := line(a.Account)
	switch {
	case who != "":
	case a.Rule.ID == sinks.SummaryRule:
		who = "several accounts"
	default:
		who = "nobody is named"
	}
	before := ""
	if alert.IsDrill(a.Tenant) {
		before = drill
	}
	return fmt.Sprintf("%s[%s] %s%s: %s", before, strings.ToUpper(a.Severity), state, alert.OneLine(line(a.Rule.Title), 80), alert.OneLine(who, 70))
}

// from is where the actor came from, as far as it is known.
func from(a *alert.Alert) string {
	var all []string
	if a.Source.IP != "" {
		all = append(all, a.Source.IP)
	}
	if a.Source.Country != "" {
		all = append(all, a.Source.Country)
	}
	if a.Source.ASN > 0 {
		all = append(all, "AS"+strconv.Itoa(a.Source.ASN))
	}
	return line(strings.Join(all, ", "))
}

// why are the facts of the last events, each name once.
func why(a *alert.Alert) (all []Fact) {
	seen := map[string]bool{}
	for i := len(a.Evidence) - 1; i >= 0; i-- {
		e := &a.Evidence[i]
		add := func(name, value string) {
			if value != "" && !seen[name] && len(all) < maxFacts {
				seen[name] = true
				all = append(all, Fact{alert.OneLine(name, 60), line(value)})
			}
		}
		add("action", e.Action)
		var facts map[string]any
		if json.Unmarshal(e.Facts, &facts) != nil {
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(facts)) {
			add(name, text(facts[name]))
		}
	}
	return all
}

// text is a value as a page shows it.
func text(v any) string {
	if s, is := v.(string); is {
		return s
	}
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(b)
}
