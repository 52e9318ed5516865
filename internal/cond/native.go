package cond

import (
	"net/netip"

	"github.com/expr-lang/expr/ast"

	"noroshi/internal/event"
)

// tester decides a part of a condition.
type tester interface {
	holds(ev *event.Event) bool
}

// looked is a look at a field of text.
type looked struct {
	slot event.Slot
	look look
}

func (l *looked) holds(ev *event.Event) bool { return l.look.holds(ev.Text(l.slot), ev) }

// matching is `field matches "…"` as a pred, nil where it is something else.
func matching(s *Scope, v *ast.BinaryNode) *pred {
	slot, isText := textField(s, v.Left)
	if v.Operator != "matches" || !isText {
		return nil
	}
	x := expressionOf(v.Right)
	if x == nil {
		return nil
	}
	p := &pred{shape: native, exact: true, slot: slot, test: &looked{slot, x}}
	if !x.re.MatchString("") {
		p.actions = actionsOf(s.Layout, slot)
	}
	return p
}

// alike are two fields of text that are equal.
type alike struct{ one, other event.Slot }

func (a *alike) holds(ev *event.Event) bool { return ev.Text(a.one) == ev.Text(a.other) }

// equality is `field == field` as a pred, nil where it is something else.
func equality(s *Scope, v *ast.BinaryNode) *pred {
	one, isText := textField(s, v.Left)
	other, areTexts := textField(s, v.Right)
	if v.Operator != "==" && v.Operator != "!=" || !isText || !areTexts {
		return nil
	}
	p := &pred{shape: native, exact: true, slot: one, test: &alike{one, other}}
	if v.Operator == "!=" {
		return negate(s, p)
	}
	return p
}

// longer is `len(field) > …` as a pred that only the VM can tell: it cannot hold where the field is absent. It is nil for any other node.
func longer(s *Scope, v *ast.BinaryNode) *pred {
	length, isCall := v.Left.(*ast.BuiltinNode)
	if v.Operator == "<" {
		length, isCall = v.Right.(*ast.BuiltinNode)
	}
	if v.Operator != ">" && v.Operator != "<" || !isCall || length.Name != "len" || len(length.Arguments) != 1 {
		return nil
	}
	other := v.Right
	if v.Operator == "<" {
		other = v.Left
	}
	if b, isCall := other.(*ast.BuiltinNode); !isCall || b.Name != "len" {
		return nil // it may be negative
	}
	return implied(s, length.Arguments[0])
}

// network is an address in one of a list's networks.
type network struct {
	slot event.Slot
	list List
}

func (n *network) holds(ev *event.Event) bool {
	text := ev.Text(n.slot)
	if text == "" {
		return false
	}
	a, err := netip.ParseAddr(text)
	return err == nil && n.list.HasAddress(a.Unmap())
}

// inNetwork is in_net(field, lists.name) as a pred. Of a list that differs by tenant only the VM knows.
func inNetwork(s *Scope, v *ast.CallNode) *pred {
	if len(v.Arguments) != 2 {
		return &pred{}
	}
	slot, isText := textField(s, v.Arguments[0])
	in, isConstant := v.Arguments[1].(*ast.ConstantNode)
	if !isText || !isConstant {
		return &pred{}
	}
	list, isList := in.Value.(List)
	if !isList {
		return &pred{}
	}
	if of, split := list.(ByTenant); split && len(of.Tenants()) > 0 {
		return implied(s, v.Arguments[0])
	}
	return &pred{shape: native, exact: true, slot: slot, test: &network{slot, list}, actions: actionsOf(s.Layout, slot)}
}

// textField is the slot of a field of text.
func textField(s *Scope, n ast.Node) (event.Slot, bool) {
	id, ok := n.(*ast.IdentifierNode)
	if !ok {
		return 0, false
	}
	slot, ok := s.Layout.Find(id.Value)
	return slot, ok && s.Layout.Def(slot).Type == event.Text
}
