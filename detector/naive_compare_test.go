package detector_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"noroshi/internal/alert"
	"noroshi/internal/diag"
	"noroshi/internal/list"
	"noroshi/internal/strictyaml"
	"noroshi/rules"
)

// tell is what an alert of the engine says, in the words of finding.String.
func tell(r *rule, a *alert.Alert) string {
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	var key []string
	for _, name := range r.fields() {
		key = append(key, a.Group[name])
	}
	say("rule %s %s tenant %q key %q account %q", a.Rule.ID, a.State, a.Tenant, key, a.Account)
	say("time %s actor %q", a.Time.UTC().Format(clock), a.Actor.Name)
	if a.Partial {
		say("partial")
	}
	say("severity %s summary %q", a.Severity, a.Summary)
	say("target %q address %q", a.Target, a.Source.IP)
	say("window %s to %s count %d", a.Window.First.UTC().Format(clock), a.Window.Last.UTC().Format(clock), a.Window.Count)
	switch {
	case r.distinct != "":
		say("distinct %d", a.Window.Distinct)
	case r.sum != "":
		say("sum %v", a.Window.Sum)
	}
	for _, e := range a.Evidence {
		say("  %s %q %q %s", e.Time.UTC().Format(clock), e.ID, e.Action, e.Step)
	}
	say("accounts %q", distinct(a.Indicators.Accounts))
	if r.kind == "correlation" || len(a.Linked) > 0 {
		linked := slices.Clone(a.Linked)
		slices.Sort(linked)
		say("linked %q", linked)
	}
	return b.String()
}

// differ compares what the engine gave, each id in its last revision, with what must be found. It is "" where all agree.
// Of rules that look at alerts more may stand: what they told of alerts that have moved since, and of what stands itself.
func differ(c theCase, got map[string]*alert.Alert, moved map[string]bool) string {
	_, difference := compared(c, got, moved)
	return difference
}

// compared is the world in which findings are called as the engine calls them, as far as it is known which is which, and the difference.
func compared(c theCase, got map[string]*alert.Alert, moved map[string]bool) (w *world, difference string) {
	stands := func(id string) bool {
		a := got[id]
		return slices.ContainsFunc(a.Linked, func(id string) bool { return moved[id] })
	}
	w = newWorld(c.events)
	ids := map[*finding]string{}
	w.names = func(f *finding) string { return ids[f] }
	var all strings.Builder
	alike := false // two alerts say the same, so it is not known which is which
	for _, r := range c.rules {
		if alike && r.depth(c.rules) > 0 {
			break
		}
		told := map[string][]string{} // ids by what is said
		for id, a := range got {
			if a.Rule.ID == r.id {
				said := tell(r, a)
				told[said] = append(told[said], id)
			}
		}
		for _, f := range w.evaluate(r, c.rules) {
			said := f.String()
			if len(told[said]) == 0 {
				fmt.Fprintf(&all, "MISSING\n%s", said)
				continue
			}
			alike = alike || len(told[said]) > 1
			slices.Sort(told[said])
			ids[f], told[said] = told[said][0], told[said][1:]
		}
		for _, said := range slices.Sorted(maps.Keys(told)) {
			for _, id := range told[said] {
				if stands(id) {
					moved[id] = true // what looks at it stands, too
					continue
				}
				fmt.Fprintf(&all, "TOO MUCH\n%s", said)
			}
		}
		if all.Len() > 0 { // rules that look at these alerts would only differ in consequence
			break
		}
	}
	return w, all.String()
}

// networks are lists of one address each, as travel ignores them.
var networks = sync.OnceValue(func() list.Set {
	var b strings.Builder
	for i := range 10 {
		fmt.Fprintf(&b, "net%d: [203.0.113.%d]\n", i, i)
	}
	d := strictyaml.Parse("lists.yaml", []byte(b.String()))
	lists, ps := list.Read(d, d.Root, "")
	ps = append(ps, d.Problems...)
	if diag.Errors(ps) > 0 {
		panic(ps[0].Format())
	}
	return lists
})

// loadRules loads the rules of a case.
func loadRules(c theCase) (*rules.Set, error) {
	dir, err := os.MkdirTemp("", "oracle-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	for _, r := range c.rules {
		if err := os.WriteFile(filepath.Join(dir, r.id+".yaml"), []byte(r.yaml()), 0o600); err != nil {
			return nil, err
		}
	}
	rs, ps := rules.Load(rules.Options{Paths: []string{dir}, Lists: networks()})
	if diag.Errors(ps) > 0 {
		return nil, fmt.Errorf("%s", ps[0].Format())
	}
	return rs, nil
}

// simpler are changes that make a rule simpler.
var simpler = []func(*rule){
	func(r *rule) { r.unless = nil }, func(r *rule) { r.about = false }, func(r *rule) { r.repeat = 0 },
	func(r *rule) { r.by = nil }, func(r *rule) { r.shows = false }, func(r *rule) { r.raise = nil },
}

// shrunk is a smaller case that still differs.
func shrunk(c theCase, differs func(theCase) bool) theCase {
	try := func(smaller theCase) bool {
		if !differs(smaller) {
			return false
		}
		c = smaller
		return true
	}
	for again := true; again; {
		again = false
		for i := len(c.events) - 1; i >= 0; i-- {
			again = try(theCase{c.rules, slices.Delete(slices.Clone(c.events), i, i+1)}) || again
		}
		for i := len(c.rules) - 1; i >= 0; i-- {
			again = len(c.rules) > 1 && try(theCase{slices.Delete(slices.Clone(c.rules), i, i+1), c.events}) || again
		}
		for i, r := range c.rules {
			for _, change := range simpler {
				changed := *r
				change(&changed)
				if changed.yaml() != r.yaml() {
					with := slices.Clone(c.rules)
					with[i] = &changed
					again = try(theCase{with, c.events}) || again
				}
			}
		}
	}
	return c
}
