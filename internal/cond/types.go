package cond

import (
	"strings"

	"github.com/expr-lang/expr/ast"

	"noroshi/internal/event"
)

// value is what a part of a condition gives.
type value uint8

// The values. A part with a mistake gives anything, so that a mistake is told once.
const (
	anything value = iota
	aText
	aNumber // may have a fraction
	aWhole
	aTruth
	aList      // of the event: its elements are texts
	texts      // written out: ["a", "b"]
	numbers    // written out: [1, 2]
	mixture    // written out, of other or several kinds
	configured // lists.name
)

// String is the value as a sentence names it.
func (v value) String() string {
	return [...]string{
		"anything", "text", "a number", "a whole number", "true or false",
		"a list of the event", "a list of texts", "a list of numbers", "a list of several kinds", "a list of the configuration",
	}[v]
}

func (v value) number() bool { return v == aNumber || v == aWhole }

func (v value) list() bool { return v >= aList }

// fits reports whether a value can stand where another one is expected.
func (v value) fits(want value) bool {
	return v == want || v == anything || want == anything || v.number() && want == aNumber
}

var ofType = map[event.Type]value{event.Text: aText, event.Number: aNumber, event.Bool: aTruth, event.List: aList}

// typing finds out what the parts of a condition give, and refuses what does not go together. It walks the tree as it was written.
type typing struct {
	*checker
	whole ast.Node
}

// condition checks a part that must be true or false.
func (c *typing) condition(n ast.Node) {
	v := c.of(n)
	if v.fits(aTruth) {
		return
	}
	m := c.refuse(n, "type", "a condition is true or false, %s", c.is(n, v))
	if _, ok := chain(n); ok && v != configured {
		m.Suggestion = "has(" + name(n) + ")"
	}
}

// shown checks a part whose value is shown.
func (c *typing) shown(n ast.Node) {
	if v := c.of(n); v == configured {
		c.refuse(n, "list", "%s; only the event's own values are shown", c.is(n, v))
	}
}

// of is what a part gives.
func (c *typing) of(n ast.Node) value {
	switch v := n.(type) {
	case *ast.StringNode:
		return aText
	case *ast.IntegerNode:
		return aWhole
	case *ast.FloatNode:
		return aNumber
	case *ast.BoolNode:
		return aTruth
	case *ast.PointerNode:
		return aText
	case *ast.IdentifierNode, *ast.MemberNode, *ast.ChainNode:
		return c.named(n)
	case *ast.UnaryNode:
		return c.unary(v)
	case *ast.BinaryNode:
		return c.binaryValue(v)
	case *ast.ConditionalNode:
		return c.choice(v)
	case *ast.ArrayNode:
		return c.written(v)
	case *ast.PredicateNode:
		return c.of(v.Node)
	case *ast.BuiltinNode:
		return c.builtinValue(v)
	case *ast.CallNode:
		return c.callValue(v)
	}
	return anything
}

// named is the value of a field or a list of the configuration.
func (c *typing) named(n ast.Node) value {
	name, ok := chain(n)
	if !ok {
		c.refuse(n, "type", "only fields of the event have members")
		return anything
	}
	if list, ok := strings.CutPrefix(name, listName); ok {
		if c.hasList(n, list) {
			return configured
		}
		return anything
	}
	if slot, ok := c.scope.slot(name); ok {
		return ofType[c.scope.Layout.Def(slot).Type]
	}
	c.unknown(n, name)
	return anything
}

// hasList reports whether the configuration has a list, and refuses one that it has not.
func (c *typing) hasList(n ast.Node, name string) bool {
	if c.scope.Lists != nil {
		if _, ok := c.scope.Lists(name); ok {
			return true
		}
	}
	m := c.refuse(n, "list", "no list %s in the configuration", name)
	if m.Suggestion = suggestList(name, c.scope.ListNames); m.Suggestion == "" {
		m.Message += "; --config names the file that has it"
	}
	return false
}

// is says what a part gives, by its name where it has one.
func (c *typing) is(n ast.Node, v value) string {
	return name(n) + " is " + v.String()
}

// name is how a message calls a part.
func name(n ast.Node) string {
	switch v := n.(type) {
	case *ast.StringNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return v.String()
	case *ast.PointerNode:
		return "#"
	case *ast.CallNode:
		if id, ok := v.Callee.(*ast.IdentifierNode); ok {
			return id.Value + "(…)"
		}
	case *ast.BuiltinNode:
		return v.Name + "(…)"
	}
	if _, ok := chain(n); ok {
		return n.String()
	}
	return "this"
}

func (c *typing) unary(v *ast.UnaryNode) value {
	of := c.of(v.Node)
	if v.Operator == "!" || v.Operator == "not" {
		if !of.fits(aTruth) {
			c.refuse(v.Node, "type", "%s needs a condition; %s", v.Operator, c.is(v.Node, of))
		}
		return aTruth
	}
	if !of.fits(aNumber) {
		c.refuse(v.Node, "type", "%s needs a number; %s", v.Operator, c.is(v.Node, of))
		return anything
	}
	return of
}

func (c *typing) choice(v *ast.ConditionalNode) value {
	c.condition(v.Cond)
	one, other := c.of(v.Exp1), c.of(v.Exp2)
	switch {
	case one == configured || other == configured:
		c.refuse(v.Exp1, "type", "a list of the configuration cannot be chosen by a condition")
		return anything
	case one.fits(other):
		return other
	case other.fits(one):
		return one
	}
	c.refuse(v.Exp2, "type", "the two choices differ: %s, %s", c.is(v.Exp1, one), c.is(v.Exp2, other))
	return anything
}

// written is the value of a list that is written out.
func (c *typing) written(v *ast.ArrayNode) value {
	all := texts
	for i, x := range v.Nodes {
		of := c.of(x)
		switch {
		case of.list():
			c.refuse(x, "type", "a list holds texts or numbers; %s", c.is(x, of))
			return anything
		case i == 0 && of.number():
			all = numbers
		case all == texts && !of.fits(aText) || all == numbers && !of.fits(aNumber):
			all = mixture
		}
	}
	return all
}
