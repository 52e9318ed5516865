package rules

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/cond"
	"noroshi/internal/list"
	"noroshi/internal/strictyaml"
)

// Under is the set and the rule as a test of the rule has them: the lists of the test stand in the place of those of their names, for the
// rule and for all whose alerts it looks at. Where the test has no lists, nothing differs. It is called while nobody else compiles.
func (s *Set) Under(r *Rule, t *Test) (*Set, *Rule, error) {
	if len(t.Lists) == 0 {
		return s, r, nil
	}
	few := s.Looking(r)
	few.Lists = maps.Clone(s.Lists)
	if few.Lists == nil {
		few.Lists = list.Set{}
	}
	maps.Copy(few.Lists, t.Lists)
	l := few.again()
	few.Scope = l.set.Scope
	for i, one := range few.Rules {
		d, err := one.document()
		if err != nil {
			return nil, nil, err
		}
		m := l.anew(d, one)
		if m == nil {
			return nil, nil, fmt.Errorf("%s does not load any more", one.File)
		}
		if few.Rules[i] = m; one == r {
			r = m
		}
	}
	return few, r, nil
}

// again is a loader that compiles rules of the set once more.
func (s *Set) again() *loader {
	scope := *s.Scope
	scope.ListNames = listNames(s.Lists)
	l := newLoader(Options{Lists: s.Lists}, &Set{Scope: &scope, Lists: s.Lists})
	l.remedies = s.remedies
	return l
}

// anew compiles a rule of a document without tests, nil where it does not load; its tests, and what else is not of its file, are those
// of the rule that it was.
func (l *loader) anew(d *strictyaml.Doc, was *Rule) *Rule {
	d.Problems = nil
	m := l.rule(d, nil, was.Shipped)
	if d.Errors() > 0 || m.Kind == nil {
		return nil
	}
	m.Tests, m.Names, m.Named, m.State, m.Revision = was.Tests, was.Names, was.Named, was.State, was.Revision
	m.at, m.base = was.at, was.base
	return m
}

// document is what stands in the file of a rule, or what it was changed into, without the tests.
func (r *Rule) document() (*strictyaml.Doc, error) {
	d, err := r.parsed()
	if err == nil && r.changed != nil {
		d.Root = r.changed
	}
	return d, err
}

// parsed is what stands in the file of a rule, without the tests.
func (r *Rule) parsed() (*strictyaml.Doc, error) {
	data, err := fs.ReadFile(r.at.in, path.Join(r.at.folder, r.base))
	if err != nil {
		return nil, err
	}
	d := strictyaml.Parse(r.File, data)
	d.Others = otherKeys
	if d.Root == nil {
		return nil, fmt.Errorf("%s cannot be read any more", r.File)
	}
	d.Root.Content = without(d.Root, "tests")
	return d, nil
}

// cloned is a copy of a node with all below it.
func cloned(n *yaml.Node) *yaml.Node {
	c := *n
	c.Content = nil
	for _, below := range n.Content {
		c.Content = append(c.Content, cloned(below))
	}
	return &c
}

// listsOfTests tells of lists in tests that the rule looks nothing up in, and of entries there that it cannot match.
func (l *loader) listsOfTests(d *strictyaml.Doc, r *Rule, uses []cond.ListUse) {
	for i := range r.Tests {
		t := &r.Tests[i]
		if t.listed == nil || r.Kind == nil { // of a broken rule it is not known what it looks up
			continue
		}
		for j := 0; j+1 < len(t.listed.Content); j += 2 {
			key := t.listed.Content[j]
			of := slices.DeleteFunc(slices.Clone(uses), func(u cond.ListUse) bool { return u.Name != key.Value })
			switch {
			case t.Lists[key.Value] == nil || key.Value == list.Accepted || key.Value == list.Directory: // conditions need not name these
			case len(of) > 0:
				for _, p := range l.useless(key.Value, t.Lists[key.Value], of) {
					p.Source = d.Line(p.Line)
					d.Problems = append(d.Problems, p)
				}
			case len(r.Names) == 0:
				var names []string
				for _, u := range uses {
					names = append(names, u.Name)
				}
				d.At(key, "list", "the rule looks nothing up in lists."+key.Value).Suggestion = closest(key.Value, names)
			case !slices.Contains(l.set.Scope.ListNames, key.Value):
				d.At(key, "list", "no list "+key.Value+" in the configuration").Suggestion = closest(key.Value, l.set.Scope.ListNames)
			}
		}
		t.listed = nil
	}
}
