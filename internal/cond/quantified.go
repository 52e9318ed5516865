package cond

import (
	"github.com/expr-lang/expr/ast"

	"noroshi/internal/cond/index"
	"noroshi/internal/event"
)

// quantified is any(list, …), all, none or one, where what is asked of an element is fully understood.
type quantified struct {
	slot event.Slot
	name string
	each look
}

// look decides something about a text.
type look interface {
	holds(text string, ev *event.Event) bool
}

func (q *quantified) holds(ev *event.Event) bool {
	n := 0
	for _, text := range ev.List(q.slot) {
		switch holds := q.each.holds(text, ev); {
		case holds && q.name == "any":
			return true
		case holds && q.name == "none", !holds && q.name == "all":
			return false
		case holds:
			n++
		}
	}
	return q.name == "all" || q.name == "none" || q.name == "one" && n == 1
}

// quantifier is a look at the elements of a list as a pred.
func quantifier(s *Scope, v *ast.BuiltinNode) *pred {
	p := &pred{}
	if v.Name == "any" || v.Name == "one" {
		p = implied(s, v.Arguments[0])
	}
	id, isName := v.Arguments[0].(*ast.IdentifierNode)
	body, isBody := v.Arguments[len(v.Arguments)-1].(*ast.PredicateNode)
	if !isName || !isBody {
		return p
	}
	slot, known := s.Layout.Find(id.Value)
	each := lookOf(body.Node)
	if !known || s.Layout.Def(slot).Type != event.List || each == nil {
		return p
	}
	return &pred{shape: native, exact: true, slot: slot, test: &quantified{slot, v.Name, each}, actions: p.actions}
}

// lookOf is what a predicate asks of an element; nil where only the VM can tell.
func lookOf(n ast.Node) look {
	switch v := n.(type) {
	case *ast.UnaryNode:
		if of := lookOf(v.Node); of != nil && (v.Operator == "!" || v.Operator == "not") {
			return inverse{of}
		}
	case *ast.BinaryNode:
		switch v.Operator {
		case "&&", "and", "||", "or":
			l, r := lookOf(v.Left), lookOf(v.Right)
			if l == nil || r == nil {
				return nil
			}
			return &both{l, r, v.Operator == "||" || v.Operator == "or"}
		case "!=":
			if of := compared("==", v); of != nil {
				return inverse{of}
			}
			return nil
		}
		return compared(v.Operator, v)
	}
	return nil
}

// compared is a comparison of an element with constants.
func compared(operator string, v *ast.BinaryNode) (l look) {
	element, constant := v.Left, v.Right
	if _, isText := element.(*ast.StringNode); isText && operator == "==" {
		element, constant = constant, element
	}
	lower := false
	if b, isCall := element.(*ast.BuiltinNode); isCall && b.Name == "lower" && len(b.Arguments) == 1 {
		element, lower = b.Arguments[0], true
	}
	if p, isElement := element.(*ast.PointerNode); !isElement || p.Name != "" {
		return nil
	}
	switch op, ok := ops[operator]; {
	case operator == "matches":
		x := expressionOf(constant)
		if x == nil {
			return nil
		}
		l = x
	case ok:
		texts, known := constants(constant)
		if !known {
			return nil
		}
		o := &oneOfTexts{}
		for _, t := range texts {
			o.atoms = append(o.atoms, index.Atom{Op: op, Text: t})
		}
		o.set = setOf(o.atoms)
		l = o
	default:
		return nil
	}
	if lower {
		return folded{l}
	}
	return l
}

// oneOfTexts holds where one of the comparisons does.
type oneOfTexts struct {
	atoms []index.Atom
	set   map[string]struct{} // many equalities
}

func (o *oneOfTexts) holds(text string, _ *event.Event) bool { return holdsOne(o.atoms, o.set, text) }

// holdsOne reports whether one of the comparisons holds for a text; a set stands for many equalities.
func holdsOne(atoms []index.Atom, set map[string]struct{}, text string) bool {
	if set != nil {
		_, ok := set[text]
		return ok
	}
	for i := range atoms {
		if atoms[i].Holds(text) {
			return true
		}
	}
	return false
}

// both holds where both looks do, or either.
type both struct {
	left, right look
	either      bool
}

func (b *both) holds(text string, ev *event.Event) bool {
	if b.left.holds(text, ev) == b.either {
		return b.either
	}
	return b.right.holds(text, ev)
}

// inverse holds where a look does not.
type inverse struct{ of look }

func (o inverse) holds(text string, ev *event.Event) bool { return !o.of.holds(text, ev) }

// folded is a look at the text in lower case.
type folded struct{ of look }

func (f folded) holds(text string, ev *event.Event) bool { return f.of.holds(ev.Lower(text), ev) }
