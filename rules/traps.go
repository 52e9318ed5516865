package rules

import (
	"regexp"
	"strings"
	"unicode/utf8"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/cond"
	"noroshi/internal/diag"
	"noroshi/internal/strictyaml"
)

// What authors should write where YAML reads a part of a condition or a text as its own.
const (
	inQuotes     = "put the condition in single quotes"
	textInQuotes = "put the text in single quotes"
	cutByComment = "YAML reads # after a blank as a comment, and the condition ends there; "
)

// signs of YAML that conditions and texts begin with as well.
var yamlSigns = map[byte]string{
	'"': "a quote", '\'': "a quote", '!': "!", '*': "*", '&': "&", '[': "a bracket", '{': "a brace", '%': "%", '@': "@", '`': "a backtick",
	'|': "|", '>': ">", '-': "a hyphen", '?': "a question mark", ',': "a comma", '#': "#",
}

var (
	keyLine = regexp.MustCompile(`^(\s*(?:- +)?)(when|among|title|summary|description|because|owner|name|runbook)[ \t]*:(?:[ \t]+(.*))?$`)
	nextKey = regexp.MustCompile(`,\s*[a-z_]+:(\s|$)`)
	keyFlow = regexp.MustCompile(`[{,]\s*(when|among)\s*:\s+`)
)

// scalar is a condition or a text as it stands in the file, whatever YAML makes of it.
type scalar struct {
	key    string
	value  string   // what follows the key on its line
	lines  []string // those below that belong to it, trimmed
	indent string   // what stands before the key
	line   int      // of the key
	column int      // of the value, in characters
	flow   bool     // in braces, where no block can stand
}

// condition reports whether it is one, not a text.
func (w scalar) condition() bool { return w.key == "when" || w.key == "among" }

// onItsOwnLine is how a condition is written so that YAML reads nothing of it as its own.
func onItsOwnLine(key string) string {
	return "write " + key + ": | and put the condition on the next line"
}

// scalarAt finds what stands at a place of a file: the key is on the line, or on one above that is less indented.
func scalarAt(d *strictyaml.Doc, line, column int) (w scalar, ok bool) {
	text := d.Line(line)
	if at := keyFlow.FindAllStringSubmatchIndex(text, -1); len(at) > 0 {
		for _, m := range at {
			if start := utf8.RuneCountInString(text[:m[1]]) + 1; start <= column {
				w = scalar{key: text[m[2]:m[3]], value: inBraces(text[m[1]:]), line: line, column: start, flow: true}
			}
		}
		if w.key != "" {
			return w, true
		}
	}
	for l := line; l >= 1 && line-l < 50; l-- {
		if m := keyLine.FindStringSubmatch(d.Line(l)); m != nil {
			w = scalar{key: m[2], value: strings.TrimSpace(m[3]), indent: strings.ReplaceAll(m[1], "-", " "), line: l}
			w.column = utf8.RuneCountInString(strings.TrimSuffix(m[0], m[3])) + 1
			break
		}
		if l != line && strings.TrimSpace(d.Line(l)) == "" {
			continue
		}
		if t := d.Line(l); l != line && t == strings.TrimLeft(t, " \t") {
			break // another key
		}
	}
	if w.key == "" {
		return w, false
	}
	for l := w.line + 1; ; l++ {
		t := d.Line(l)
		own := len(t)-len(strings.TrimLeft(t, " \t")) > len(w.indent)
		if strings.TrimSpace(t) == "" || !own && l > line {
			break
		}
		w.lines = append(w.lines, strings.TrimSpace(t))
	}
	return w, true
}

// inBraces is the value in braces that a text begins with: it ends before the next key, or where the braces close.
func inBraces(text string) string {
	from := 0
	if text != "" && (text[0] == '"' || text[0] == '\'') {
		from = strings.IndexByte(text[1:], text[0]) + 1
	}
	if next := nextKey.FindStringIndex(text[from:]); next != nil {
		text = text[:from+next[0]]
	}
	return strings.TrimRight(text, "]} \t")
}

// right is how the condition or the text is written so that YAML leaves it alone.
func (w scalar) right(s *cond.Scope) string {
	value := w.value
	if !w.condition() || w.flow {
		return w.key + ": " + singleQuoted(w.unquoted(s))
	}
	lines := w.lines
	switch first := strings.TrimSpace(strings.TrimLeft(value, "|>-+0123456789")); {
	case value != "" && (value[0] == '|' || value[0] == '>'):
		value = first
	case len(lines) == 0:
		value = w.unquoted(s)
	}
	if value != "" {
		lines = append([]string{value}, lines...)
	}
	return w.key + ": |\n  " + strings.Join(lines, "\n  ")
}

// quoted reports whether the value begins and ends with the same quote.
func (w scalar) quoted() bool {
	n := len(w.value)
	return n >= 2 && (w.value[0] == '"' || w.value[0] == '\'') && w.value[n-1] == w.value[0]
}

// unquoted is the value without quotes around the whole, where they are around the whole.
func (w scalar) unquoted(s *cond.Scope) string {
	v := w.value
	if !w.quoted() {
		return v
	}
	if p, _ := cond.Compile(v, s); w.condition() && p != nil {
		return v
	}
	return v[1 : len(v)-1]
}

func singleQuoted(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// trapped says what YAML has made of a condition or a text that holds one of its signs, and what would be right.
func (l *loader) trapped(d *strictyaml.Doc) {
	for i := range d.Problems {
		p := &d.Problems[i]
		if p.Code != "yaml" && p.Code != "tag" && p.Code != "alias" || p.Message == strictyaml.OpenQuote {
			continue
		}
		if p.Code == "yaml" && l.cutInBraces(d, p) {
			continue
		}
		w, ok := scalarAt(d, p.Line, p.Column)
		switch {
		case !ok:
		case p.Line == w.line && p.Column < w.column: // the key is the trouble
		case p.Code != "yaml" && (p.Line != w.line || p.Column != w.column): // something inside it
		default:
			l.trap(d, p, w)
		}
	}
}

// cutInBraces tells of braces that are not closed, because a # in a condition begins a comment.
func (l *loader) cutInBraces(d *strictyaml.Doc, p *diag.Problem) bool {
	for line := min(p.Line, d.Lines()); line >= 1 && line > p.Line-3; line-- {
		text := d.Line(line)
		m := keyFlow.FindStringIndex(text)
		if m == nil || !strings.Contains(text[m[1]:], " #") {
			continue
		}
		p.Line, p.Source = line, text
		p.Column = utf8.RuneCountInString(text[:m[1]+strings.Index(text[m[1]:], " #")]) + 2
		w, _ := scalarAt(d, line, p.Column)
		p.Message, p.Suggestion = cutByComment+inQuotes, w.right(l.set.Scope)
		return true
	}
	return false
}

func (l *loader) trap(d *strictyaml.Doc, p *diag.Problem, w scalar) {
	advice := textInQuotes
	switch {
	case w.condition() && w.flow:
		advice = inQuotes
	case w.condition():
		advice = onItsOwnLine(w.key)
	}
	reason := ""
	block := w.value != "" && strings.Trim(w.value, "|>-+0123456789") == ""
	text := d.Line(p.Line)
	switch {
	case p.Line > w.line && ownLine.MatchString(text):
		p.Message = "a tab cannot indent; indent by blanks"
		return
	case p.Line > w.line && strings.HasPrefix(strings.TrimLeft(text, " "), "\t"):
		reason = "a tab cannot indent"
	case p.Line > w.line && !indented(text, w.indent):
		reason = "this line is not indented, so that it does not belong to " + w.key + ": above"
	case block:
		return // YAML leaves such a text alone
	case strings.HasPrefix(w.value, "{{") || strings.HasPrefix(w.value, "{ ") && !w.condition():
		reason = "YAML reads { at the beginning as a mapping"
	case strings.HasPrefix(p.Message, "YAML has no such escape"):
		reason = "YAML has no such escape in double quotes"
	case w.quoted():
		reason = "the text ends at the quote inside it"
	case w.value != "" && yamlSigns[w.value[0]] != "":
		reason = "YAML reads " + yamlSigns[w.value[0]] + " at the beginning as its own"
	case strings.Contains(w.value+" "+strings.Join(w.lines, " "), ": "):
		reason = "YAML reads a colon before a blank as its own"
	default:
		return
	}
	p.Message, p.Suggestion = reason+"; "+advice, w.right(l.set.Scope)
}

// ownLine is a line indented by a tab that is no part of the text before it, but a key or an entry of its own.
var ownLine = regexp.MustCompile(`^ *\t\s*(- |[a-z_]+:( |$))`)

func indented(line, more string) bool {
	return len(line)-len(strings.TrimLeft(line, " \t")) > len(more)
}

// commented reports whether YAML has cut a plain text at a # that it reads as a comment.
func commented(n *yaml.Node, p *diag.Problem) bool {
	return n.Line == p.Line && comment(n, p.Source) != ""
}

// cutCondition says that a condition ends at what YAML reads as a comment, and what would be right.
func (l *loader) cutCondition(d *strictyaml.Doc, n *yaml.Node, p *diag.Problem) {
	p.Message, p.Suggestion = cutByComment+onItsOwnLine("when"), ""
	w, ok := scalarAt(d, n.Line, n.Column)
	if !ok {
		return
	}
	p.Message = cutByComment + onItsOwnLine(w.key)
	if w.flow {
		p.Message = cutByComment + inQuotes
	}
	p.Suggestion = w.right(l.set.Scope)
}

// goesOn is how a comment begins that goes on with the condition before it.
var goesOn = regexp.MustCompile(`^#\s*(&&|\|\|)`)

// cutExpression warns of a whole condition behind which a comment goes on with it: half of what was meant may be lost.
func (l *loader) cutExpression(d *strictyaml.Doc, n *yaml.Node) {
	rest := comment(n, d.Line(n.Line))
	if rest == "" {
		return
	}
	if !goesOn.MatchString(rest) {
		if p, _ := cond.Compile(n.Value+" "+rest[1:], l.set.Scope); p == nil {
			return // prose
		}
	}
	p := d.At(n, "comment", "YAML reads "+rest+" as a comment, and the condition ends before it; take the # away, or put the comment on a line of its own")
	p.Level = diag.Warning
}

// comment is what YAML reads as a comment behind a plain text of one line, or "" if there is none.
func comment(n *yaml.Node, line string) string {
	if n.Style != 0 || n.Kind != yaml.ScalarNode {
		return ""
	}
	_, after, found := strings.Cut(line, n.Value)
	if n.Value == "" {
		_, after, found = strings.Cut(line, ":")
	}
	if after = strings.TrimLeft(after, " \t"); found && strings.HasPrefix(after, "#") {
		return after
	}
	return ""
}

// cutText warns of a text that YAML has cut at a # which was hardly meant as a comment: it is followed by a letter or a digit, as
// in "ticket #5", or by an expression.
func cutText(d *strictyaml.Doc, n *yaml.Node) {
	rest := comment(n, d.Line(n.Line))
	if len(rest) < 2 || (rest[1] == ' ' || rest[1] == '\t' || rest[1] == '#') && !strings.Contains(rest, "{{") {
		return
	}
	p := d.At(n, "value", "YAML reads "+rest+" as a comment, and the text ends before it; "+textInQuotes)
	p.Level, p.Suggestion = diag.Warning, singleQuoted(n.Value+" "+rest)
}
