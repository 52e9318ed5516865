package strictyaml

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/diag"
)

// Type is what kind of value a reader expects.
type Type string

// The types.
const (
	TypeText   Type = "text"
	TypeWhole  Type = "whole"
	TypeBool   Type = "bool"
	TypeSpan   Type = "span"
	TypeOneOf  Type = "one of"
	TypeSecret Type = "secret" // a reference to one
	TypeList   Type = "list"
	TypeKeys   Type = "keys"  // a mapping whose keys are known
	TypeNames  Type = "names" // a mapping whose keys the author chooses
	TypeMixed  Type = "mixed" // one of several types, see As
)

// Form is what a reader expects of a value.
type Form struct {
	Type        Type
	As          string   // what a value is like beyond its type: "a host and port"
	Choices     []string // of TypeOneOf
	Least, Most int      // of TypeWhole
	From, To    time.Duration
}

// Shape is what the reader of a document expects, with all that lies below.
type Shape struct {
	Form
	Node  *yaml.Node        // what the reader was given
	Keys  map[string]*Shape // of TypeKeys
	Items *Shape            // of TypeList
	Each  *Shape            // of TypeNames: behind each name
}

// Traced is a document without content. Readers are given a value for each key that they know, and note what they expect of it;
// the shape of it all is then that of Shape. What they find wrong has no meaning.
func Traced() *Doc {
	root := &yaml.Node{}
	d := &Doc{Root: root, Secrets: &diag.Secrets{}, top: root, shapes: map[*yaml.Node]*Shape{}}
	d.shapes[root] = &Shape{Node: root}
	return d
}

// Shape is what the readers of a traced document expect of it.
func (d *Doc) Shape() *Shape { return d.shapes[d.Root] }

// Tracing reports whether the document is a traced one.
func (d *Doc) Tracing() bool { return d.shapes != nil }

// Expect notes what is expected of a value, where the document is traced. Readers call it for what no other method says.
func (d *Doc) Expect(n *yaml.Node, f Form) {
	s := d.shapes[n]
	if s == nil || f.Type == TypeText && f.As == "" && s.Type != "" { // more is known of it
		return
	}
	s.Form = f
}

// below is an empty value below a traced one.
func (d *Doc) below(have *Shape) *Shape {
	if have == nil {
		have = &Shape{Node: &yaml.Node{}}
		d.shapes[have.Node] = have
	}
	return have
}

// traceFields gives each reader of a mapping a value.
func (d *Doc) traceFields(s *Shape, by map[string]func(*yaml.Node)) {
	s.Type = TypeKeys
	if s.Keys == nil {
		s.Keys = map[string]*Shape{}
	}
	for _, key := range slices.Sorted(maps.Keys(by)) {
		s.Keys[key] = d.below(s.Keys[key])
		by[key](s.Keys[key].Node)
	}
}

// Named reads a mapping whose keys the author chooses: a name and its value at a time. It reports whether it is a mapping.
func (d *Doc) Named(n *yaml.Node, as string, read func(name, value *yaml.Node)) bool {
	if s := d.shapes[n]; s != nil {
		s.Form = Form{Type: TypeNames, As: as}
		s.Each = d.below(s.Each)
		read(&yaml.Node{}, s.Each.Node)
		return true
	}
	if n.Kind != yaml.MappingNode {
		return false
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		read(n.Content[i], n.Content[i+1])
	}
	return true
}

// Within is a duration within bounds.
func (d *Doc) Within(n *yaml.Node, from, to time.Duration) time.Duration {
	before := d.Errors()
	v := d.Duration(n)
	d.Expect(n, Form{Type: TypeSpan, From: from, To: to})
	if d.Errors() == before && (v < from || v > to) {
		d.At(n, "value", "the time lies outside "+Span(from)+" to "+Span(to))
	}
	return v
}

// Span is a duration as files have it: 1h, not 1h0m0s.
func Span(v time.Duration) string {
	if days := v / (24 * time.Hour); days > 0 && v%(24*time.Hour) == 0 {
		return fmt.Sprintf("%dd", days)
	}
	text := v.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
