package cond

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"

	"noroshi/internal/diag"
)

// checker refuses what a condition must not do. What it does not name is refused too.
type checker struct {
	scope    *Scope
	mistakes []Mistake
}

// refuse notes a mistake; the answer is valid until the next one.
func (c *checker) refuse(n ast.Node, code, format string, args ...any) *Mistake {
	c.mistakes = append(c.mistakes, Mistake{At: first(n).Location().From, Code: code, Message: fmt.Sprintf(format, args...)})
	return &c.mistakes[len(c.mistakes)-1]
}

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
		c.refuse(n, "forbidden", "%s", noNothing)
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
		c.pattern(v.Right)
	}
	c.allow(v.Left, depth)
	c.allow(v.Right, depth)
}

// pattern checks a regular expression.
func (c *checker) pattern(n ast.Node) {
	p, constant := n.(*ast.StringNode)
	switch {
	case !constant:
		c.refuse(n, "forbidden", "a regular expression must be a constant text")
	case len(p.Value) > maxPattern:
		c.refuse(n, "size", "the regular expression has %d bytes; at most %d are read", len(p.Value), maxPattern)
	default:
		var broken *syntax.Error
		if _, err := regexp.Compile(p.Value); errors.As(err, &broken) {
			m := c.refuse(n, "syntax", "the regular expression is broken: %s", brokenPattern(broken))
			if at := strings.Index(p.Value, broken.Expr); at > 0 && broken.Expr != "" && !strings.ContainsRune(p.Value, '\\') {
				m.At += 1 + utf8.RuneCountInString(p.Value[:at])
			}
		}
	}
}

// brokenPattern says what is wrong in a regular expression.
func brokenPattern(e *syntax.Error) string {
	if e.Code == syntax.ErrInvalidPerlOp {
		return e.Expr + " is not available, such as looking ahead or behind"
	}
	if e.Expr == "" {
		return e.Code.String()
	}
	return e.Code.String() + ": " + e.Expr
}

func (c *checker) member(v *ast.MemberNode, depth int) {
	if _, ok := chain(v); ok {
		return
	}
	switch v.Property.(type) {
	case *ast.StringNode:
	case *ast.IntegerNode:
		c.refuse(v.Property, "forbidden", "elements are not picked by number; use any, all, none or count")
		return
	default:
		inner := "Name"
		if id, ok := chain(v.Property); ok {
			inner = id
		}
		m := c.refuse(v.Property, "forbidden", "a field's name in brackets must be in quotes")
		if base, ok := chain(v.Node); ok {
			as, known := entries[strings.ToLower(base)]
			if !known {
				as = [2]string{base + "[", "]"}
			}
			m.Suggestion = as[0] + strconv.Quote(inner) + as[1]
		}
		return
	}
	c.allow(v.Node, depth)
}

func (c *checker) call(v *ast.CallNode, depth int) {
	id, ok := v.Callee.(*ast.IdentifierNode)
	if !ok {
		m := c.refuse(v, "forbidden", "fields have no methods")
		if of, ok := v.Callee.(*ast.MemberNode); ok {
			m.Suggestion = asFunction(of, v.Arguments)
		}
		return
	}
	if _, known := functions[id.Value]; !known {
		m := Mistake{At: id.Location().From, Code: "function", Message: "no function " + id.Value}
		m.Suggestion = diag.Suggest(id.Value, append(slices.Collect(maps.Keys(functions)), slices.Collect(maps.Keys(builtins))...))
		if slices.Contains([]string{"regex", "regexp", "match", "regexmatch", "rlike", "re_match"}, strings.ToLower(id.Value)) {
			m.Message += `; a pattern is written user.name matches "…"`
		}
		if word := strings.ToLower(id.Value); word == "not" && word != id.Value {
			m.Message, m.Suggestion = "no operator "+id.Value, word
		}
		if ours := otherFunctions[strings.ToLower(id.Value)]; ours != "" {
			m.Suggestion = ours
		}
		c.mistakes = append(c.mistakes, m)
		return
	}
	for _, a := range v.Arguments {
		c.allow(a, depth)
	}
}

// asFunction is how a condition says what the call of a method means, "" where nobody can tell.
func asFunction(method *ast.MemberNode, arguments []ast.Node) string {
	property, isText := method.Property.(*ast.StringNode)
	of, isName := chain(method.Node)
	if !isText || !isName {
		return ""
	}
	theirs := strings.ToLower(property.Value)
	ours := otherFunctions[theirs]
	if _, known := builtins[theirs]; known {
		ours = theirs
	}
	switch {
	case ours != "" && len(arguments) == 0:
		return ours + "(" + of + ")"
	case words[theirs] != "" && len(arguments) == 1:
		return of + " " + words[theirs] + " " + arguments[0].String()
	}
	return ""
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func (c *checker) builtin(v *ast.BuiltinNode, depth int) {
	b, ok := builtins[v.Name]
	if !ok {
		c.refuse(v, "forbidden", "%s is not available in conditions", v.Name)
		return
	}
	if b.predicate {
		if depth++; depth > maxPredicates {
			c.refuse(v, "forbidden", "any, all, none, one and count nest at most %d deep", maxPredicates)
			return
		}
	}
	for _, a := range v.Arguments {
		c.allow(a, depth)
	}
}
