package cond

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/expr-lang/expr/ast"
)

// binaryValue is the value of two parts with an operator between them.
func (c *typing) binaryValue(v *ast.BinaryNode) value {
	if c.negated(v) {
		return aTruth
	}
	l, r := c.of(v.Left), c.of(v.Right)
	switch v.Operator {
	case "&&", "||", "and", "or":
		c.joined(v, v.Left, l)
		c.joined(v, v.Right, r)
		return aTruth
	case "==", "!=":
		c.equality(v, l, r)
		return aTruth
	case "in":
		c.membership(v, l, r)
		return aTruth
	case "contains", "startsWith", "endsWith", "matches":
		c.partOf(v, l, r)
		return aTruth
	case "<", "<=", ">", ">=":
		c.order(v, l, r)
		return aTruth
	}
	return c.arithmetic(v, l, r)
}

// negated refuses `not a == b`, where not stands before a alone.
func (c *typing) negated(v *ast.BinaryNode) bool {
	u, ok := v.Left.(*ast.UnaryNode)
	if !ok || u.Operator != "!" && u.Operator != "not" || v.Operator == "&&" || v.Operator == "||" || v.Operator == "and" || v.Operator == "or" {
		return false
	}
	if c.quietly(u.Node).fits(aTruth) {
		return false
	}
	m := c.refuse(v.Left, "type", "%s stands before %s alone; put the comparison in brackets", u.Operator, name(u.Node))
	m.Suggestion = "!(" + u.Node.String() + " " + v.Operator + " " + v.Right.String() + ")"
	return true
}

func (c *typing) joined(v *ast.BinaryNode, n ast.Node, of value) {
	if of.fits(aTruth) {
		return
	}
	m := c.refuse(n, "type", "%s joins conditions; %s", v.Operator, c.is(n, of))
	if _, ok := chain(n); ok && of != configured {
		m.Suggestion = "has(" + name(n) + ")"
	}
}

func (c *typing) equality(v *ast.BinaryNode, l, r value) {
	field, literal, fieldIs, literalIs := v.Left, v.Right, l, r
	if _, ok := chain(v.Right); ok && constant(v.Left) {
		field, literal, fieldIs, literalIs = v.Right, v.Left, r, l
	}
	switch {
	case l == configured || r == configured:
		c.misusedList(v)
	case l.list() && r.list():
		c.refuse(v, "type", "lists are not compared as a whole; use any, all, none or count")
	case fieldIs == aList && literalIs == aText:
		c.refuse(v, "type", "%s", c.is(field, fieldIs)).Suggestion = unless(v.Operator, literal.String()+" in "+name(field))
	case l.list() || r.list():
		c.refuse(v, "type", "a list is not compared with ==; use in; %s", c.is(v.Left, l))
	case l.fits(r) || r.fits(l):
	case constant(literal) && !constant(field):
		c.refuse(literal, "type", "%s, %s", c.is(field, fieldIs), c.is(literal, literalIs)).Suggestion = instead(v.Operator, field, fieldIs, literal)
	default:
		c.refuse(v, "type", "%s, %s; they are never equal", c.is(v.Left, l), c.is(v.Right, r))
	}
}

// misusedList refuses a list of the configuration where a value is expected.
func (c *typing) misusedList(v *ast.BinaryNode) {
	for _, n := range []ast.Node{v.Left, v.Right} {
		if flat, ok := chain(n); ok && strings.HasPrefix(flat, listName) {
			c.refuse(n, "list", "%s is a list of the configuration; write x in %s or in_net(x, %s)", flat, flat, flat)
			return
		}
	}
}

// constant reports whether a part is a text, number or truth that is written out.
func constant(n ast.Node) bool {
	switch n.(type) {
	case *ast.StringNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return true
	}
	return false
}

// unless is a condition, or its opposite where the operator says that something is not so.
func unless(operator, condition string) string {
	switch {
	case operator != "!=":
		return condition
	case strings.Contains(condition, " "):
		return "!(" + condition + ")"
	}
	return "!" + condition
}

// opposite is an operator, or the other of == and != where a comparison is with what is false.
func opposite(operator string, isFalse bool) string {
	if isFalse == (operator == "!=") {
		return "=="
	}
	return "!="
}

// instead is what the author of a comparison with a constant of another kind probably meant, "" where nobody can tell.
func instead(operator string, field ast.Node, is value, literal ast.Node) string {
	switch lit := literal.(type) {
	case *ast.StringNode:
		switch {
		case is == aTruth && (strings.EqualFold(lit.Value, "true") || strings.EqualFold(lit.Value, "false")):
			return unless(opposite(operator, strings.EqualFold(lit.Value, "false")), name(field))
		case is.number() && lit.Value != "" && strings.Trim(lit.Value, "0123456789") == "" && operator != "in":
			return name(field) + " " + operator + " " + lit.Value
		}
	case *ast.IntegerNode:
		switch {
		case is == aText:
			return fmt.Sprintf("%q", lit.String())
		case is == aTruth && (lit.Value == 0 || lit.Value == 1):
			return unless(opposite(operator, lit.Value == 0), name(field))
		}
	case *ast.BoolNode:
		if is == aText {
			return fmt.Sprintf("%q", lit.String())
		}
	}
	return ""
}

func (c *typing) membership(v *ast.BinaryNode, l, r value) {
	switch {
	case l == configured:
		c.misusedList(&ast.BinaryNode{Left: v.Left, Right: v.Left})
	case r == anything:
	case l.list():
		m := c.refuse(v.Left, "type", "in looks one value up; %s", c.is(v.Left, l))
		if _, ok := chain(v.Left); ok && r.list() {
			m.Suggestion = "any(" + name(v.Left) + ", # in …)"
		}
	case r == aText:
		m := c.refuse(v.Right, "type", "in looks into a list; %s; a part of a text is found by contains", c.is(v.Right, r))
		if text, ok := v.Right.(*ast.StringNode); ok {
			if _, err := netip.ParsePrefix(text.Value); err == nil {
				m.Message, m.Suggestion = "in looks into a list; in_net tells whether an address lies in a network", "in_net("+name(v.Left)+", "+text.String()+")"
			}
		}
	case !r.list():
		c.refuse(v.Right, "type", "in looks into a list; %s", c.is(v.Right, r))
	case r == aList || r == configured:
		if !l.fits(aText) {
			c.refuse(v.Left, "type", "%s holds texts; %s", name(v.Right), c.is(v.Left, l))
		}
	default:
		c.elements(v, l)
	}
}

// elements checks the elements of a list that is written out, where a value is looked up in it.
func (c *typing) elements(v *ast.BinaryNode, l value) {
	a, ok := v.Right.(*ast.ArrayNode)
	if !ok {
		return
	}
	for _, x := range a.Nodes {
		is := c.quietly(x)
		if !is.fits(l) && !l.fits(is) {
			c.refuse(x, "type", "%s, %s", c.is(v.Left, l), c.is(x, is)).Suggestion = instead("in", v.Left, l, x)
		}
	}
}

// quietly is what a part gives that has been looked at before.
func (c *typing) quietly(n ast.Node) value {
	before := len(c.mistakes)
	v := c.of(n)
	c.mistakes = c.mistakes[:before]
	return v
}

func (c *typing) partOf(v *ast.BinaryNode, l, r value) {
	switch {
	case l == configured || r == configured:
		c.misusedList(v)
	case l.list():
		m := c.refuse(v.Left, "type", "%s compares texts; %s", v.Operator, c.is(v.Left, l))
		if _, ok := chain(v.Left); ok && l == aList && constant(v.Right) {
			m.Suggestion = "any(" + name(v.Left) + ", # " + v.Operator + " " + v.Right.String() + ")"
		}
	case !l.fits(aText):
		c.refuse(v.Left, "type", "%s compares texts; %s", v.Operator, c.is(v.Left, l))
	case !r.fits(aText):
		c.refuse(v.Right, "type", "%s compares texts; %s", v.Operator, c.is(v.Right, r))
	}
}

func (c *typing) order(v *ast.BinaryNode, l, r value) {
	switch {
	case l == configured || r == configured:
		c.misusedList(v)
	case l == aText && r == aText, l.fits(aNumber) && r.fits(aNumber), l == anything && r == aText, l == aText && r == anything:
	case l.number() && r == aText:
		c.refuse(v.Right, "type", "%s, %s", c.is(v.Left, l), c.is(v.Right, r)).Suggestion = instead(v.Operator, v.Left, l, v.Right)
	case l == aText && r.number():
		c.refuse(v.Right, "type", "%s, %s; numbers in texts are compared with ==", c.is(v.Left, l), c.is(v.Right, r)).Suggestion = instead(v.Operator, v.Left, l, v.Right)
	case l.number():
		c.refuse(v.Right, "type", "%s, %s", c.is(v.Left, l), c.is(v.Right, r))
	case l == aList:
		c.refuse(v.Left, "type", "%s compares numbers; %s", v.Operator, c.is(v.Left, l)).Suggestion = "len(" + name(v.Left) + ")"
	default:
		n, is := v.Left, l
		if l == aText || l.fits(aNumber) {
			n, is = v.Right, r
		}
		c.refuse(n, "type", "%s compares numbers or texts; %s", v.Operator, c.is(n, is))
	}
}

func (c *typing) arithmetic(v *ast.BinaryNode, l, r value) value {
	switch {
	case l == anything || r == anything:
		return anything
	case v.Operator == "+" && (l == aText || r == aText):
		c.refuse(v, "forbidden", "texts are not joined in conditions")
		return anything
	case !l.fits(aNumber):
		c.refuse(v.Left, "type", "%s needs numbers; %s", v.Operator, c.is(v.Left, l))
		return anything
	case !r.fits(aNumber):
		c.refuse(v.Right, "type", "%s needs numbers; %s", v.Operator, c.is(v.Right, r))
		return anything
	case v.Operator == "%" && (l == aNumber || r == aNumber):
		c.refuse(v, "type", "%% needs whole numbers, such as len(inbox_rule.sends_to)")
		return anything
	case l == aWhole && r == aWhole && v.Operator != "/":
		return aWhole
	}
	return aNumber
}
