package sample

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Kind is what a value of JSON is.
type Kind uint8

// The kinds of values. Plain are numbers, truths and null.
const (
	Plain Kind = iota
	Text
	Object
	List
)

// Node is a value of JSON. Members keep their order, numbers their digits.
type Node struct {
	Kind    Kind
	Text    string // of a text its value, of a plain value what stands there
	Members []Member
	Items   []*Node

	folded bool // an object or a list that stands in text
}

// Member is a member of an object.
type Member struct {
	Name  string
	Value *Node
}

// Parse reads one value.
func Parse(data []byte) (*Node, error) {
	if json.Valid(data) {
		q := quick{string(data)}
		return q.value(), nil
	}
	return parseSlowly(data)
}

// parseSlowly is Parse, which says what is wrong.
func parseSlowly(data []byte) (*Node, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	n, err := parse(d)
	rest := bytes.TrimLeft(data[d.InputOffset():], " \t\r\n,:")
	switch {
	case len(bytes.TrimSpace(data)) == 0:
		return nil, errors.New("it is empty")
	case err != nil && len(rest) == 0:
		return nil, errors.New("it is JSON that does not end")
	case err != nil:
		return nil, fmt.Errorf("it is no JSON from %s on", placeOf(data, len(data)-len(rest)))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("it is one value of JSON, and more from %s on", placeOf(data, len(data)-len(rest)))
	}
	return n, nil
}

// placeOf is a place in a text as people count: lines and characters.
func placeOf(text []byte, at int) string {
	begin := bytes.LastIndexByte(text[:at], '\n') + 1
	return fmt.Sprintf("line %d, column %d", 1+bytes.Count(text[:at], []byte("\n")), 1+utf8.RuneCount(text[begin:at]))
}

func parse(d *json.Decoder) (*Node, error) {
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t := t.(type) {
	case json.Delim:
		if t == '{' {
			return object(d)
		}
		return list(d)
	case string:
		return &Node{Kind: Text, Text: t}, nil
	case json.Number:
		return &Node{Text: t.String()}, nil
	case bool:
		if t {
			return &Node{Text: "true"}, nil
		}
		return &Node{Text: "false"}, nil
	}
	return &Node{Text: "null"}, nil
}

func object(d *json.Decoder) (*Node, error) {
	n := &Node{Kind: Object}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		v, err := parse(d)
		if err != nil {
			return nil, err
		}
		n.Members = append(n.Members, Member{name.(string), v})
	}
	_, err := d.Token()
	return n, err
}

func list(d *json.Decoder) (*Node, error) {
	n := &Node{Kind: List}
	for d.More() {
		v, err := parse(d)
		if err != nil {
			return nil, err
		}
		n.Items = append(n.Items, v)
	}
	_, err := d.Token()
	return n, err
}

// Append appends the value as JSON.
func (n *Node) Append(to []byte) []byte {
	if n.folded {
		whole := *n
		whole.folded = false
		return quote(to, string(whole.Append(nil)))
	}
	switch n.Kind {
	case Text:
		return quote(to, n.Text)
	case Object:
		to = append(to, '{')
		for i, m := range n.Members {
			if i > 0 {
				to = append(to, ',')
			}
			to = m.Value.Append(append(quote(to, m.Name), ':'))
		}
		return append(to, '}')
	case List:
		to = append(to, '[')
		for i, v := range n.Items {
			if i > 0 {
				to = append(to, ',')
			}
			to = v.Append(to)
		}
		return append(to, ']')
	}
	if n.Text == "True" || n.Text == "TRUE" || n.Text == "False" || n.Text == "FALSE" { // as YAML has it, too
		return append(to, strings.ToLower(n.Text)...)
	}
	return append(to, n.Text...)
}

func quote(to []byte, s string) []byte {
	from := len(to)
	to = append(to, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			to = append(to, '\\', c)
		case c < ' ' || c > '~' || c == '<' || c == '>' || c == '&':
			return quoteSlowly(to[:from], s)
		default:
			to = append(to, c)
		}
	}
	return append(to, '"')
}

func quoteSlowly(to []byte, s string) []byte {
	q, err := json.Marshal(s)
	if err != nil {
		return append(to, `""`...)
	}
	return append(to, q...)
}

// unfold opens an object or a list that stands in text.
func (n *Node) unfold() {
	if n.Kind != Text {
		return
	}
	if s := strings.TrimSpace(n.Text); s == "" || s[0] != '{' && s[0] != '[' {
		return
	}
	if inside, err := Parse([]byte(n.Text)); err == nil {
		*n = *inside
		n.folded = true
	}
}

// Replaced is a copy in whose texts a part is replaced.
func (n *Node) Replaced(part, by string) *Node {
	c := copyOf(n)
	c.texts(func(t string) string { return strings.ReplaceAll(t, part, by) })
	return c
}

// copyOf is a value that shares nothing with another.
func copyOf(n *Node) *Node {
	c := *n
	c.Members, c.Items = nil, nil
	for _, m := range n.Members {
		c.Members = append(c.Members, Member{m.Name, copyOf(m.Value)})
	}
	for _, v := range n.Items {
		c.Items = append(c.Items, copyOf(v))
	}
	return &c
}
