package rules

import (
	"slices"
	"strings"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/strictyaml"
)

// Excused is an exception of the configuration that has tests of its own. What they want are the alerts of the rules that it names.
type Excused struct {
	Rules []string // as the exception names them: ids, class:access, guide:S3, all
	File  string
	Line  int
	Tests []Test

	exception Exception
}

// Name is what reports call the exception.
func (x *Excused) Name() string { return "exception of " + strings.Join(x.Rules, ", ") }

// Means reports whether the exception is for a rule.
func (x *Excused) Means(r *Rule) bool { return slices.ContainsFunc(x.Rules, r.isMeant) }

// Excusing is the set of the rules that an exception is for, with those whose alerts they look at.
func (s *Set) Excusing(x *Excused) *Set {
	few := *s
	taken := map[*Rule]bool{}
	for _, r := range s.Rules {
		if x.Means(r) {
			for _, one := range s.Looking(r).Rules {
				taken[one] = true
			}
		}
	}
	few.Rules = slices.DeleteFunc(slices.Clone(s.Rules), func(r *Rule) bool { return !taken[r] })
	return &few
}

// Without is the set as it would be without an exception.
func (s *Set) Without(x *Excused) *Set {
	other := *s
	other.Rules = nil
	for _, r := range s.Rules {
		if slices.ContainsFunc(r.Unless, x.is) {
			r = r.clone()
			r.Unless = slices.DeleteFunc(slices.Clone(r.Unless), x.is)
		}
		other.Rules = append(other.Rules, r)
	}
	return &other
}

func (x *Excused) is(e Exception) bool { return e.Outside && e.When == x.exception.When }

func (r *Rule) clone() *Rule {
	c := *r
	return &c
}

// testsOfException reads the tests of an exception of the configuration.
func (l *loader) testsOfException(d *strictyaml.Doc, n *yaml.Node) []Test {
	if d.Tracing() { // they are those of rules
		d.Expect(n, strictyaml.Form{Type: strictyaml.TypeMixed, As: "a list of tests, as in rules"})
		return nil
	}
	all := l.tests(d, n)
	if n.Kind == yaml.SequenceNode && len(n.Content) == 0 {
		d.At(n, "tests", "the exception has no test: write one, or leave out the key")
	}
	for _, t := range all {
		if t.listed != nil {
			d.At(t.listed, "list", "the lists of an exception's test are those of the configuration; leave out the key lists")
		}
	}
	return all
}
