package alert

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// bounds are how many entries a list may have and how many bytes a text.
type bounds struct{ entries, text int }

// steps are tried in turn until an alert is no larger than MaxSize. The last always is enough.
var steps = []bounds{{MaxEvidence, 2048}, {MaxEvidence, 512}, {MaxEvidence, 256}, {16, 256}, {4, 128}, {2, 64}}

// Fit cuts an alert until it keeps to the bounds, and notes in Cut what it has cut. An alert's id, dedup key, count and totals
// are those of the whole.
func (a *Alert) Fit() {
	for _, b := range steps {
		a.limit(b)
		if a.most() <= MaxSize || len(a.AppendJSON(nil)) <= MaxSize {
			return
		}
	}
	a.Respond, a.Cut = nil, a.marked("respond") // the longest of what the rule's author wrote
}

// most is what the JSON form takes at most, where each byte of a text becomes \u0000.
func (a *Alert) most() int {
	n := 0
	for _, t := range a.texts() {
		n += len(*t)
	}
	for _, l := range a.lists() {
		for _, t := range *l.list {
			n += len(t)
		}
	}
	for k, v := range a.Group {
		n += len(k) + len(v)
	}
	for k, v := range a.Enrichment {
		n += len(k) + len(v)
	}
	for _, r := range a.Respond {
		n += len(r.ID) + len(r.Text) + len(r.Command)
	}
	facts := 0
	for i := range a.Evidence {
		facts += len(a.Evidence[i].Facts)
	}
	const frame = 200 // bytes of names around an entry or a text
	return 6*n + facts + frame*(40+len(a.Evidence)+len(a.Respond))
}

// limit cuts an alert to bounds.
func (a *Alert) limit(b bounds) {
	for _, t := range a.texts() {
		a.shorten(t, b.text, "texts")
	}
	for k, v := range a.Group {
		if len(v) > b.text {
			a.shorten(&v, b.text, "texts")
			a.Group[k] = v
		}
	}
	for _, l := range a.lists() {
		if len(*l.list) > b.entries {
			*l.list, a.Cut = (*l.list)[:b.entries], a.marked(l.name)
		}
		for i := range *l.list {
			a.shorten(&(*l.list)[i], b.text, l.name)
		}
	}
	if n := len(a.Evidence); n > b.entries {
		a.Evidence, a.Cut = slices.Delete(slices.Clone(a.Evidence), b.entries/2, n-b.entries/2), a.marked("evidence")
	}
	a.Respond = slices.Clone(a.Respond) // it is the finding's
	for i := range a.Respond {
		r := &a.Respond[i]
		a.shorten(&r.Text, b.text, "respond")
		if len(r.Command) > b.text { // a part of a command would be another one
			r.Command, a.Cut = "", a.marked("respond")
		}
	}
	for i := range a.Evidence {
		if e := &a.Evidence[i]; len(e.Facts) > MaxFacts {
			e.Facts, e.Cut, a.Cut = nil, true, a.marked("facts")
		} else if e.Cut {
			a.Cut = a.marked("facts")
		}
	}
}

// marked is Cut with one more name.
func (a *Alert) marked(name string) []string {
	if slices.Contains(a.Cut, name) {
		return a.Cut
	}
	return append(a.Cut, name)
}

// shorten cuts a text, and marks its end.
func (a *Alert) shorten(t *string, most int, name string) {
	if len(*t) <= most {
		return
	}
	const mark = "…"
	at := most - len(mark)
	for at > 0 && !utf8.RuneStart((*t)[at]) {
		at--
	}
	*t, a.Cut = strings.Clone((*t)[:at]+mark), a.marked(name)
}

// texts are the texts of an alert that others wrote, and long ones of the rule.
func (a *Alert) texts() []*string {
	all := []*string{&a.Tenant, &a.Account, &a.Actor.Name, &a.Actor.Kind, &a.Actor.ID, &a.Target, &a.Summary, &a.Source.IP, &a.Source.Country, &a.Rule.Title, &a.Traceparent}
	for i := range a.Evidence {
		e := &a.Evidence[i]
		all = append(all, &e.ID, &e.Action, &e.Dataset, &e.SourceIP, &e.Step)
	}
	return all
}

type named struct {
	name string
	list *[]string
}

func (a *Alert) lists() []named {
	return []named{{"destinations", &a.Indicators.Destinations}, {"apps", &a.Indicators.Apps}, {"networks", &a.Indicators.Networks}, {"accounts", &a.Indicators.Accounts}, {"sessions", &a.Sessions}, {"linked", &a.Linked}, {"modifiers", &a.Modifiers}}
}
