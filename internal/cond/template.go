package cond

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr/parser"

	"noroshi/internal/event"
)

// Template is a text with {{ expressions }} in it. It is immutable.
type Template struct {
	texts  []string // one more than values
	values []*Program
}

// CompileTemplate compiles a text whose {{ }} hold expressions over the event. The template is nil if and only if a mistake
// is no warning; places count from the text's beginning.
func CompileTemplate(source string, s *Scope) (*Template, []Mistake) {
	t := &Template{}
	var mistakes []Mistake
	broken := false
	rest, at := source, 0
	for {
		text, after, found := strings.Cut(rest, "{{")
		t.texts = append(t.texts, text)
		mistakes = append(mistakes, unfilled(text, at)...)
		if !found {
			break
		}
		at += utf8.RuneCountInString(text) + 2
		inner, tail, closed := strings.Cut(after, "}}")
		if !closed {
			mistakes, broken = append(mistakes, Mistake{At: at - 2, Code: "syntax", Message: "{{ is not closed by }}"}), true
			break
		}
		p, ms := compile(inner, s, (*typing).shown)
		for _, m := range ms {
			m.At += at
			mistakes = append(mistakes, m)
			broken = broken || !m.Warning
		}
		t.values = append(t.values, p)
		rest, at = tail, at+utf8.RuneCountInString(inner)+2
	}
	if broken {
		return nil, mistakes
	}
	return t, mistakes
}

// otherBraces are how other programs write a field into a text.
var otherBraces = regexp.MustCompile(`\$?\{\s*([A-Za-z_][\w.]*)\s*\}|\$([a-z_]+(?:\.[a-z_]+)*)|%([a-z_]+(?:\.[a-z_]+)*)%`)

// unfilled tells of fields in a text that stay as they are written, because they do not stand in {{ }}.
func unfilled(text string, at int) (all []Mistake) {
	for _, m := range otherBraces.FindAllStringSubmatchIndex(text, -1) {
		for g := 2; g < len(m); g += 2 {
			if m[g] < 0 {
				continue
			}
			name := text[m[g]:m[g+1]]
			_, known := event.Lookup(name)
			if _, field, recorded := event.Recorded(name); !known && recorded && g == 2 {
				name, known = field, true
			}
			if known {
				all = append(all, Mistake{At: at + utf8.RuneCountInString(text[:m[0]]), Code: "value", Warning: true, Certain: true,
					Message: text[m[0]:m[1]] + " stays as it is written; a field's value is written in two braces", Suggestion: "{{ " + name + " }}"})
			}
		}
	}
	return all
}

// Slots are the values that the template mentions.
func (t *Template) Slots() (all []event.Slot) {
	for _, p := range t.values {
		all = append(all, p.slots...)
	}
	return all
}

// Uses are the look-ups in lists of the configuration.
func (t *Template) Uses() (all []ListUse) {
	for _, p := range t.values {
		all = append(all, p.uses...)
	}
	return all
}

// Render fills a template in. A value that cannot be had is left out.
func (m *Machine) Render(t *Template) string {
	return m.render(t, func(_, value string) string { return value })
}

// RenderQuoted is Render for a command of PowerShell. Values stand in its single quotes, and there perhaps inside a filter's
// ones, which the command writes as two: quotes in values are doubled once for each, so that a stranger who names an inbox
// rule or an account writes neither a command nor a condition. A value outside quotes gets its own.
func (m *Machine) RenderQuoted(t *Template) string {
	depth := 0
	return m.render(t, func(before, value string) string {
		switch depth = within(before, depth); depth {
		case 0:
			return "'" + quotes.Replace(value) + "'"
		case 1:
			return quotes.Replace(value)
		}
		return quotes.Replace(strings.ReplaceAll(value, "'", "''"))
	})
}

// quotes doubles what ends a text in single quotes: PowerShell takes the typographic ones for the same.
var quotes = strings.NewReplacer("'", "''", "\u2018", "\u2018\u2018", "\u2019", "\u2019\u2019", "\u201a", "\u201a\u201a", "\u201b", "\u201b\u201b")

// within tells how many single quotes are open after a text: none, PowerShell's, or those of a filter inside it too.
func within(text string, depth int) int {
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] != '\'':
		case depth > 0 && i+1 < len(text) && text[i+1] == '\'':
			depth, i = 3-depth, i+1
		case depth > 0:
			depth = 0
		default:
			depth = 1
		}
	}
	return depth
}

func (m *Machine) render(t *Template, written func(before, value string) string) string {
	var b strings.Builder
	for i, text := range t.texts {
		b.WriteString(text)
		if i < len(t.values) {
			value := ""
			if v, err := m.run(t.values[i]); err == nil {
				value = format(v)
			}
			b.WriteString(written(text, value))
		}
	}
	return b.String()
}

func format(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case []string:
		return strings.Join(v, ", ")
	}
	return fmt.Sprint(v)
}

// Conjunct is one of the parts of a condition that must all hold.
type Conjunct struct {
	Source  string
	Program *Program
}

// Conjuncts are the parts of a condition that is joined by &&, for explaining it; the whole where there are none.
func Conjuncts(source string, s *Scope) ([]Conjunct, error) {
	tree, err := parser.Parse(source)
	if err != nil {
		return nil, fmt.Errorf("parse condition: %w", err)
	}
	var all []Conjunct
	for _, n := range conjuncts(tree.Node) {
		text := n.String()
		p, ms := Compile(text, s)
		if p == nil {
			return nil, fmt.Errorf("compile part of condition: %s", ms[0].Message)
		}
		all = append(all, Conjunct{text, p})
	}
	return all, nil
}
