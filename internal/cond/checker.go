package cond

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"

	"noroshi/internal/diag"
	"noroshi/internal/event"
)

// checker refuses what a condition must not do. What it does not name is refused too.
type checker struct {
	scope    *Scope
	mistakes []Mistake
}

func (c *checker) refuse(n ast.Node, code, format string, args ...any) {
	c.mistakes = append(c.mistakes, Mistake{At: first(n).Location().From, Code: code, Message: fmt.Sprintf(format, args...)})
}

// builtins are expr's own functions that conditions may use; of those with a predicate the value is true.
var builtins = map[string]bool{"any": true, "all": true, "none": true, "one": true, "count": true, "len": false, "lower": false, "upper": false, "trim": false}

var operators = map[string]bool{"&&": true, "and": true, "||": true, "or": true, "==": true, "!=": true, "<": true, "<=": true, ">": true, ">=": true,
	"in": true, "contains": true, "startsWith": true, "endsWith": true, "matches": true, "+": true, "-": true, "*": true, "/": true, "%": true}

// maxPredicates is how deep any, all, none, one and count may nest.
const maxPredicates = 2

// maxPattern bounds a regular expression, in bytes.
const maxPattern = 1 << 10

// allow walks a tree as the parser made it. The depth counts predicates around the node.
func (c *checker) allow(n ast.Node, depth int) {
	switch v := n.(type) {
	case *ast.IdentifierNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.StringNode:
	case *ast.NilNode:
		c.refuse(n, "forbidden", "nil is no value here: absent text is \"\", absent numbers are 0; has(field) tells whether there is one")
	case *ast.PointerNode:
		if v.Name != "" {
			c.refuse(n, "forbidden", "#%s is not available; # is the list's element", v.Name)
		}
	case *ast.UnaryNode:
		c.allow(v.Node, depth)
	case *ast.BinaryNode:
		c.binary(v, depth)
	case *ast.ChainNode:
		c.allow(v.Node, depth)
	case *ast.MemberNode:
		c.member(v, depth)
	case *ast.CallNode:
		c.call(v, depth)
	case *ast.BuiltinNode:
		c.builtin(v, depth)
	case *ast.PredicateNode:
		c.allow(v.Node, depth)
	case *ast.ConditionalNode:
		c.allow(v.Cond, depth)
		c.allow(v.Exp1, depth)
		c.allow(v.Exp2, depth)
	case *ast.ArrayNode:
		for _, x := range v.Nodes {
			c.allow(x, depth)
		}
	default:
		c.refuse(n, "forbidden", "%s have no place in a condition", what(n))
	}
}

func what(n ast.Node) string {
	switch n.(type) {
	case *ast.MapNode, *ast.PairNode:
		return "maps"
	case *ast.SliceNode:
		return "slices"
	case *ast.VariableDeclaratorNode:
		return "variables"
	case *ast.SequenceNode:
		return "sequences"
	}
	return "such expressions"
}

func (c *checker) binary(v *ast.BinaryNode, depth int) {
	if !operators[v.Operator] {
		c.refuse(v, "forbidden", "the operator %s is not available in conditions", v.Operator)
		return
	}
	if v.Operator == "matches" {
		p, constant := v.Right.(*ast.StringNode)
		switch {
		case !constant:
			c.refuse(v.Right, "forbidden", "a regular expression must be a constant text")
		case len(p.Value) > maxPattern:
			c.refuse(v.Right, "size", "the regular expression has %d bytes; at most %d are read", len(p.Value), maxPattern)
		}
	}
	c.allow(v.Left, depth)
	c.allow(v.Right, depth)
}

func (c *checker) member(v *ast.MemberNode, depth int) {
	if _, ok := chain(v); ok {
		return
	}
	if _, ok := v.Property.(*ast.StringNode); !ok {
		c.refuse(v.Property, "forbidden", "a field's name must be a constant: write param[\"Name\"]")
		return
	}
	c.allow(v.Node, depth)
}

func (c *checker) call(v *ast.CallNode, depth int) {
	id, ok := v.Callee.(*ast.IdentifierNode)
	if !ok {
		c.refuse(v, "forbidden", "fields have no methods")
		return
	}
	if _, known := functions[id.Value]; !known {
		m := Mistake{At: id.Location().From, Code: "function", Message: "no function " + id.Value}
		m.Suggestion = diag.Suggest(id.Value, append(slices.Collect(maps.Keys(functions)), slices.Collect(maps.Keys(builtins))...))
		c.mistakes = append(c.mistakes, m)
		return
	}
	if want := functions[id.Value].args; len(v.Arguments) != want {
		c.refuse(v, "type", "%s takes %s, here are %d", functions[id.Value].usage, plural(want, "argument"), len(v.Arguments))
		return
	}
	for _, a := range v.Arguments {
		c.allow(a, depth)
	}
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func (c *checker) builtin(v *ast.BuiltinNode, depth int) {
	predicate, ok := builtins[v.Name]
	if !ok {
		c.refuse(v, "forbidden", "%s is not available in conditions", v.Name)
		return
	}
	if predicate {
		if depth++; depth > maxPredicates {
			c.refuse(v, "forbidden", "any, all, none, one and count nest at most %d deep", maxPredicates)
			return
		}
	}
	for _, a := range v.Arguments {
		c.allow(a, depth)
	}
}

// fields checks the names of a flattened tree and how they are used.
func (c *checker) fields(root ast.Node, seen *names) {
	for _, id := range seen.at {
		if _, ok := c.scope.Layout.Slot(id.Value); ok {
			continue
		}
		if name, ok := strings.CutPrefix(id.Value, listName); ok {
			c.refuse(id, "list", "lists.%s stands where a value is wanted; write x in lists.%s or in_net(x, lists.%s)", name, name, name)
			continue
		}
		if _, known := c.scope.Layout.Find(id.Value); !known {
			c.mistakes = append(c.mistakes, Mistake{At: id.Location().From, Code: "field", Message: noField(id.Value), Suggestion: event.Suggest(id.Value)})
		}
	}
	if len(c.mistakes) == 0 {
		ast.Walk(&root, types{c})
	}
}

func noField(name string) string {
	for _, f := range event.Families {
		if name == f || strings.HasPrefix(name, f+"[") {
			return map[string]string{"raw": `raw needs a path: raw.Some.Path`, "param": `param needs a name: param["Name"]`, "change": `change needs a name and a side: change["Name"].new or .old`}[f]
		}
	}
	return fmt.Sprintf("no field %q", name)
}

// types refuses what expr would let pass, or would refuse in words that do not help.
type types struct{ *checker }

// Visit implements ast.Visitor.
func (c types) Visit(n *ast.Node) {
	switch v := (*n).(type) {
	case *ast.BinaryNode:
		c.comparison(v)
	case *ast.BuiltinNode:
		if builtins[v.Name] {
			if t, known := typeOf(v.Arguments[0], c.scope.Layout); !known || t != event.List {
				c.refuse(v.Arguments[0], "type", "%s looks into a list of the event, such as inbox_rule.sends_to", v.Name)
			}
		}
	case *ast.CallNode:
		id, _ := v.Callee.(*ast.IdentifierNode)
		for i, a := range v.Arguments {
			t, known := typeOf(a, c.scope.Layout)
			if known && t != event.Text && (t != event.List || !functions[id.Value].lists) {
				c.refuse(a, "type", "argument %d of %s is a %s", i+1, functions[id.Value].usage, t)
			}
		}
	}
}

func (c types) comparison(v *ast.BinaryNode) {
	l, known1 := typeOf(v.Left, c.scope.Layout)
	r, known2 := typeOf(v.Right, c.scope.Layout)
	switch v.Operator {
	case "+":
		if known1 && l == event.Text || known2 && r == event.Text {
			c.refuse(v, "forbidden", "texts are not joined in conditions")
		}
	case "==", "!=":
		if !known1 || !known2 || l == r {
			return
		}
		if id, ok := v.Left.(*ast.IdentifierNode); ok && l == event.Text && r == event.Number {
			c.refuse(v.Right, "type", "%s is text; write \"%s\"", id.Value, v.Right.String())
			return
		}
		c.refuse(v, "type", "a %s is never equal to a %s", l, r)
	case "in":
		if a, ok := v.Right.(*ast.ArrayNode); ok && known1 {
			for _, x := range a.Nodes {
				if t, known := typeOf(x, c.scope.Layout); known && t != l {
					c.refuse(x, "type", "the left side is a %s, this is a %s", l, t)
				}
			}
		}
	}
}
