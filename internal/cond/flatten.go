package cond

import (
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"

	"noroshi/internal/diag"
	"noroshi/internal/event"
)

// flatten turns member chains into one name each, folds has() and the forms that ignore case into names of their own, and
// lists into constants. It walks from the leaves up, over a tree without mistakes.
type flatten struct {
	scope *Scope
	lists map[*ast.ConstantNode]string // the names of the lists that have become constants
	calls map[ast.Node]string          // the functions that have become comparisons
}

// listName marks an identifier that stands for a list until its user has been seen.
const listName = "lists."

// ignoring are the comparisons that ignore case, by the exact ones.
var ignoring = map[string]string{"iequals": "==", "icontains": "contains", "istarts": "startsWith", "iends": "endsWith"}

// Visit implements ast.Visitor.
func (f *flatten) Visit(n *ast.Node) {
	switch v := (*n).(type) {
	case *ast.ChainNode:
		if id, ok := v.Node.(*ast.IdentifierNode); ok {
			*n = id
		}
	case *ast.MemberNode:
		if name, ok := chain(v); ok {
			if slot, ok := f.scope.slot(name); ok {
				name = f.scope.Layout.Def(slot).Name
			}
			f.replace(n, name, first(v))
		}
	case *ast.BuiltinNode:
		if id, ok := v.Arguments[0].(*ast.IdentifierNode); ok && v.Name == "lower" {
			f.lower(n, id)
		}
	case *ast.BinaryNode:
		if v.Operator == "in" {
			f.inList(n, v)
		}
	case *ast.CallNode:
		f.call(n, v)
	}
}

func (f *flatten) replace(n *ast.Node, name string, at ast.Node) {
	id := &ast.IdentifierNode{Value: name}
	id.SetLocation(at.Location())
	*n = id
}

// first is the leftmost node of a chain: the place of a name.
func first(n ast.Node) ast.Node {
	switch v := n.(type) {
	case *ast.MemberNode:
		return first(v.Node)
	case *ast.ChainNode:
		return first(v.Node)
	}
	return n
}

// chain is the flat name of a.b.c and of family["Name"].
func chain(n ast.Node) (string, bool) {
	switch v := n.(type) {
	case *ast.IdentifierNode:
		return v.Value, true
	case *ast.ChainNode:
		return chain(v.Node)
	case *ast.MemberNode:
		p, isText := v.Property.(*ast.StringNode)
		base, known := chain(v.Node)
		if !isText || !known {
			return "", false
		}
		switch {
		case base == "param" || base == "change":
			return event.Entry(base, p.Value), true
		case base == "raw" || strings.HasPrefix(base, "raw.") || strings.HasPrefix(base, "raw["):
			return event.Member(base, p.Value), true
		}
		return base + "." + p.Value, true
	}
	return "", false
}

// lower names the lower case of a field.
func (f *flatten) lower(n *ast.Node, of *ast.IdentifierNode) {
	slot, ok := f.scope.Layout.Slot(of.Value)
	if !ok {
		return
	}
	f.replace(n, f.scope.Layout.Def(f.scope.Layout.Lower(slot)).Name, of)
}

// inList makes `x in lists.name` a look-up of x's lower case in the list's entries, or a call where they differ by tenant.
func (f *flatten) inList(n *ast.Node, v *ast.BinaryNode) {
	l, name, ok := f.list(v.Right)
	if !ok {
		return
	}
	f.fold(&v.Left)
	texts := textsOf(l)
	if f.lists != nil || len(texts.own) == 0 {
		v.Right = f.constant(v.Right, texts.all, name)
		return
	}
	call := &ast.CallNode{Callee: &ast.IdentifierNode{Value: listedName}, Arguments: []ast.Node{v.Left, f.constant(v.Right, texts, name)}}
	call.SetLocation(v.Location())
	*n = call
}

// constant is a list in the place of its name.
func (f *flatten) constant(of ast.Node, value any, name string) ast.Node {
	constant := &ast.ConstantNode{Value: value}
	constant.SetLocation(of.Location())
	if f.lists != nil {
		f.lists[constant] = name
	}
	return constant
}

// fold makes a text lower case: a constant now, a field by its other name, all else when it is asked.
func (f *flatten) fold(n *ast.Node) {
	switch v := (*n).(type) {
	case *ast.StringNode:
		s := &ast.StringNode{Value: strings.ToLower(v.Value)}
		s.SetLocation(v.Location())
		*n = s
	case *ast.IdentifierNode:
		f.lower(n, v)
	default:
		call := &ast.BuiltinNode{Name: "lower", Arguments: []ast.Node{v}}
		call.SetLocation(v.Location())
		*n = call
	}
}

// list is the list that a name stands for.
func (f *flatten) list(n ast.Node) (l List, name string, ok bool) {
	id, ok := n.(*ast.IdentifierNode)
	if !ok {
		return nil, "", false
	}
	name, ok = strings.CutPrefix(id.Value, listName)
	if !ok || f.scope.Lists == nil {
		return nil, "", false
	}
	l, ok = f.scope.Lists(name)
	return l, name, ok
}

func suggestList(name string, all []string) string {
	if s := diag.Suggest(name, all); s != "" {
		return listName + s
	}
	return ""
}

func (f *flatten) call(n *ast.Node, v *ast.CallNode) {
	name, ok := v.Callee.(*ast.IdentifierNode)
	if !ok {
		return
	}
	switch op := ignoring[name.Value]; {
	case name.Value == "has" && len(v.Arguments) == 1:
		if id, ok := v.Arguments[0].(*ast.IdentifierNode); ok {
			if slot, ok := f.scope.Layout.Slot(id.Value); ok {
				f.replace(n, f.scope.Layout.Def(f.scope.Layout.Presence(slot)).Name, id)
			}
		}
	case op != "" && len(v.Arguments) == 2:
		b := &ast.BinaryNode{Operator: op, Left: v.Arguments[0], Right: v.Arguments[1]}
		b.SetLocation(v.Location())
		f.fold(&b.Left)
		f.fold(&b.Right)
		*n = b
		if f.calls != nil {
			f.calls[b] = name.Value
		}
	case (name.Value == "in_net" || name.Value == "similar") && len(v.Arguments) == 2:
		if l, name, ok := f.list(v.Arguments[1]); ok {
			v.Arguments[1] = f.constant(v.Arguments[1], l, name)
		}
	}
}

// names gathers the names that a tree mentions, functions apart, each once.
type names struct{ all []string }

// Visit implements ast.Visitor.
func (c *names) Visit(n *ast.Node) {
	id, ok := (*n).(*ast.IdentifierNode)
	if !ok {
		return
	}
	if _, isFunction := functions[id.Value]; !isFunction && !slices.Contains(c.all, id.Value) {
		c.all = append(c.all, id.Value)
	}
}
