package cond

import (
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"

	"noroshi/internal/event"
)

// What functions take in one place.
var (
	textual   = []value{aText}
	addressed = []value{aText, aList, texts}
	ofLists   = []value{configured}
	listed    = []value{aList}
)

// builtins are expr's own functions that conditions may use. Those with a predicate look into a list.
var builtins = map[string]struct {
	usage      string
	takes      []value
	gives      value
	predicate  bool
	least, max int // arguments
}{
	"any":   {"any(list, condition)", listed, aTruth, true, 2, 2},
	"all":   {"all(list, condition)", listed, aTruth, true, 2, 2},
	"none":  {"none(list, condition)", listed, aTruth, true, 2, 2},
	"one":   {"one(list, condition)", listed, aTruth, true, 2, 2},
	"count": {"count(list, condition)", listed, aWhole, true, 2, 2},
	"len":   {"len(list or text)", []value{aText, aList, texts, numbers}, aWhole, false, 1, 1},
	"lower": {"lower(text)", []value{aText, aList}, aText, false, 1, 1},
	"upper": {"upper(text)", textual, aText, false, 1, 1},
	"trim":  {"trim(text)", textual, aText, false, 1, 1},
}

// accepts reports whether a parameter takes a value.
func accepts(takes []value, v value) bool {
	for _, t := range takes {
		if v.fits(t) {
			return true
		}
	}
	return false
}

// expects says what a parameter takes.
func expects(takes []value) string {
	var all []string
	for _, t := range takes {
		all = append(all, t.String())
	}
	return strings.Join(all, " or ")
}

func (c *typing) builtinValue(v *ast.BuiltinNode) value {
	b, ok := builtins[v.Name]
	if !ok {
		return anything // it has been refused
	}
	if n := len(v.Arguments); n < b.least || n > b.max {
		c.refuse(v, "type", "%s takes %s, got %d", b.usage, plural(b.least, "argument"), n)
		return b.gives
	}
	first := c.of(v.Arguments[0])
	_, isName := chain(v.Arguments[0])
	if v.Name == "lower" && first == aList && isName {
		return aList
	}
	if !accepts(b.takes, first) || v.Name == "lower" && first == aList {
		c.wrong(v.Arguments[0], b.usage, 1, b.takes, first)
	}
	if b.predicate {
		c.predicate(v)
	}
	return b.gives
}

func (c *typing) predicate(v *ast.BuiltinNode) {
	n := v.Arguments[1]
	if p, ok := n.(*ast.PredicateNode); ok {
		n = p.Node
	}
	if of := c.of(n); !of.fits(aTruth) {
		c.refuse(n, "type", "%s: expected a condition about #, the list's element; %s", builtins[v.Name].usage, c.is(n, of))
	}
}

// wrong refuses an argument.
func (c *typing) wrong(n ast.Node, usage string, at int, takes []value, is value) *Mistake {
	if is == configured && !slices.Contains(takes, configured) {
		flat, _ := chain(n)
		return c.refuse(n, "list", "%s: %s is a list of the configuration; write x in %s or in_net(x, %s)", usage, flat, flat, flat)
	}
	return c.refuse(n, "type", "%s: argument %d: expected %s; %s", usage, at, expects(takes), c.is(n, is))
}

func (c *typing) callValue(v *ast.CallNode) value {
	id, ok := v.Callee.(*ast.IdentifierNode)
	if !ok {
		return anything // it has been refused
	}
	f := functions[id.Value]
	if len(v.Arguments) != len(f.takes) {
		c.refuse(v, "type", "%s takes %s, got %d", f.usage, plural(len(f.takes), "argument"), len(v.Arguments))
		return f.gives
	}
	if id.Value == "has" {
		c.has(v.Arguments[0])
		return f.gives
	}
	for i, a := range v.Arguments {
		of := c.of(a)
		if accepts(f.takes[i], of) {
			c.constant(id.Value, f.usage, i, a)
			continue
		}
		m := c.wrong(a, f.usage, i+1, f.takes[i], of)
		if text, ok := a.(*ast.StringNode); ok && id.Value == "in_net" && i == 1 {
			m.Suggestion = "in_net(" + v.Arguments[0].String() + ", lists.name) with " + text.Value + " in the list"
		}
		if _, ok := chain(a); ok && i == 0 && of == aList && len(v.Arguments) == 2 && constant(v.Arguments[1]) {
			m.Suggestion = "any(" + name(a) + ", " + id.Value + "(#, " + v.Arguments[1].String() + "))"
		}
	}
	return f.gives
}

// constant refuses a text in quotes where a field is meant: what a function looks at, and names with a dot. A word such as account may
// be what is looked for.
func (c *typing) constant(function, usage string, argument int, n ast.Node) {
	text, ok := n.(*ast.StringNode)
	if !ok {
		return
	}
	_, isField := event.Lookup(text.Value)
	isField = isField && (argument == 0 || strings.Contains(text.Value, "."))
	addresses := function == "external" || function == "unresolved"
	if !isField && (!addresses || strings.Contains(text.Value, "@")) {
		return
	}
	m := c.refuse(n, "type", "%s: %s is a text of the rule, not of the event", usage, text.String())
	if isField {
		m.Suggestion = text.Value
	}
}

// has checks the argument of has.
func (c *typing) has(n ast.Node) {
	flat, ok := chain(n)
	switch {
	case !ok:
		m := c.refuse(n, "type", "has(field) takes a field's name, without quotes")
		if s, isText := n.(*ast.StringNode); isText {
			if _, known := c.scope.Layout.Slot(s.Value); known {
				m.Suggestion = "has(" + s.Value + ")"
			}
		}
	case strings.HasPrefix(flat, listName):
		c.refuse(n, "type", "has(field) takes a field; %s is a list of the configuration", flat)
	default:
		c.named(n)
	}
}
