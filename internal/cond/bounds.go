package cond

import (
	"fmt"
	"math"
	"slices"

	"github.com/expr-lang/expr/ast"

	"noroshi/internal/event"
)

// written reports whether a part is a constant, or a list of constants.
func written(n ast.Node) bool {
	if a, ok := n.(*ast.ArrayNode); ok {
		return len(a.Nodes) > 0 && !slices.ContainsFunc(a.Nodes, func(x ast.Node) bool { return !written(x) })
	}
	_, ok := amount(n)
	return ok || constant(n)
}

// amount is a number that is written out.
func amount(n ast.Node) (float64, bool) {
	switch v := n.(type) {
	case *ast.IntegerNode:
		return float64(v.Value), true
	case *ast.FloatNode:
		return v.Value, true
	case *ast.UnaryNode:
		x, ok := amount(v.Node)
		if v.Operator == "-" {
			x = -x
		}
		return x, ok && (v.Operator == "-" || v.Operator == "+")
	}
	return 0, false
}

// mirrored are the operators of comparisons with the sides exchanged.
var mirrored = map[string]string{"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}

// maxPort is the greatest port.
const maxPort = 65535

// ordered looks at a comparison of a number with a constant: no number of an event is below 0, and ports have a greatest one.
func (c *literals) ordered(v *ast.BinaryNode) {
	n, operator := v.Left, v.Operator
	x, ok := amount(v.Right)
	if !ok {
		n, operator = v.Right, mirrored[v.Operator]
		if x, ok = amount(v.Left); !ok {
			return
		}
	}
	who, most := c.quantity(n)
	if who == "" {
		return
	}
	verdict := ""
	switch never, always := settled(operator, x, most); {
	case never:
		verdict = "never holds"
	case always:
		verdict = "always holds"
	default:
		return
	}
	bound := "0 or more"
	if !math.IsInf(most, 1) {
		bound = fmt.Sprintf("0 to %.0f", most)
	}
	c.refuse(v.Left, "value", "this %s: %s is %s", verdict, who, bound).Warning = true
}

// settled tells whether a comparison with x has one answer for all numbers from 0 to most.
func settled(operator string, x, most float64) (never, always bool) {
	outside := x < 0 || x > most
	switch operator {
	case "<":
		return x <= 0, x > most
	case "<=":
		return x < 0, x >= most
	case ">":
		return x >= most, x < 0
	case ">=":
		return x > most, x <= 0
	case "!=":
		return false, outside
	}
	return outside, false
}

// quantity is how a message calls a part that is a number from 0 on, and the greatest that it can be; "" for other parts.
func (c *literals) quantity(n ast.Node) (who string, most float64) {
	switch v := n.(type) {
	case *ast.BuiltinNode:
		if builtins[v.Name].gives == aWhole {
			return name(v), math.Inf(1)
		}
	case *ast.IdentifierNode:
		l := c.scope.Layout
		slot, ok := l.Find(v.Value)
		if !ok || l.Def(slot).Type != event.Number || !l.Def(slot).Plain() {
			break
		}
		if v.Value == "source.port" {
			return v.Value, maxPort
		}
		return v.Value, math.Inf(1)
	}
	return "", 0
}

// agree looks at a conjunction whose parts ask one field for different texts.
func (c *literals) agree(v *ast.BinaryNode) {
	asked := map[string][]string{}
	for _, n := range conjuncts(v) {
		who, texts := among(n)
		if who == "" {
			continue
		}
		before, again := asked[who]
		if again {
			texts = slices.DeleteFunc(texts, func(t string) bool { return !slices.Contains(before, t) })
		}
		if asked[who] = texts; again && len(texts) == 0 && len(before) > 0 {
			if at := n.(*ast.BinaryNode).Left.Location().From; !slices.ContainsFunc(c.mistakes, func(m Mistake) bool { return m.At == at }) {
				c.refuse(n.(*ast.BinaryNode).Left, "value", "%s cannot be this and what stands before it; join them by ||", c.called(who)).Warning = true
			}
			return
		}
	}
}

// among are the constants of which a part demands that a field is one.
func among(n ast.Node) (who string, texts []string) {
	v, ok := n.(*ast.BinaryNode)
	if !ok {
		return "", nil
	}
	field, ok := v.Left.(*ast.IdentifierNode)
	if !ok {
		return "", nil
	}
	switch list, isList := v.Right.(*ast.ArrayNode); {
	case v.Operator == "==":
		if t, ok := v.Right.(*ast.StringNode); ok {
			return field.Value, []string{t.Value}
		}
	case v.Operator == "in" && isList && written(list):
		for _, x := range list.Nodes {
			if t, ok := x.(*ast.StringNode); ok {
				texts = append(texts, t.Value)
			}
		}
		return field.Value, texts
	}
	return "", nil
}

// called is how a message calls a field.
func (c *literals) called(flat string) string {
	l := c.scope.Layout
	slot, ok := l.Find(flat)
	if !ok {
		return flat
	}
	root := l.Def(l.Root(slot)).Name
	if l.Def(slot).Plain() {
		return root
	}
	return "lower(" + root + ")"
}
