package strictyaml

import (
	"strings"
	"unicode"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/diag"
)

// Inside notes an error at a character of a scalar's text, counted from the text's beginning. The place is that character's in
// the file, whatever the scalar's style; where it cannot be told, the scalar's beginning.
func (d *Doc) Inside(n *yaml.Node, at int, code, message string) *diag.Problem {
	line, column := d.place(n, at)
	d.add(line, column, code, message)
	return &d.Problems[len(d.Problems)-1]
}

// Place is the line and the column of a character of a scalar's text; where it cannot be told, those of the scalar's beginning.
func (d *Doc) Place(n *yaml.Node, at int) (line, column int) { return d.place(n, at) }

// place finds a character of a scalar's text in the file.
func (d *Doc) place(n *yaml.Node, at int) (line, column int) {
	value := []rune(n.Value)
	at = min(max(at, 0), len(value))
	switch {
	case n.Style&yaml.LiteralStyle != 0:
		return d.literal(n, value, at)
	case n.Style&yaml.FoldedStyle != 0:
		return d.folded(n, value, at)
	}
	return d.flow(n, value, at)
}

// literal finds a character of a block whose lines are those of the file, but for the indentation.
func (d *Doc) literal(n *yaml.Node, value []rune, at int) (line, column int) {
	indent := d.indent(n)
	for line = n.Line + 1; ; line++ { // the indicator's line, then the text
		end := 0
		for end < len(value) && value[end] != '\n' {
			end++
		}
		if at <= end || end == len(value) {
			return line, indent + at + 1
		}
		value, at = value[end+1:], at-end-1
	}
}

// indent is what stands before the lines of a block: the first that is not blank tells, unless it begins with blanks itself, as
// after the indicator |2.
func (d *Doc) indent(n *yaml.Node) int {
	own := 0
	for text := range strings.Lines(n.Value) {
		if strings.TrimSpace(text) != "" {
			own = blanks(text)
			break
		}
	}
	for l := n.Line + 1; l <= len(d.lines); l++ {
		if text := d.Line(l); strings.TrimSpace(text) != "" {
			return max(blanks(text)-own, 0)
		}
	}
	return 0
}

func blanks(s string) int { return len(s) - len(strings.TrimLeft(s, " ")) }

// folded finds a character of a folded block: its characters other than white space are those of the file.
func (d *Doc) folded(n *yaml.Node, value []rune, at int) (line, column int) {
	before, all := solid(value[:at]), solid(value)
	line, column = n.Line, n.Column
	for l := n.Line + 1; l <= len(d.lines); l++ {
		for i, r := range []rune(d.Line(l)) {
			switch {
			case r == ' ':
				continue
			case before == 0 && all > 0:
				return l, i + 1
			case before == 0: // the text has ended
				return line, column
			}
			before, all = before-1, all-1
			line, column = l, i+2
		}
	}
	return line, column
}

// solid counts the characters that folding leaves alone.
func solid(text []rune) (n int) {
	for _, r := range text {
		if r != ' ' && r != '\n' {
			n++
		}
	}
	return n
}

// flow finds a character of a plain or quoted scalar by reading the file as YAML does: line breaks are folded, escapes stand
// for one character.
func (d *Doc) flow(n *yaml.Node, value []rune, at int) (line, column int) {
	double, single := n.Style&yaml.DoubleQuotedStyle != 0, n.Style&yaml.SingleQuotedStyle != 0
	line, i := n.Line, n.Column-1
	if double || single {
		i++
	}
	text := []rune(d.Line(line))
	for have := 0; have < at; have++ {
		if end := trimmed(text, i); i >= end && !d.last(line) {
			// YAML makes one blank of a line break, and of more breaks one fewer.
			breaks := 0
			for i >= end && !d.last(line) {
				line, breaks = line+1, breaks+1
				text = []rune(d.Line(line))
				i, end = leading(text), trimmed(text, 0)
			}
			have += max(breaks-1, 1) - 1
			continue
		}
		switch {
		case i >= len(text):
			return n.Line, n.Column
		case double && text[i] == '\\' && i+1 >= trimmed(text, i): // the line goes on below
			if d.last(line) {
				return n.Line, n.Column
			}
			line++
			text = []rune(d.Line(line))
			i, have = leading(text), have-1
		case double && text[i] == '\\':
			i += 2 + map[rune]int{'x': 2, 'u': 4, 'U': 8}[text[i+1]]
		case single && text[i] == '\'':
			i += 2
		case text[i] != value[have]: // this is not what the YAML library read
			return n.Line, n.Column
		default:
			i++
		}
	}
	return line, i + 1
}

func (d *Doc) last(line int) bool { return line >= len(d.lines) }

// trimmed is where the white space at a line's end begins, not before a place.
func trimmed(text []rune, from int) int {
	end := len(text)
	for end > from && unicode.IsSpace(text[end-1]) {
		end--
	}
	return end
}

func leading(text []rune) int {
	i := 0
	for i < len(text) && (text[i] == ' ' || text[i] == '\t') {
		i++
	}
	return i
}
