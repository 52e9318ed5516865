package cond

import (
	"net/netip"
	"regexp"

	"github.com/expr-lang/expr/ast"

	"noroshi/internal/event"
)

// tester decides a part of a condition.
type tester interface {
	holds(ev *event.Event) bool
}

// expression is a text that matches an expression.
type expression struct {
	slot event.Slot
	re   *regexp.Regexp
}

func (x *expression) holds(ev *event.Event) bool { return x.re.MatchString(ev.Text(x.slot)) }

// matching is `field matches "…"` as a pred, nil where it is something else.
func matching(s *Scope, v *ast.BinaryNode) *pred {
	slot, isText := textField(s, v.Left)
	pattern, isConstant := v.Right.(*ast.StringNode)
	if v.Operator != "matches" || !isText || !isConstant {
		return nil
	}
	re, err := regexp.Compile(pattern.Value)
	if err != nil {
		return nil
	}
	p := &pred{shape: native, exact: true, slot: slot, test: &expression{slot, re}}
	if !re.MatchString("") {
		p.actions = actionsOf(s.Layout, slot)
	}
	return p
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
