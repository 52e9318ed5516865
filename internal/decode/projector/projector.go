// Package projector takes the wanted values out of a JSON record and proves the rest well-formed in the same pass.
package projector

import (
	"errors"
	"fmt"
	"unsafe"
)

// Kind says what a value is.
type Kind uint8

// The kinds; None is a value that the record lacks.
const (
	None Kind = iota
	Text
	Number
	True
	False
	Null
	Object
	Array
)

// Value is a place in the record; of a text without its quotes. It holds no pointer, so clearing is cheap.
type Value struct {
	From, To uint32
	Kind     Kind
	Escaped  bool
}

// ErrSyntax is what every SyntaxError is.
var ErrSyntax = errors.New("no JSON object")

// SyntaxError tells where a record stops being a JSON object, or nests deeper than MaxDepth.
type SyntaxError struct{ At int } // bytes from the record's beginning

func (e SyntaxError) Error() string { return fmt.Sprintf("no JSON object from byte %d on", e.At) }

// Is makes errors.Is(err, ErrSyntax) hold.
func (SyntaxError) Is(target error) bool { return target == ErrSyntax }

// A Projector belongs to one goroutine: it learns the order in which keys come.
type Projector struct {
	Values []Value
	// Texts are texts that stand where something inside was wanted and begin like an object or an array, in the order of the
	// record; of more than 64 the first.
	Texts []Value
	root  *node
	b     []byte
	now   uint32
	room  int // how much deeper the record may nest
	entry []Value
}

// Record reads the record b[from:to]; b[to] must be 0 and Slack bytes from there on readable. The values hold until the next call.
func (x *Projector) Record(b []byte, from, to int) error {
	clear(x.Values)
	x.Texts = x.Texts[:0]
	x.b = b
	x.now++
	x.room = MaxDepth
	p := blank(b, from)
	if b[p] != '{' {
		return SyntaxError{p - from}
	}
	if p = x.object(x.root, p+1); p < 0 {
		return SyntaxError{min(^p, to) - from}
	}
	if p = blank(b, p); p != to {
		return SyntaxError{min(p, to) - from}
	}
	return nil
}

// object reads the members of an object from the byte after its bracket.
func (x *Projector) object(n *node, p int) int {
	b, last, guess := x.b, (*key)(nil), n.first
	if x.room--; x.room < 0 {
		return ^p
	}
	if p = blank(b, p); b[p] == '}' {
		x.room++
		return p + 1
	}
	for {
		k := guess
		if k != nil && k.at(b, p) {
			if p += len(k.text); b[p] <= ' ' {
				p = blank(b, p)
			}
		} else {
			if k, p = x.find(n, p); p < 0 {
				return p
			}
			if last == nil {
				n.first = k
			} else if k != nil {
				last.next = k
			}
		}
		if p = x.value(k, p); p < 0 {
			return p
		}
		if b[p] <= ' ' {
			p = blank(b, p)
		}
		if b[p] == '}' {
			x.room++
			return p + 1
		}
		if b[p] != ',' {
			return ^p
		}
		if p++; b[p] <= ' ' {
			p = blank(b, p)
		}
		if last, guess = k, nil; k != nil {
			guess = k.next
		}
	}
}

// find reads a key that was not foreseen and returns its entry and the place of its value.
func (x *Projector) find(n *node, p int) (*key, int) {
	b := x.b
	if b[p] != '"' {
		return nil, ^p
	}
	end, escaped := text(b, p+1)
	if end < 0 {
		return nil, end
	}
	name := b[p+1 : end-1]
	if escaped {
		name = Unescape(nil, name)
	}
	k := n.keys[string(name)]
	if k == nil && n.extra < learned && !escaped && len(name) < 64 {
		k = n.learn(string(name))
	} else if k == nil && n.fold {
		k = n.spelt(string(name))
	}
	return k, colon(b, end)
}

// value reads the value of k and keeps it if someone wants it.
func (x *Projector) value(k *key, p int) int {
	b := x.b
	switch {
	case k == nil:
		return skip(b, p, x.room)
	case k.deep:
		return x.inside(k, p)
	case b[p] == '"':
		end, escaped := text(b, p+1)
		if end >= 0 && k.slot >= 0 {
			x.store(k, Value{uint32(p + 1), uint32(end - 1), Text, escaped})
		}
		return end
	}
	end := skip(b, p, x.room)
	if end >= 0 && k.slot >= 0 {
		x.store(k, Value{From: uint32(p), To: uint32(end), Kind: kind(b[p])})
	}
	return end
}

func (x *Projector) store(k *key, v Value) {
	if (k.first || k.as != nil) && !x.counts(k, v) {
		return
	}
	x.Values[k.slot] = v
}

// counts reports whether a value counts of a key whose last one need not.
func (x *Projector) counts(k *key, v Value) bool {
	return x.Values[k.slot].Kind == None && !(k.first && v.Kind == Null)
}

// inside reads a value of which something inside is wanted.
func (x *Projector) inside(k *key, p int) int {
	if k.as != nil {
		if k = k.as; k.stamp == x.now {
			return skip(x.b, p, x.room)
		}
		// until the member comes as it is usually spelt
	}
	if !k.first {
		if k.stamp == x.now {
			x.forget(k)
		}
		k.stamp = x.now
	}
	b, end := x.b, 0
	v := Value{From: uint32(p), Kind: kind(b[p])}
	switch {
	case b[p] == '{' && k.child != nil:
		end = x.object(k.child, p+1)
	case b[p] == '[' && (k.list != nil || k.each != nil):
		end = x.array(k, p+1)
	case b[p] == '"':
		v.From++
		end, v.Escaped = text(b, p+1)
		v.To = uint32(end - 1)
		if end >= 0 && len(x.Texts) < maxTexts && bracketed(b[v.From:v.To]) {
			x.Texts = append(x.Texts, Value{v.From, v.To, Text, v.Escaped})
		}
	default:
		end = skip(b, p, x.room)
	}
	if v.Kind != Text {
		v.To = uint32(end)
	}
	if end >= 0 && k.slot >= 0 {
		x.store(k, v)
	}
	return end
}

// array reads a Name/Value list, or an array of objects of which the first that has a member counts.
func (x *Projector) array(k *key, p int) int {
	b := x.b
	if x.room--; x.room < 0 {
		return ^p
	}
	if p = blank(b, p); b[p] == ']' {
		x.room++
		return p + 1
	}
	if k.list != nil {
		k.list.last = nil
	}
	for {
		switch {
		case b[p] != '{':
			p = skip(b, p, x.room)
		case k.each != nil:
			p = x.object(k.each, p+1)
		default:
			p = x.pair(k.list, p+1)
		}
		if p < 0 {
			return p
		}
		if p = blank(b, p); b[p] == ']' {
			x.room++
			return p + 1
		}
		if b[p] != ',' {
			return ^p
		}
		p = blank(b, p+1)
	}
}

// Raw is the value's bytes in the record, escapes not undone.
func (x *Projector) Raw(i int) []byte {
	v := x.Values[i]
	return x.b[v.From:v.To]
}

// View is Raw as a string that lives until the record's buffer is used again.
func (x *Projector) View(i int) string {
	v := x.Values[i]
	return unsafe.String(unsafe.SliceData(x.b[v.From:v.To]), int(v.To-v.From))
}
