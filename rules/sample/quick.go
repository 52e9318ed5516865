package sample

import (
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// quick reads a value that is known to be valid JSON. Texts share its memory.
type quick struct{ rest string }

// blank skips what may stand between tokens.
func (q *quick) blank() { q.rest = strings.TrimLeft(q.rest, " \t\r\n") }

func (q *quick) value() *Node {
	q.blank()
	switch q.rest[0] {
	case '{':
		return q.object()
	case '[':
		return q.list()
	case '"':
		return &Node{Kind: Text, Text: q.text()}
	}
	end := strings.IndexAny(q.rest, " \t\r\n,]}")
	if end < 0 {
		end = len(q.rest)
	}
	n := &Node{Text: q.rest[:end]}
	q.rest = q.rest[end:]
	return n
}

// more steps over what stands before the next element, and reports whether there is one; close ends the elements.
func (q *quick) more(closing byte) bool {
	q.blank()
	if q.rest[0] == ',' {
		q.rest = q.rest[1:]
		q.blank()
	}
	if q.rest[0] != closing {
		return true
	}
	q.rest = q.rest[1:]
	return false
}

func (q *quick) object() *Node {
	n := &Node{Kind: Object}
	q.rest = q.rest[1:]
	for q.more('}') {
		name := q.text()
		q.blank()
		q.rest = q.rest[1:] // the colon
		n.Members = append(n.Members, Member{name, q.value()})
	}
	return n
}

func (q *quick) list() *Node {
	n := &Node{Kind: List}
	q.rest = q.rest[1:]
	for q.more(']') {
		n.Items = append(n.Items, q.value())
	}
	return n
}

func (q *quick) text() string {
	end, plain := 1, true
	for ; q.rest[end] != '"'; end++ {
		switch c := q.rest[end]; {
		case c == '\\':
			end++
			plain = false
		case c >= utf8.RuneSelf:
			plain = false
		}
	}
	raw := q.rest[:end+1]
	q.rest = q.rest[end+1:]
	if plain {
		return raw[1:end]
	}
	var t string
	_ = json.Unmarshal([]byte(raw), &t) // it is valid
	return t
}
