// Package strictyaml reads a YAML file of one plain document into nodes whose every mistake has a place.
package strictyaml

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/diag"
)

// The bounds of a file.
const (
	MaxSize  = 1 << 20 // bytes
	MaxDepth = 50
)

// Doc is one file and what is wrong in it.
type Doc struct {
	Name     string
	Root     *yaml.Node // nil where the file cannot be read
	Problems []diag.Problem
	Secrets  *diag.Secrets // what no problem may show; nil where the file is nobody's secret
	Reads    []string      // other files that it names and that were read with it

	// Others are what other programs call the keys of Fields, lower case, with the keys here that are meant, separated by blanks. The
	// first that is known in its place is suggested.
	Others map[string]string

	lines  []string
	top    *yaml.Node
	closed []string // keys below which nothing is told
	paths  map[*yaml.Node]string
	meant  map[*yaml.Node][]string // by mapping: keys that others in it were probably meant to be
	shapes map[*yaml.Node]*Shape   // of a document that is traced, what is expected; see Traced
}

// Parse reads a file's bytes. The YAML library accepts more than a rule author should write; what it accepts too much is checked
// before and on the node tree: one UTF-8 document of mappings, sequences and scalars, without anchors, aliases, merges,
// explicit tags, control characters, doubled keys.
func Parse(name string, data []byte) *Doc {
	d := &Doc{Name: name}
	d.parse(data)
	return d
}

func (d *Doc) parse(data []byte) {
	if len(data) > MaxSize {
		d.add(0, 0, "size", fmt.Sprintf("the file has %d bytes; at most %d are read", len(data), MaxSize))
		return
	}
	d.lines = strings.Split(string(data), "\n")
	if !d.text(data) {
		return
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var root, more yaml.Node
	switch err := dec.Decode(&root); {
	case errors.Is(err, io.EOF) || err == nil && (len(root.Content) == 0 || root.Content[0].Tag == "!!null"):
		d.add(1, 1, "empty", "the file is empty")
		return
	case err != nil:
		d.broken(err)
		return
	}
	switch err := dec.Decode(&more); {
	case err == nil:
		d.add(max(more.Line, 1), 1, "documents", "a file holds one document; here a second one begins")
		return
	case !errors.Is(err, io.EOF):
		d.broken(err)
		return
	}
	before := len(d.Problems)
	d.top = root.Content[0]
	d.check(root.Content[0], 1)
	if len(d.Problems) == before {
		d.Root = root.Content[0]
	}
}

// text checks that the bytes are UTF-8 without control characters.
func (d *Doc) text(data []byte) bool {
	if bytes.HasPrefix(data, []byte{0xff, 0xfe}) || bytes.HasPrefix(data, []byte{0xfe, 0xff}) {
		d.lines = nil // they are no text
		d.add(1, 1, "encoding", "the file is UTF-16; write it as UTF-8")
		return false
	}
	for i, line := range d.lines {
		column := 0
		for j, r := range line {
			column++
			if r == utf8.RuneError && !strings.HasPrefix(line[j:], "\ufffd") {
				d.add(i+1, column, "encoding", "this is not UTF-8")
				return false
			}
			if (r < ' ' && r != '\t' && (r != '\r' || j != len(line)-1)) || r == 0x7f || r >= 0x80 && r < 0xa0 || r == 0xfeff && (i > 0 || j > 0) {
				d.add(i+1, column, "control", fmt.Sprintf("the control character U+%04X has no place here", r))
				return false
			}
		}
	}
	return true
}

// broken is what the YAML library has to say of a file that it cannot read.
func (d *Doc) broken(err error) {
	var e *yaml.LoadError
	if errors.As(err, &e) {
		mark := e.Mark
		past := e.Mark.Line > len(d.lines) || strings.TrimSpace(strings.Join(d.lines[max(e.Mark.Line, 1)-1:], "")) == ""
		if e.ContextMark.Line > 0 && (past || strings.Contains(e.Message, "could not find expected ':'")) {
			mark = e.ContextMark // where the key or the quote begins, not where its end was missed
		}
		line, column := min(max(mark.Line, 1), len(d.lines)), max(mark.Column, 1)
		d.add(line, column, "yaml", d.hidden(d.plain(line, e.Message)))
		return
	}
	d.add(1, 1, "yaml", d.hidden(strings.TrimPrefix(err.Error(), "yaml: ")))
}

// OpenQuote is what is said of a quote that nothing closes.
const OpenQuote = "this quote is not closed"

// plainly are the sentences of the YAML library that authors meet, in plain words, by a part of each.
var plainly = []struct{ theirs, ours string }{
	{"a tab", "a tab cannot indent; indent by blanks"},
	{"tabs", "a tab cannot indent; indent by blanks"},
	{"cannot start any token", "YAML has another use for this character; put the text in quotes"},
	{"expected ',' or ']'", "a comma or the closing ] is missing before this"},
	{"expected ',' or '}'", "a comma or the closing } is missing before this"},
	{"expected '-' indicator", "expected an entry that begins with a hyphen; look at the indentation"},
	{"did not find expected key", "expected a key and a colon; look at the indentation and at quotes before this"},
	{"could not find expected ':'", "a key without a colon, or a text without quotes over several lines"},
	{"mapping values are not allowed", "a colon is not expected here; look at the indentation, or put the text in quotes"},
	{"block sequence entries are not allowed", "an entry of a list is not expected here; put it on a line of its own"},
	{"unexpected end of stream", OpenQuote},
	{"unknown escape character", "YAML has no such escape in double quotes; use single quotes"},
	{"Unicode character", "YAML has no such character; \\u takes four hexadecimal digits, \\U eight"},
	{"hexadecimal", "YAML has no such character; \\u takes four hexadecimal digits, \\U eight"},
	{"surrogate", "YAML has no such character; \\u takes four hexadecimal digits, \\U eight"},
	{"node content", "a value is missing here, or a bracket before this is not closed"},
	{"comment or line break", "after | or > the line ends, and the text begins on the next one"},
	{"whitespace or line break", "YAML has another use for this character; put the text in quotes"},
	{"alphabetic or numeric", "YAML has another use for & and *; put the text in quotes"},
	{"directive", "YAML has another use for a % at the beginning of a line; put the text in quotes"},
	{"tag", "YAML has another use for !; put the text in quotes"},
	{"URI", "YAML has another use for !; put the text in quotes"},
	{"expected '!'", "YAML has another use for !; put the text in quotes"},
	{"document", "a file holds one document; --- and ... stand alone on their line"},
	{"max depth", "this nests too deep"},
}

// plain is what the YAML library says of a line, in plain words.
func (d *Doc) plain(line int, message string) string {
	indented := line > 0 && line <= len(d.lines) && strings.Contains(d.lines[line-1][:len(d.lines[line-1])-len(strings.TrimLeft(d.lines[line-1], " \t"))], "\t")
	for _, p := range plainly {
		if strings.Contains(message, p.theirs) && !(p.theirs == "cannot start any token" && indented) {
			return p.ours
		}
	}
	if indented {
		return plainly[0].ours
	}
	return "YAML cannot read this; look at the indentation and at quotes before it"
}

// check walks the tree for what is well-formed and not wanted.
func (d *Doc) check(n *yaml.Node, depth int) {
	switch {
	case depth > MaxDepth:
		d.At(n, "depth", fmt.Sprintf("this nests deeper than %d", MaxDepth))
		return
	case n.Kind == yaml.AliasNode:
		d.At(n, "alias", "aliases are not read; repeat the value")
		return
	case n.Anchor != "":
		d.At(n, "alias", "anchors are not read; repeat the value")
	case n.Style&yaml.TaggedStyle != 0:
		d.At(n, "tag", d.tagged(n))
	}
	if n.Kind == yaml.MappingNode {
		seen := map[string]int{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			k := n.Content[i]
			switch {
			case k.Kind != yaml.ScalarNode:
				d.At(k, "key", "a key is a plain word")
			case k.Tag == "!!merge":
				d.At(k, "alias", "merge keys are not read; repeat the values")
			case seen[k.Value] > 0:
				d.At(k, "duplicate-key", fmt.Sprintf("the %s stands already in line %d", d.name(k, n.Content[i+1], "same key"), seen[k.Value]))
			}
			seen[k.Value] = k.Line
		}
	}
	for _, c := range n.Content {
		d.check(c, depth+1)
	}
}

// tagged is what is wrong with a tag.
func (d *Doc) tagged(n *yaml.Node) string {
	if d.private() {
		return "tags are not read; write the plain value"
	}
	return "tags such as " + n.Tag + " are not read; write the plain value"
}

func (d *Doc) add(line, column int, code, message string) {
	p := diag.Problem{File: d.Name, Line: line, Column: column, Code: code, Level: diag.Error, Message: message, Source: d.Line(line)}
	if d.private() {
		p.Source, p.Message = "", d.Secrets.Hide(message)
	}
	d.Problems = append(d.Problems, p)
}

// Line is a line of the file, from 1, or "" if there is none.
func (d *Doc) Line(n int) string {
	if n < 1 || n > len(d.lines) {
		return ""
	}
	return strings.TrimSuffix(strings.TrimPrefix(d.lines[n-1], "\ufeff"), "\r")
}

// Lines is the number of lines.
func (d *Doc) Lines() int { return len(d.lines) }

// At notes an error at a node and returns it, so that the caller may say more. That a mapping lacks a key is not noted where another key
// in it was probably meant to be that one.
func (d *Doc) At(n *yaml.Node, code, message string) *diag.Problem {
	if code == lacking && slices.ContainsFunc(d.meant[n], func(key string) bool { return needs(message, key) }) {
		return &diag.Problem{}
	}
	if path := d.path(n); path != "" {
		message = path + ": " + message
	}
	d.add(n.Line, n.Column, code, message)
	return &d.Problems[len(d.Problems)-1]
}

// lacking is the code of a mapping that lacks a key.
const lacking = "missing"

// needs reports whether a message says that a key is missing, alone or as one of several that would do.
func needs(message, key string) bool {
	if _, after, found := strings.Cut(message, "one of the keys "); found {
		named, _, _ := strings.Cut(after, ":")
		return slices.Contains(words(named), key)
	}
	_, after, found := strings.Cut(message, "the key ")
	first := words(after)
	return found && len(first) > 0 && first[0] == key
}

func words(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" ,:;", r) })
}

// Warn notes a warning at a node.
func (d *Doc) Warn(n *yaml.Node, code, message string) {
	d.At(n, code, message).Level = diag.Warning
}

// Errors counts the problems that are errors.
func (d *Doc) Errors() int { return diag.Errors(d.Problems) }
