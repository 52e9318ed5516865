package cond

import (
	"slices"

	"github.com/expr-lang/expr/ast"
)

// settles warns of a condition that is a constant.
func (c *literals) settles(n ast.Node) {
	if b, ok := n.(*ast.BoolNode); ok {
		c.warn(n, "this holds for %s event", map[bool]string{true: "every", false: "no"}[b.Value])
	}
}

// warn tells of a part that has one answer for every event, unless something is told of it already.
func (c *literals) warn(n ast.Node, message string, args ...any) {
	at := first(n).Location().From
	if !slices.ContainsFunc(c.mistakes, func(m Mistake) bool { return m.At == at }) {
		c.refuse(n, "value", message, args...).Warning = true
	}
}

// decided looks at a constant beside && or ||.
func (c *literals) decided(v *ast.BinaryNode, always bool) {
	for _, n := range parted(v, v.Operator) {
		b, ok := n.(*ast.BoolNode)
		switch {
		case !ok:
		case b.Value != always:
			c.warn(n, "this changes nothing beside %s", v.Operator)
		case always:
			c.warn(n, "with this the whole holds for every event; nothing else is asked")
		default:
			c.warn(n, "with this the whole holds for no event; nothing else is asked")
		}
	}
}

// exclude looks at a disjunction whose parts leave nothing out: a field is not one text or not another.
func (c *literals) exclude(v *ast.BinaryNode) {
	type text struct{ who, value string }
	differs, equals := map[string]string{}, map[text]bool{}
	for _, n := range parted(v, v.Operator) {
		b, ok := n.(*ast.BinaryNode)
		if !ok {
			continue
		}
		field, isField := b.Left.(*ast.IdentifierNode)
		value, isText := b.Right.(*ast.StringNode)
		if !isField || !isText {
			continue
		}
		other, before := differs[field.Value]
		switch {
		case b.Operator == "==" && before && other == value.Value,
			b.Operator == "!=" && equals[text{field.Value, value.Value}]:
			c.warn(b.Left, "this holds for every event, together with what stands before it: %s is %q or it is not", c.called(field.Value), value.Value)
		case b.Operator == "==":
			equals[text{field.Value, value.Value}] = true
		case b.Operator == "!=" && before && other != value.Value:
			c.warn(b.Left, "this holds for every event, together with what stands before it: %s is never both texts; join them by &&", c.called(field.Value))
		case b.Operator == "!=":
			differs[field.Value] = value.Value
		}
	}
}

// parted are the parts that an operator joins, through all brackets, from left to right.
func parted(n ast.Node, operator string) []ast.Node {
	v, ok := n.(*ast.BinaryNode)
	if !ok || sides[v.Operator] != sides[operator] {
		return []ast.Node{n}
	}
	return append(parted(v.Left, operator), parted(v.Right, operator)...)
}

// sides are the operators that join conditions, each with its sign.
var sides = map[string]string{"&&": "&&", "and": "&&", "||": "||", "or": "||"}
