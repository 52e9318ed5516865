// Package cond compiles and runs the conditions of rules.
package cond

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/conf"
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

// ByTenant is a list in whose place single tenants have their own.
type ByTenant interface {
	List // as it is for all others
	// Tenants are the ids of these tenants.
	Tenants() []string
	// Own is a tenant's list, nil where it has none.
	Own(tenant string) List
}

// Scope is what a condition may speak of.
type Scope struct {
	Layout    *event.Layout                  // numbers the fields; grows as conditions are compiled
	Lists     func(name string) (List, bool) // nil where there are none
	ListNames []string                       // for suggestions
	// Own finds further names, which only the texts of one rule may use; nil where there are none.
	Own func(name string) (event.Slot, bool)
	// Unknown says what is wrong with a name that is no field, and what is meant; "" where that is not known. It may be nil.
	Unknown func(name string) (message, meant string)
	// Records says what records have under a name that is no field. It may be nil.
	Records func(name string) Recorded
}

// Recorded is what records have under a name, as conditions write it.
type Recorded struct {
	Ways   []string // a member or an entry
	Inside []string // the members of an object
	Deep   bool     // a list or an object, which is no single value
}

// slot is the number of the field of a name.
func (s *Scope) slot(name string) (event.Slot, bool) {
	if s.Own != nil {
		if slot, ok := s.Own(name); ok {
			return slot, true
		}
	}
	return s.Layout.Slot(name)
}

// Mistake is what is wrong in a source.
type Mistake struct {
	At         int // in characters from the source's beginning
	Code       string
	Message    string
	Suggestion string
	Warning    bool // the source works, though hardly as meant
	Certain    bool // of a warning: no record whatever makes it untrue
}

// Program is a compiled condition or value. It is immutable.
type Program struct {
	Source string
	vm     *vm.Program
	slots  []event.Slot // what the VM needs
	names  []string     // theirs, in its environment
	root   *pred
	uses   []ListUse
}

// Slots are the values that the source mentions.
func (p *Program) Slots() []event.Slot { return p.slots }

// Uses are the look-ups in lists of the configuration.
func (p *Program) Uses() []ListUse { return p.uses }

// Compile compiles a condition. The program is nil if and only if a mistake is no warning.
func Compile(source string, s *Scope) (*Program, []Mistake) {
	return compile(source, s, (*typing).condition)
}

// compile compiles a condition or a value.
func compile(source string, s *Scope, check func(*typing, ast.Node)) (*Program, []Mistake) {
	if ms := bounds(source); len(ms) > 0 {
		return nil, ms
	}
	tree, err := parser.ParseWithConfig(source, parseConfig())
	if err != nil {
		return nil, []Mistake{unreadable(source, err)}
	}
	c := &checker{scope: s}
	if c.allow(tree.Node, 0); len(c.mistakes) == 0 {
		check(&typing{checker: c, whole: tree.Node}, tree.Node)
	}
	if len(c.mistakes) > 0 {
		return nil, c.mistakes
	}
	f := &flatten{scope: s, lists: map[*ast.ConstantNode]string{}, calls: map[ast.Node]string{}}
	ast.Walk(&tree.Node, f)
	seen := &names{}
	ast.Walk(&tree.Node, seen)
	compiled, err := expr.Compile(source, expr.Env(environment(s, seen.all)), expr.MaxNodes(MaxNodes), expr.Patch(&flatten{scope: s}))
	if err != nil {
		return nil, []Mistake{{Code: "type", Message: "the condition cannot be evaluated"}}
	}
	p := &Program{Source: source, vm: compiled, root: translate(s, compiled.Node())}
	for _, n := range seen.all {
		if slot, ok := s.Layout.Find(n); ok {
			p.slots, p.names = append(p.slots, slot), append(p.names, n)
		}
	}
	w := &literals{checker: c, lists: f.lists, calls: f.calls}
	w.settles(tree.Node)
	w.walk(tree.Node)
	p.uses = w.uses
	return p, c.mistakes
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
	env[listedName] = func(string, *tenantTexts) bool { return false }
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
	open := 0
	var quote rune
	escaped := false
	for at, r := range uncommented(source) {
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
	}
	return nil
}
