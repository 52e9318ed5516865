package cond

import (
	"regexp"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"

	"noroshi/internal/event"
)

// ListUse is a look-up in a list of the configuration.
type ListUse struct {
	Name string
	Of   string // what is looked up, as a message calls it
	Net  bool   // it asks for networks; else for texts
	// Doubts tells why the texts that are looked up are never the one given.
	Doubts func(entry string) event.Doubt
}

// literals looks for constants that what they are compared with can never be. It walks the flattened tree.
type literals struct {
	*checker
	lists    map[*ast.ConstantNode]string
	calls    map[ast.Node]string // functions that ignore case, by the comparisons that stand for them
	caseless bool                // the comparison at hand is one of them
	elements []ast.Node          // the lists that predicates around the part look into, the innermost last
	uses     []ListUse
}

// comparisons are the operators that compare with a constant text.
var comparisons = map[string]event.Comparison{
	"==": event.Equals, "!=": event.Equals, "contains": event.Contains, "startsWith": event.StartsWith, "endsWith": event.EndsWith,
}

// walk looks at a part and at what is inside it.
func (c *literals) walk(n ast.Node) {
	switch v := n.(type) {
	case *ast.UnaryNode:
		c.walk(v.Node)
	case *ast.BinaryNode:
		c.compared(v)
		c.walk(v.Left)
		c.walk(v.Right)
	case *ast.ConditionalNode:
		c.walk(v.Cond)
		c.walk(v.Exp1)
		c.walk(v.Exp2)
	case *ast.ArrayNode:
		for _, x := range v.Nodes {
			c.walk(x)
		}
	case *ast.PredicateNode:
		c.walk(v.Node)
	case *ast.CallNode:
		c.call(v)
		for _, a := range v.Arguments {
			c.walk(a)
		}
	case *ast.BuiltinNode:
		if builtins[v.Name].predicate && len(v.Arguments) > 1 {
			c.elements = append(c.elements, v.Arguments[0])
			c.walk(v.Arguments[1])
			c.elements = c.elements[:len(c.elements)-1]
			return
		}
		for _, a := range v.Arguments {
			c.walk(a)
		}
	}
}

// compared looks at a comparison.
func (c *literals) compared(v *ast.BinaryNode) {
	if written(v.Left) && written(v.Right) {
		c.refuse(v.Left, "value", "both sides of %s are constants; no event changes the answer", v.Operator).Warning = true
		return
	}
	_, c.caseless = c.calls[v]
	switch v.Operator {
	case "&&", "and":
		c.agree(v)
		c.decided(v, false)
	case "||", "or":
		c.exclude(v)
		c.decided(v, true)
	case "<", "<=", ">", ">=":
		c.ordered(v)
	case "matches":
		c.matched(v)
	case "in":
		c.lookedUp(v)
	default:
		how, ok := comparisons[v.Operator]
		if !ok {
			return
		}
		if how == event.Equals {
			c.ordered(v)
		}
		if text, ok := v.Right.(*ast.StringNode); ok {
			c.judge(v.Left, how, v.Operator, text)
		} else if text, ok := v.Left.(*ast.StringNode); ok && how == event.Equals {
			c.judge(v.Right, how, v.Operator, text)
		}
	}
}

// lookedUp looks at the constants of a look-up.
func (c *literals) lookedUp(v *ast.BinaryNode) {
	if name := c.listOf(v.Right); name != "" {
		left, within := v.Left, literals{checker: c.checker, elements: slices.Clone(c.elements)}
		_, of := within.doubts(left, event.Equals, "")
		of = strings.TrimSuffix(strings.TrimPrefix(of, "lower("), ")") // lists ignore case
		c.uses = append(c.uses, ListUse{Name: name, Of: of, Doubts: func(entry string) event.Doubt {
			d, _ := within.doubts(left, event.Equals, entry)
			return d
		}})
		return
	}
	a, written := v.Right.(*ast.ArrayNode)
	text, constant := v.Left.(*ast.StringNode)
	switch {
	case written && constant:
		c.oneOf(a, text)
	case written:
		for _, x := range a.Nodes {
			if text, ok := x.(*ast.StringNode); ok {
				c.judge(v.Left, event.Equals, "in", text)
			}
		}
	case constant:
		c.judge(v.Right, event.Equals, "in", text)
	}
}

// oneOf looks at a constant that several parts are asked for: it is told where none of them can be it.
func (c *literals) oneOf(a *ast.ArrayNode, text *ast.StringNode) {
	for _, x := range a.Nodes {
		if d, _ := c.doubts(x, event.Equals, text.Value); d.Why == "" {
			return
		}
	}
	if len(a.Nodes) > 0 {
		c.judge(a.Nodes[0], event.Equals, "in", text)
	}
}

// judge reports the constants that a part can never equal.
func (c *literals) judge(n ast.Node, how event.Comparison, operator string, text *ast.StringNode) {
	d, who := c.doubts(n, how, text.Value)
	if d.Why == "" {
		return
	}
	if c.caseless {
		who = strings.TrimSuffix(strings.TrimPrefix(who, "lower("), ")")
	}
	c.tell(text, d, who, never[how])
}

var never = map[event.Comparison]string{
	event.Equals: "is never", event.StartsWith: "never starts with", event.EndsWith: "never ends with", event.Contains: "never contains",
}

func (c *literals) tell(text *ast.StringNode, d event.Doubt, who, never string) {
	if !d.Certain {
		never = strings.Replace(never, "never", "hardly ever", 1)
	}
	m := c.refuse(text, "value", "%s %s %q: it is %s", who, never, text.Value, d.Why)
	m.Suggestion, m.Warning, m.Certain = strings.ReplaceAll(d.Meant, "…", who), true, d.Certain
}

// doubts tells why a part never compares so with a text, and how a message calls the part.
func (c *literals) doubts(n ast.Node, how event.Comparison, text string) (event.Doubt, string) {
	switch v := n.(type) {
	case *ast.PointerNode:
		if i := len(c.elements) - 1; i >= 0 {
			outer := literals{checker: c.checker, elements: c.elements[:i]}
			return outer.doubts(c.elements[i], how, text)
		}
	case *ast.IdentifierNode:
		return c.field(v.Value, how, text)
	case *ast.BuiltinNode:
		if len(v.Arguments) == 0 {
			break
		}
		d, who := c.doubts(v.Arguments[0], how, text)
		if _, isCall := v.Arguments[0].(*ast.CallNode); isCall && v.Name == "lower" && text == strings.ToLower(text) && d.Why != "" {
			return d, "lower(" + who + ")" // what it lowers is lower case already
		}
		return changed(v.Name, how, text), v.Name + "(" + who + ")"
	case *ast.CallNode:
		if id, ok := v.Callee.(*ast.IdentifierNode); ok && id.Value == "domain" && text != "" {
			return ofDomains.Doubts(how, text), "domain(…)"
		}
	}
	return event.Doubt{}, "…"
}

// ofDomains is what domain gives: lower case, what stands after the at sign.
var ofDomains = &event.Field{Form: event.LowerCase, Without: "@"}

// changed tells what a text never is that a function has changed.
func changed(function string, how event.Comparison, text string) event.Doubt {
	meant := text
	why := ""
	switch function {
	case "lower":
		meant, why = strings.ToLower(text), "lower case"
	case "upper":
		meant, why = strings.ToUpper(text), "upper case"
	case "trim":
		why = "text without blanks around it"
		if how == event.Equals || how == event.StartsWith {
			meant = strings.TrimLeft(meant, " \t\r\n")
		}
		if how == event.Equals || how == event.EndsWith {
			meant = strings.TrimRight(meant, " \t\r\n")
		}
	}
	if meant == text {
		return event.Doubt{}
	}
	return event.Doubt{Why: why, Meant: meant, Certain: true}
}

// field tells why a field, or its lower case, never compares so with a text.
func (c *literals) field(name string, how event.Comparison, text string) (event.Doubt, string) {
	l := c.scope.Layout
	slot, ok := l.Find(name)
	if !ok {
		return event.Doubt{}, name
	}
	root := l.Def(l.Root(slot))
	switch {
	case l.Def(slot).Plain() && root.Field != nil:
		return root.Field.Doubts(how, text), root.Name
	case l.Def(slot).Plain():
		return event.Doubt{}, root.Name
	case root.Field != nil:
		return root.Field.DoubtsLower(how, text), "lower(" + root.Name + ")"
	}
	return changed("lower", how, text), "lower(" + root.Name + ")"
}

// pattern looks at a regular expression.
func (c *literals) matched(v *ast.BinaryNode) {
	text, ok := v.Right.(*ast.StringNode)
	if !ok {
		return
	}
	re, err := regexp.Compile(text.Value)
	if err != nil {
		return
	}
	n := v.Left
	for i := len(c.elements) - 1; i >= 0; i-- {
		if _, element := n.(*ast.PointerNode); !element {
			break
		}
		n = c.elements[i]
	}
	id, ok := n.(*ast.IdentifierNode)
	if !ok {
		return
	}
	l := c.scope.Layout
	slot, ok := l.Find(id.Value)
	if !ok {
		return
	}
	root := l.Def(l.Root(slot))
	d, who := event.Doubt{}, root.Name
	switch {
	case !l.Def(slot).Plain():
		d, who = event.MatchesLower(re), "lower("+root.Name+")"
	case root.Field != nil:
		d = root.Field.Matches(re)
	}
	if d.Why != "" {
		c.tell(text, d, who, "never matches")
	}
}

// call notes which list in_net or similar asks.
func (c *literals) call(v *ast.CallNode) {
	id, ok := v.Callee.(*ast.IdentifierNode)
	if !ok || id.Value != "in_net" && id.Value != "similar" || len(v.Arguments) != 2 {
		return
	}
	if name := c.listOf(v.Arguments[1]); name != "" {
		c.uses = append(c.uses, ListUse{Name: name, Of: id.Value, Net: id.Value == "in_net", Doubts: func(string) event.Doubt { return event.Doubt{} }})
	}
}

// listOf is the name of the list that a part has become, or "" if it is not a list.
func (c *literals) listOf(n ast.Node) string {
	k, ok := n.(*ast.ConstantNode)
	if !ok {
		return ""
	}
	return c.lists[k]
}
