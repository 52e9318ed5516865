package cond

import (
	"reflect"

	"github.com/expr-lang/expr/ast"

	"noroshi/internal/event"
)

// measure compares a number field, or the length of a list, with constants. What is absent is 0, as for the VM.
type measure struct {
	slot    event.Slot
	length  bool
	op      string
	numbers []float64 // more than one of `in` alone
}

// measured is a comparison of numbers as a pred; it is nil for any other node.
func measured(s *Scope, v *ast.BinaryNode) *pred {
	m := measure{op: v.Operator}
	field, constants := v.Left, v.Right
	if _, ok := numbersOf(v.Left); ok {
		field, constants, m.op = v.Right, v.Left, mirrored[v.Operator]
	}
	if mirrored[m.op] == "" && m.op != "in" {
		return nil
	}
	var ok bool
	if m.numbers, ok = numbersOf(constants); !ok || m.op != "in" && len(m.numbers) != 1 {
		return nil
	}
	if b, isCall := field.(*ast.BuiltinNode); isCall && b.Name == "len" && len(b.Arguments) == 1 {
		field, m.length = b.Arguments[0], true
	}
	id, isName := field.(*ast.IdentifierNode)
	if !isName {
		return nil
	}
	if m.slot, ok = s.Layout.Find(id.Value); !ok {
		return nil
	}
	if of := s.Layout.Def(m.slot).Type; m.length && of != event.List || !m.length && of != event.Number {
		return nil
	}
	p := &pred{shape: native, exact: true, slot: m.slot, test: &m}
	if !m.admits(0) {
		p.actions = actionsOf(s.Layout, m.slot)
	}
	return p
}

// numbersOf are the numbers of a constant, or of a list of them.
func numbersOf(n ast.Node) (all []float64, ok bool) {
	if x, ok := amount(n); ok {
		return []float64{x}, true
	}
	switch v := n.(type) {
	case *ast.ArrayNode:
		for _, x := range v.Nodes {
			one, ok := amount(x)
			if !ok {
				return nil, false
			}
			all = append(all, one)
		}
		return all, len(all) > 0
	case *ast.ConstantNode:
		return constantNumbers(v.Value)
	}
	return nil, false
}

// constantNumbers are the numbers of a list that the compiler has folded.
func constantNumbers(list any) (all []float64, ok bool) {
	var elements []reflect.Value
	switch l := reflect.ValueOf(list); l.Kind() {
	case reflect.Slice:
		for i := range l.Len() {
			elements = append(elements, l.Index(i))
		}
	case reflect.Map:
		elements = l.MapKeys()
	}
	for _, x := range elements {
		if x.Kind() == reflect.Interface {
			x = x.Elem()
		}
		switch {
		case x.CanInt():
			all = append(all, float64(x.Int()))
		case x.CanFloat():
			all = append(all, x.Float())
		default:
			return nil, false
		}
	}
	return all, len(all) > 0
}

func (m *measure) holds(ev *event.Event) bool {
	if m.length {
		return m.admits(float64(len(ev.List(m.slot))))
	}
	n, _ := event.NumberOf(ev.Text(m.slot))
	return m.admits(n)
}

func (m *measure) admits(n float64) bool {
	switch m.op {
	case "<":
		return n < m.numbers[0]
	case "<=":
		return n <= m.numbers[0]
	case ">":
		return n > m.numbers[0]
	case ">=":
		return n >= m.numbers[0]
	case "!=":
		return n != m.numbers[0]
	}
	for _, k := range m.numbers { // == and in
		if n == k {
			return true
		}
	}
	return false
}
