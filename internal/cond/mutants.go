package cond

import (
	"fmt"
	"slices"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser"
)

// Mutant is a condition in which one thing is changed. A test of the condition should notice.
type Mutant struct {
	Source string
	At     int    // where, in characters from the beginning of the condition
	Change string // what, such as: without inbox_rule.deletes
}

// Mutants are the changes of a condition, in its order: each comparison turned round, each part of && and || and each entry of a
// list taken out, each ! taken away.
func Mutants(source string) (all []Mutant, err error) {
	for n := 0; ; n++ {
		tree, err := parser.ParseWithConfig(source, parseConfig())
		if err != nil {
			return nil, fmt.Errorf("parse condition: %w", err)
		}
		m := &mutating{wanted: n}
		ast.Walk(&tree.Node, m)
		if m.change == "" {
			return all, nil
		}
		all = append(all, Mutant{tree.Node.String(), m.at, m.change})
	}
}

// mutating makes one of the changes of a tree.
type mutating struct {
	wanted int // its number
	seen   int // changes met so far
	at     int
	change string // "" until it is made
}

// turned is what a comparison is turned into.
var turned = map[string]string{"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}

// Visit implements ast.Visitor.
func (m *mutating) Visit(n *ast.Node) {
	switch v := (*n).(type) {
	case *ast.BinaryNode:
		m.binary(n, v)
	case *ast.UnaryNode:
		if inner, ok := v.Node.(*ast.BinaryNode); (v.Operator == "!" || v.Operator == "not") && !(ok && negates(inner.Operator)) {
			m.try(v, "without ! before "+v.Node.String(), func() { *n = v.Node })
		}
	case *ast.ArrayNode:
		all := v.Nodes
		for i, entry := range all {
			if len(all) > 1 {
				m.try(leftmost(entry), "without the entry "+entry.String(), func() { v.Nodes = slices.Delete(slices.Clone(all), i, i+1) })
			}
		}
	}
}

func (m *mutating) binary(n *ast.Node, v *ast.BinaryNode) {
	left, right := v.Left, v.Right
	switch v.Operator {
	case "&&", "and", "||", "or":
		if b, ok := left.(*ast.BinaryNode); !ok || b.Operator != v.Operator { // the parts of a longer chain are taken out there
			m.try(leftmost(left), "without "+left.String(), func() { *n = right })
		}
		m.try(leftmost(right), "without "+right.String(), func() { *n = left })
	default:
		switch other, ok := turned[v.Operator]; {
		case ok:
			m.try(v, fmt.Sprintf("with %s in place of %s", other, v.Operator), func() { v.Operator = other })
		case negates(v.Operator):
			m.try(v, "with the opposite of "+v.String(), func() { *n = &ast.UnaryNode{Operator: "!", Node: v} })
		}
	}
}

// negates reports whether an operator has no opposite but by !.
func negates(operator string) bool {
	switch operator {
	case "in", "contains", "startsWith", "endsWith", "matches":
		return true
	}
	return false
}

func (m *mutating) try(at ast.Node, change string, make func()) {
	if m.seen == m.wanted && m.change == "" {
		make()
		m.at, m.change = at.Location().From, change
	}
	m.seen++
}

// leftmost is where a part begins; a comparison's own place is that of its operator.
func leftmost(n ast.Node) ast.Node {
	for {
		b, ok := n.(*ast.BinaryNode)
		if !ok {
			return first(n)
		}
		n = b.Left
	}
}
