package cond

import (
	"reflect"

	"github.com/expr-lang/expr/ast"

	"noroshi/internal/cond/index"
	"noroshi/internal/event"
)

type shape uint8

const (
	unknown shape = iota // only the VM can tell
	atoms                // one of them holds
	and
	or
	not
	native // a test of its own
)

// pred is a condition as far as it is understood without the VM. An unknown part counts as true, so a pred that does not hold
// proves that the rule does not fire; it never proves that it does.
type pred struct {
	shape   shape
	exact   bool // it is fully understood
	slot    event.Slot
	atoms   []index.Atom
	set     map[string]struct{} // many equalities
	empty   bool                // one of the atoms holds for absent text: nothing to look up
	actions []string            // it cannot hold without one of these operations
	present bool                // of one that is unknown: it cannot hold where the slot has no value
	kids    []*pred
	test    tester
}

func translate(s *Scope, n ast.Node) *pred {
	switch v := n.(type) {
	case *ast.IdentifierNode:
		if slot, ok := s.Layout.Find(v.Value); ok && s.Layout.Def(slot).Type == event.Bool {
			return equal(s, slot, "true")
		}
	case *ast.UnaryNode:
		if v.Operator == "!" || v.Operator == "not" {
			return negate(s, translate(s, v.Node))
		}
	case *ast.BinaryNode:
		if p := measured(s, v); p != nil {
			return p
		}
		if p := truth(s, v); p != nil {
			return p
		}
		for _, known := range []func(*Scope, *ast.BinaryNode) *pred{matching, equality, longer} {
			if p := known(s, v); p != nil {
				return p
			}
		}
		switch v.Operator {
		case "&&", "and":
			return join(and, translate(s, v.Left), translate(s, v.Right))
		case "||", "or":
			return join(or, translate(s, v.Left), translate(s, v.Right))
		case "!=":
			return negate(s, comparison(s, "==", v))
		}
		return comparison(s, v.Operator, v)
	case *ast.BuiltinNode:
		if v.Name == "any" || v.Name == "one" || v.Name == "all" || v.Name == "none" {
			return quantifier(s, v)
		}
	case *ast.CallNode:
		if id, ok := v.Callee.(*ast.IdentifierNode); ok && (id.Value == "external" || id.Value == "unresolved") {
			return implied(s, v.Arguments[0])
		} else if ok && id.Value == listedName {
			return ofTenants(s, v)
		} else if ok && id.Value == "in_net" {
			return inNetwork(s, v)
		}
	}
	return &pred{}
}

// truth is a comparison of a truth with a constant as a pred; it is nil for any other node.
func truth(s *Scope, v *ast.BinaryNode) *pred {
	field, constant := v.Left, v.Right
	if _, ok := field.(*ast.BoolNode); ok {
		field, constant = constant, field
	}
	b, isConstant := constant.(*ast.BoolNode)
	if _, isField := field.(*ast.IdentifierNode); !isField || !isConstant || v.Operator != "==" && v.Operator != "!=" {
		return nil
	}
	p := translate(s, field)
	if b.Value != (v.Operator == "==") {
		return negate(s, p)
	}
	return p
}

// ofTenants is a look-up in a list that differs by tenant: it cannot hold of a text that no tenant has there, and only the VM asks for the
// event's.
func ofTenants(s *Scope, v *ast.CallNode) *pred {
	id, isName := v.Arguments[0].(*ast.IdentifierNode)
	in, isConstant := v.Arguments[1].(*ast.ConstantNode)
	if !isName || !isConstant {
		return &pred{}
	}
	texts, ok := in.Value.(*tenantTexts)
	if !ok {
		return &pred{}
	}
	p := comparison(s, "in", &ast.BinaryNode{Operator: "in", Left: id, Right: &ast.ConstantNode{Value: texts.all}})
	p.exact = false
	return p
}

// implied is a pred that only the VM can tell, but that cannot hold where the value is absent.
func implied(s *Scope, n ast.Node) *pred {
	p := &pred{}
	if id, ok := n.(*ast.IdentifierNode); ok {
		if slot, ok := s.Layout.Find(id.Value); ok {
			p.actions = actionsOf(s.Layout, slot)
			p.slot, p.present = s.Layout.Root(slot), true
		}
	}
	return p
}

// actionsOf are the operations without which a slot's value is absent.
func actionsOf(l *event.Layout, slot event.Slot) []string {
	d := l.Def(l.Root(slot))
	if d.Field == nil {
		return nil
	}
	return d.Field.Actions
}

func equal(s *Scope, slot event.Slot, text string) *pred {
	return &pred{shape: atoms, exact: true, slot: slot, atoms: []index.Atom{{Slot: int32(slot), Op: index.Equal, Text: text}}, actions: actionsOf(s.Layout, slot)}
}

// negate is the opposite of what is fully understood. Not being "" implies a value.
func negate(s *Scope, k *pred) *pred {
	if !k.exact {
		return &pred{}
	}
	p := &pred{shape: not, exact: true, kids: []*pred{k}}
	if k.shape == atoms && k.empty {
		p.actions = actionsOf(s.Layout, k.slot)
	}
	return p
}

// join flattens, and makes alternatives over one slot one pred.
func join(by shape, l, r *pred) *pred {
	if by == or && l.shape == atoms && r.shape == atoms && l.slot == r.slot {
		all := append(append([]index.Atom{}, l.atoms...), r.atoms...)
		p := &pred{shape: atoms, exact: l.exact && r.exact, slot: l.slot, atoms: all, set: setOf(all), empty: l.empty || r.empty}
		if !p.empty {
			p.actions = l.actions
		}
		return p
	}
	p := &pred{shape: by, exact: l.exact && r.exact}
	for _, k := range []*pred{l, r} {
		if k.shape == by {
			p.kids = append(p.kids, k.kids...)
		} else {
			p.kids = append(p.kids, k)
		}
	}
	return p
}

var ops = map[string]index.Op{"==": index.Equal, "in": index.Equal, "startsWith": index.Prefix, "endsWith": index.Suffix, "contains": index.Contains}

func comparison(s *Scope, operator string, v *ast.BinaryNode) *pred {
	op, ok := ops[operator]
	id, isName := v.Left.(*ast.IdentifierNode)
	right := v.Right
	if !isName && operator == "==" {
		id, isName = v.Right.(*ast.IdentifierNode)
		right = v.Left
	}
	if operator == "in" && !isName {
		return implied(s, v.Right)
	}
	if !ok || !isName {
		return &pred{}
	}
	slot, known := s.Layout.Find(id.Value)
	if !known || s.Layout.Def(slot).Type != event.Text {
		return &pred{}
	}
	texts, ok := constants(right)
	if !ok {
		return &pred{}
	}
	p := &pred{shape: atoms, exact: true, slot: slot}
	for _, t := range texts {
		p.empty = p.empty || t == ""
		p.atoms = append(p.atoms, index.Atom{Slot: int32(slot), Op: op, Text: t})
	}
	if !p.empty {
		p.actions = actionsOf(s.Layout, slot)
	}
	p.set = setOf(p.atoms)
	return p
}

// constants are the texts of a constant or of a list of them.
func constants(n ast.Node) (texts []string, ok bool) {
	switch v := n.(type) {
	case *ast.StringNode:
		return []string{v.Value}, true
	case *ast.ConstantNode:
		m := reflect.ValueOf(v.Value)
		if m.Kind() != reflect.Map || m.Type().Key().Kind() != reflect.String {
			return nil, false
		}
		for _, k := range m.MapKeys() {
			texts = append(texts, k.String())
		}
		return texts, true
	case *ast.ArrayNode:
		for _, x := range v.Nodes {
			t, isText := x.(*ast.StringNode)
			if !isText {
				return nil, false
			}
			texts = append(texts, t.Value)
		}
		return texts, true
	}
	return nil, false
}

// setOf speeds up long lists of equalities.
func setOf(all []index.Atom) map[string]struct{} {
	if len(all) < 6 {
		return nil
	}
	m := map[string]struct{}{}
	for _, a := range all {
		if a.Op != index.Equal {
			return nil
		}
		m[a.Text] = struct{}{}
	}
	return m
}

// holds is false only where the rule cannot fire.
func (p *pred) holds(ev *event.Event) bool {
	switch p.shape {
	case atoms:
		return holdsOne(p.atoms, p.set, ev.Text(p.slot))
	case and:
		for _, k := range p.kids {
			if !k.holds(ev) {
				return false
			}
		}
	case or:
		for _, k := range p.kids {
			if k.holds(ev) {
				return true
			}
		}
		return false
	case not:
		return !p.kids[0].holds(ev)
	case native:
		return p.test.holds(ev)
	}
	return !p.present || ev.Has(p.slot)
}

// conjuncts are the operands of the conjunctions at the top of a tree.
func conjuncts(n ast.Node) []ast.Node {
	if b, ok := n.(*ast.BinaryNode); ok && (b.Operator == "&&" || b.Operator == "and") {
		return append(conjuncts(b.Left), conjuncts(b.Right)...)
	}
	return []ast.Node{n}
}
