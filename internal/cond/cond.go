// Package cond compiles and runs the conditions of rules.
package cond

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/vm"

	"noroshi/internal/event"
)

// The bounds of a condition.
const (
	MaxSource  = 8 << 10 // bytes
	MaxNesting = 50      // brackets open at once
	MaxNodes   = 500     // of the syntax tree
)

// List is a list of the configuration, as conditions use it.
type List interface {
	// Has reports whether the list holds a text, case aside; of accepted domains whether one covers it.
	Has(text string) bool
	// HasAddress reports whether one of the list's networks holds the address.
	HasAddress(a netip.Addr) bool
	// Texts are the list's entries, lower case.
	Texts() []string
}

// Scope is what a condition may speak of.
type Scope struct {
	Layout    *event.Layout                  // numbers the fields; grows as conditions are compiled
	Lists     func(name string) (List, bool) // nil where there are none
	ListNames []string                       // for suggestions
}

// Mistake is what is wrong in a source.
type Mistake struct {
	At         int // in characters from the source's beginning
	Code       string
	Message    string
	Suggestion string
	Warning    bool
}

func (m Mistake) Error() string {
	return fmt.Sprintf("character %d: %s [%s]", m.At+1, m.Message, m.Code)
}

// Program is a compiled condition or value. It is immutable.
type Program struct {
	Source string
	vm     *vm.Program
	slots  []event.Slot // what the VM needs
	names  []string     // theirs, in its environment
	root   *pred
}

// Slots are the values that the source mentions.
func (p *Program) Slots() []event.Slot { return p.slots }

// Compile compiles a condition. The program is nil if and only if a mistake is no warning.
func Compile(source string, s *Scope) (*Program, []Mistake) {
	return compile(source, s, expr.AsBool())
}

func compile(source string, s *Scope, kind ...expr.Option) (*Program, []Mistake) {
	if ms := bounds(source); len(ms) > 0 {
		return nil, ms
	}
	tree, err := parser.ParseWithConfig(source, parseConfig())
	if err != nil {
		return nil, []Mistake{mistakeOf(source, err)}
	}
	c := &checker{scope: s}
	c.allow(tree.Node, 0)
	if len(c.mistakes) > 0 {
		return nil, c.mistakes
	}
	f := &flatten{scope: s}
	ast.Walk(&tree.Node, f)
	if len(f.mistakes) > 0 {
		return nil, f.mistakes
	}
	seen := &names{}
	ast.Walk(&tree.Node, seen)
	if c.fields(tree.Node, seen); len(c.mistakes) > 0 {
		return nil, c.mistakes
	}
	options := append([]expr.Option{expr.Env(environment(s, seen.all)), expr.MaxNodes(MaxNodes), expr.Patch(&flatten{scope: s})}, kind...)
	compiled, err := expr.Compile(source, options...)
	if err != nil {
		return nil, []Mistake{mistakeOf(source, err)}
	}
	p := &Program{Source: source, vm: compiled, root: translate(s, compiled.Node())}
	for _, n := range seen.all {
		if slot, ok := s.Layout.Find(n); ok {
			p.slots, p.names = append(p.slots, slot), append(p.names, n)
		}
	}
	return p, nil
}

// parseConfig makes the parser refuse nothing by name: the checker does, with a better message.
func parseConfig() *conf.Config {
	c := conf.CreateNew()
	c.MaxNodes = MaxNodes
	return c
}

// environment is the type of every name that a source mentions, and the functions.
func environment(s *Scope, all []string) map[string]any {
	env := map[string]any{}
	for name, f := range functions {
		env[name] = f.typed
	}
	for _, n := range all {
		if slot, ok := s.Layout.Find(n); ok {
			env[n] = zero(s.Layout.Def(slot).Type)
		}
	}
	return env
}

func zero(t event.Type) any {
	switch t {
	case event.Number:
		return 0.0
	case event.Bool:
		return false
	case event.List:
		return []string(nil)
	}
	return ""
}

// mistakeOf is an error of expr with its place.
func mistakeOf(source string, err error) Mistake {
	var e *file.Error
	if !errors.As(err, &e) {
		code := "syntax"
		if strings.Contains(err.Error(), "expected bool") {
			return Mistake{Code: "type", Message: "a condition is true or false, but here: " + plainWords(err.Error())}
		}
		if strings.Contains(err.Error(), "exceeds maximum allowed nodes") {
			code = "nodes"
		}
		return Mistake{Code: code, Message: firstLine(err.Error())}
	}
	code := "syntax"
	switch {
	case strings.Contains(e.Message, "exceeds maximum allowed nodes"):
		return Mistake{Code: "nodes", Message: fmt.Sprintf("the condition has more than %d parts", MaxNodes)}
	case strings.Contains(e.Message, "mismatched types"), strings.Contains(e.Message, "invalid operation"), strings.Contains(e.Message, "expected bool"),
		strings.Contains(e.Message, "cannot use"), strings.Contains(e.Message, "arguments"), strings.Contains(e.Message, "invalid argument"), strings.Contains(e.Message, "predicate"):
		code = "type"
	case strings.Contains(e.Message, "unknown name"):
		code = "field"
	}
	return Mistake{At: min(e.From, utf8.RuneCountInString(source)), Code: code, Message: plainWords(e.Message)}
}

// plainWords says what expr says in the words of the field table.
func plainWords(s string) string {
	return strings.NewReplacer("float64", "number", "[]string", "list", "string", "text", "int", "number", "<nil>", "nothing").Replace(firstLine(s))
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// bounds checks what must hold before anything is parsed: length, nesting, UTF-8.
func bounds(source string) []Mistake {
	if len(source) > MaxSource {
		return []Mistake{{Code: "size", Message: fmt.Sprintf("the condition has %d bytes; at most %d are read", len(source), MaxSource)}}
	}
	if strings.TrimSpace(source) == "" {
		return []Mistake{{Code: "syntax", Message: "the condition is empty"}}
	}
	open, at := 0, 0
	var quote rune
	escaped := false
	for _, r := range source {
		switch {
		case escaped:
			escaped = false
		case quote != 0:
			escaped = r == '\\' && quote != '`'
			if r == quote {
				quote = 0
			}
		case r == '"' || r == '\'' || r == '`':
			quote = r
		case r == '(' || r == '[' || r == '{':
			if open++; open > MaxNesting {
				return []Mistake{{At: at, Code: "nesting", Message: fmt.Sprintf("more than %d brackets are open here", MaxNesting)}}
			}
		case r == ')' || r == ']' || r == '}':
			open = max(open-1, 0)
		}
		at++
	}
	return nil
}
