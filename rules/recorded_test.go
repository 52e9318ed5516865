package rules

import (
	"regexp"
	"strings"
	"testing"

	"noroshi/internal/cond"
	"noroshi/rules/sample"
)

var answers = regexp.MustCompile(` here| written (param|change)|is read into|is event.outcome|is a list or an object`)

// TestNamesOfRecordsAreAnswered: whatever a record has, an author who writes its name is told what a condition writes for it.
func TestNamesOfRecordsAreAnswered(t *testing.T) {
	names := map[string]bool{}
	var gather func(n *sample.Node, path string)
	gather = func(n *sample.Node, path string) {
		for _, m := range n.Members {
			if !plainName(m.Name) {
				continue
			}
			if names[m.Name] = true; path != "" {
				names[path+"."+m.Name] = true
			}
			if m.Value.Kind == sample.Object {
				gather(m.Value, strings.TrimPrefix(path+"."+m.Name, "."))
			}
			for _, e := range m.Value.Items {
				for _, of := range e.Members {
					if (of.Name == "Name" || of.Name == "key") && cond.EntryOf(m.Name, "x") != "" && plainName(of.Value.Text) {
						names[of.Value.Text] = true
					}
				}
			}
		}
	}
	for _, name := range sample.Shipped() {
		data, err := sample.Ours(name)
		if err != nil {
			t.Fatal(err)
		}
		n, err := sample.Parse(data)
		if err != nil {
			t.Fatal(err)
		}
		gather(n, "")
	}
	if len(names) < 500 {
		t.Fatalf("%d names", len(names))
	}
	s, _ := Load(Options{})
	for name := range names {
		if _, ms := cond.Compile("has("+name+")", s.Scope); len(ms) == 0 {
			continue // a field of ours
		}
		_, ms := cond.Compile(name+` == "x"`, s.Scope)
		if len(ms) == 0 {
			continue
		}
		m := ms[0]
		if m.Suggestion == "" && (!answers.MatchString(m.Message) || strings.Contains(m.Message, "the whole path")) {
			t.Errorf("%s: %+v", name, m)
		}
		if _, ms := cond.Compile("has("+m.Suggestion+")", s.Scope); m.Suggestion != "" && len(ms) > 0 {
			t.Errorf("%s: the suggestion %s: %+v", name, m.Suggestion, ms)
		}
	}
}

func plainName(name string) bool {
	return name != "" && strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") == "" && (name[0] < '0' || name[0] > '9')
}
