package rules

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/cond"
	"noroshi/internal/strictyaml"
)

// Mutant is a rule in which one thing is changed. A test of the rule should notice.
type Mutant struct {
	Rule   *Rule // its tests are those of the rule as it stands in the file
	Line   int   // of what is changed
	Column int
	Change string // what, such as: when without inbox_rule.deletes
}

// Mutants are the changes of a rule: in its conditions each comparison turned round, and each part, entry and ! taken out; each
// exception, each raise and each entry of by, of, value and ignore taken out; each count and least by one more and one less.
// A change that the rule does not load with is left out. It is called while nobody else compiles.
func (s *Set) Mutants(r *Rule) (all []Mutant, err error) {
	d, err := r.parsed()
	if err != nil {
		return nil, err
	}
	c := &changing{doc: d}
	c.walk("", d.Root)
	listed := slices.ContainsFunc(r.Tests, func(t Test) bool { return len(t.Lists) > 0 })
	l := s.again()
	for _, x := range c.all {
		was := *x.node
		*x.node = x.with
		if m := l.anew(d, r); m != nil {
			if listed {
				m.changed = cloned(d.Root)
			}
			all = append(all, Mutant{m, x.line, x.column, x.change})
		}
		*x.node = was
	}
	return all, nil
}

// Instead is the set with a rule in place of that of the same id.
func (s *Set) Instead(r *Rule) *Set {
	other := *s
	other.Rules = slices.Clone(s.Rules)
	for i := range other.Rules {
		if other.Rules[i].ID == r.ID {
			other.Rules[i] = r
		}
	}
	return &other
}

// without is what a mapping holds beside a key.
func without(n *yaml.Node, key string) (rest []*yaml.Node) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value != key {
			rest = append(rest, n.Content[i:i+2]...)
		}
	}
	return rest
}

// change is a node and what it becomes.
type change struct {
	node         *yaml.Node
	with         yaml.Node
	line, column int
	change       string
}

// changing finds what can be changed in a rule.
type changing struct {
	doc *strictyaml.Doc
	all []change
}

// walk finds the changes of a node. The path is the keys that lead to it.
func (c *changing) walk(path string, n *yaml.Node) {
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i].Value
			c.member(strings.TrimPrefix(path+"."+key, "."), key, n.Content[i+1])
		}
	case yaml.SequenceNode:
		for i, e := range n.Content {
			c.walk(fmt.Sprintf("%s[%d]", path, i), e)
		}
	}
}

func (c *changing) member(path, key string, n *yaml.Node) {
	switch key {
	case "when", "among", "only":
		if n.Kind == yaml.ScalarNode {
			c.condition(path, n)
			return
		}
	case "count", "least", "changing":
		c.number(path, n)
		return
	case "unless", "raise":
		c.entries(path, n, 1)
	case "by", "of", "value", "ignore":
		c.entries(path, n, 2)
	case "guide", "attack", "respond", "facts", "show", "references", "false_positives":
		return // no alert comes or goes with them
	}
	c.walk(path, n)
}

// condition adds the changes of a condition.
func (c *changing) condition(path string, n *yaml.Node) {
	all, err := cond.Mutants(n.Value)
	if err != nil {
		return // the rule does not load as it is
	}
	for _, m := range all {
		with := *n
		with.Value = m.Source
		line, column := c.doc.Place(n, m.At)
		c.all = append(c.all, change{n, with, line, column, path + " " + m.Change})
	}
}

// number adds a number by one more and one less.
func (c *changing) number(path string, n *yaml.Node) {
	is, err := strconv.Atoi(n.Value)
	if n.Kind != yaml.ScalarNode || err != nil {
		return
	}
	for _, other := range []int{is - 1, is + 1} {
		with := *n
		with.Value = strconv.Itoa(other)
		c.all = append(c.all, change{n, with, n.Line, n.Column, fmt.Sprintf("%s: %d in place of %d", path, other, is)})
	}
}

// entries takes each entry out of a list that has at least so many.
func (c *changing) entries(path string, n *yaml.Node, least int) {
	if n.Kind != yaml.SequenceNode || len(n.Content) < least {
		return
	}
	for i, e := range n.Content {
		with := *n
		with.Content = slices.Delete(slices.Clone(n.Content), i, i+1)
		named := fmt.Sprintf("without %s[%d]", path, i)
		if e.Kind == yaml.ScalarNode {
			named = path + " without " + e.Value
		}
		c.all = append(c.all, change{n, with, e.Line, e.Column, named})
	}
}
