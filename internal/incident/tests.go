package incident

import (
	"fmt"
	"slices"
	"time"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/alert"
)

func (r *reader) tests(n *yaml.Node) {
	names := map[string]bool{}
	for _, one := range r.d.Items(n) {
		t := Test{Line: one.Line}
		r.d.Fields(one, map[string]func(*yaml.Node){
			"name":   func(n *yaml.Node) { t.Name = r.d.Text(n) },
			"alerts": func(n *yaml.Node) { t.Alerts = r.given(n) },
			"until":  func(n *yaml.Node) { t.Until = r.d.Duration(n) },
			"want":   func(n *yaml.Node) { t.Want = r.want(n) },
		})
		switch {
		case one.Kind != yaml.MappingNode:
			continue
		case t.Name == "" || len(t.Alerts) == 0 || t.Want == (Want{}):
			r.d.At(one, "missing", "a test needs name, alerts and want")
		case names[t.Name]:
			r.d.At(one, "value", "another test above has the same name")
		}
		names[t.Name] = true
		r.s.Tests = append(r.s.Tests, t)
	}
}

func (r *reader) given(n *yaml.Node) (all []Given) {
	for _, one := range r.d.Items(n) {
		g := Given{}
		at := false
		r.d.Fields(one, map[string]func(*yaml.Node){
			"rule":    func(n *yaml.Node) { g.Rule = r.id(n) },
			"closes":  func(n *yaml.Node) { g.Closes = r.d.OneOf(n, "value", Password, Sessions, SignIn, Unblocked) },
			"at":      func(n *yaml.Node) { g.At, at = r.d.Duration(n), true },
			"session": func(n *yaml.Node) { g.Session = r.d.Text(n) },
			"actor":   func(n *yaml.Node) { g.Actor = r.d.OneOf(n, "value", "user", "guest", "app", "service") },
			"managed": func(n *yaml.Node) { g.Managed = r.d.Bool(n) },
			"another": func(n *yaml.Node) { g.Another = r.d.Bool(n) },
		})
		if one.Kind == yaml.MappingNode && (!at || (g.Rule == "") == (g.Closes == "")) {
			r.d.At(one, "missing", "an alert of a test needs at, and either rule or closes")
		}
		all = append(all, g)
	}
	return all
}

func (r *reader) want(n *yaml.Node) (w Want) {
	number := func(to **int, most int) func(*yaml.Node) {
		return func(n *yaml.Node) { v := r.d.Int(n, 0, most); *to = &v }
	}
	word := func(n *yaml.Node, all ...string) string {
		if n.Kind == yaml.ScalarNode && n.Value == "" {
			return ""
		}
		return r.d.OneOf(n, "value", all...)
	}
	r.d.Fields(n, map[string]func(*yaml.Node){
		"level": func(n *yaml.Node) {
			l := Level(word(n, string(Suspicious), string(Likely), string(Confirmed)))
			w.Level = &l
		},
		"score":  number(&w.Score, 1000),
		"number": number(&w.Number, 1000),
		"confirmed_by": func(n *yaml.Node) {
			var ids []string
			for _, c := range r.s.Combinations {
				ids = append(ids, c.ID)
			}
			id := word(n, ids...)
			w.ConfirmedBy = &id
		},
		"status": func(n *yaml.Node) {
			s := Status(r.d.OneOf(n, "value", string(Open), string(Contained), string(Closed)))
			w.Status = &s
		},
	})
	return w
}

// RuleOf gives what an alert says of a rule, and false where there is no such rule.
type RuleOf func(id string) (alert.Rule, bool)

// testBegan is when the first alert of a test may come.
var testBegan = time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)

// Run runs a test, and gives how the last incident differs from what is wanted; nothing where it does not.
func (s *Scoring) Run(t *Test, of RuleOf) (wrong []string) {
	b := NewBook(Options{Scoring: s})
	now := testBegan.Add(t.Until)
	for n, g := range t.Alerts {
		at := testBegan.Add(g.At)
		if at.After(now) {
			now = at
		}
		if g.Closes != "" {
			b.Activity(&Activity{Schema: ActivitySchema, Tenant: "t", Account: "a", Closes: g.Closes,
				Entry: Entry{Time: at, Kind: Closing, Text: g.Closes, EventID: fmt.Sprint("e", n), Session: g.Session}})
			continue
		}
		a := &alert.Alert{ID: fmt.Sprintf("alrt_%06d", n), Revision: 1, Status: alert.Firing, Tenant: "t", Account: "a", Time: at}
		a.Rule, _ = of(g.Rule)
		a.Actor.Kind = g.Actor
		if g.Session != "" {
			a.Sessions = []string{g.Session}
		}
		if g.Managed {
			a.Evidence = []alert.Evidence{{Facts: []byte(`{"device.managed":true}`)}}
		}
		if g.Another {
			a.Evidence = append(a.Evidence, alert.Evidence{Facts: []byte(`{"device.managed":false}`)})
		}
		b.Alert(a)
	}
	b.Advance(now)
	var got Incident
	for _, s := range b.stories {
		if all := b.fold(s, b.now); len(all) > 0 {
			got = *slices.MaxFunc(all, func(x, y *Incident) int { return x.Number - y.Number })
		}
	}
	return t.Want.differs(&got)
}

func (w *Want) differs(i *Incident) (wrong []string) {
	tell := func(what string, differs bool, got, want any) {
		if differs {
			wrong = append(wrong, fmt.Sprintf("%s: got %v, expected %v", what, shown(got), shown(want)))
		}
	}
	if w.Level != nil {
		tell("level", i.Level != *w.Level, i.Level, *w.Level)
	}
	if w.Score != nil {
		tell("score", i.Score != *w.Score, i.Score, *w.Score)
	}
	if w.ConfirmedBy != nil {
		tell("confirmed_by", i.ConfirmedBy != *w.ConfirmedBy, i.ConfirmedBy, *w.ConfirmedBy)
	}
	if w.Status != nil {
		tell("status", i.Status != *w.Status, i.Status, *w.Status)
	}
	if w.Number != nil {
		tell("number", i.Number != *w.Number, i.Number, *w.Number)
	}
	return wrong
}

func shown(v any) any {
	if fmt.Sprint(v) == "" {
		return "none"
	}
	return v
}
