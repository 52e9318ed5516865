package cond

import (
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser"

	"noroshi/internal/event"
)

// Field is the slot of a field, spelt as in conditions: account, raw.Some.Path, param["Name"]. It is false if and only if there
// are mistakes.
func Field(source string, s *Scope) (event.Slot, []Mistake) {
	if ms := bounds(source); len(ms) > 0 {
		return 0, ms
	}
	tree, err := parser.ParseWithConfig(source, parseConfig())
	if err != nil {
		return 0, []Mistake{unreadable(source, err)}
	}
	c := &checker{scope: s}
	c.allow(tree.Node, 0)
	if len(c.mistakes) > 0 {
		return 0, c.mistakes
	}
	flat, ok := chain(tree.Node)
	if !ok {
		return 0, []Mistake{{Code: "type", Message: "expected the name of a field", Suggestion: fieldIn(tree.Node, s)}}
	}
	if value := (&typing{checker: c, whole: tree.Node}).named(tree.Node); value == configured {
		return 0, []Mistake{{Code: "list", Message: flat + " is a list of the configuration; expected the name of a field"}}
	}
	if len(c.mistakes) > 0 {
		return 0, c.mistakes
	}
	slot, _ := s.Layout.Slot(flat)
	return slot, nil
}

// fieldIn is the only field that an expression such as lower(user.name) or "user.name" is about; "" for any other expression.
func fieldIn(n ast.Node, s *Scope) string {
	switch v := n.(type) {
	case *ast.StringNode:
		if _, ok := event.Lookup(v.Value); ok {
			return v.Value
		}
	case *ast.BuiltinNode:
		if len(v.Arguments) == 1 {
			return fieldIn(v.Arguments[0], s)
		}
	case *ast.CallNode:
		if len(v.Arguments) == 1 {
			return fieldIn(v.Arguments[0], s)
		}
	default:
		if flat, ok := chain(n); ok {
			if _, known := event.Lookup(flat); known {
				return flat
			}
		}
	}
	return ""
}
