package rules

import (
	"strings"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/cond"
	"noroshi/internal/diag"
	"noroshi/internal/strictyaml"
)

// maxSwallowed is how much of a condition is shown that a comment swallows, in characters.
const maxSwallowed = 40

// swallowed tells of a comment that goes on in the next line of the file, because YAML has made one line of both, and reports
// whether there is one.
func (l *loader) swallowed(d *strictyaml.Doc, n *yaml.Node) bool {
	if n.Style&yaml.LiteralStyle != 0 || !strings.Contains(n.Value, "//") {
		return false
	}
	text := []rune(n.Value)
	for _, c := range cond.Comments(n.Value) {
		if text[c[0]+1] != '/' {
			continue
		}
		rest := belowLine(d, n, text, c)
		if rest == "" {
			continue
		}
		w, ok := scalarAt(d, n.Line, n.Column)
		advice := "write when: |"
		switch {
		case ok && w.flow:
			advice = "take the comment out"
		case ok && w.condition():
			advice = "write " + w.key + ": |"
		}
		p := d.Inside(n, c[0], "comment", "YAML joins these lines, so that the comment swallows "+rest+"; "+advice)
		if ok && !w.flow && w.condition() && n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) == 0 {
			p.Suggestion = w.right(l.set.Scope)
		}
		return true
	}
	return false
}

// belowLine is what a comment holds of the lines of the file below the one on which it begins.
func belowLine(d *strictyaml.Doc, n *yaml.Node, text []rune, comment [2]int) string {
	first, _ := d.Place(n, comment[0])
	for i := comment[0]; i < comment[1]; i++ {
		if text[i] == ' ' {
			continue
		}
		if line, _ := d.Place(n, i); line > first {
			rest := text[i:comment[1]]
			if len(rest) > maxSwallowed {
				return strings.TrimSpace(string(rest[:maxSwallowed])) + "…"
			}
			return strings.TrimSpace(string(rest))
		}
	}
	return ""
}

// mistakes puts what is wrong in a source to its place in the file. What can never hold is an error for check alone: a rule that
// works in part is better than none.
func (l *loader) mistakes(d *strictyaml.Doc, n *yaml.Node, ms []cond.Mistake) {
	for _, m := range ms {
		p := d.Inside(n, m.At, m.Code, m.Message)
		p.Suggestion = m.Suggestion
		if !m.Warning && commented(n, p) {
			l.cutCondition(d, n, p)
			return
		}
		if m.Warning && !(m.Certain && l.options.Strict) {
			p.Level = diag.Warning
		}
	}
}
