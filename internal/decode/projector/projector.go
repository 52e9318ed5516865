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
var ErrSyntax = errors.New("not a JSON object")

// SyntaxError tells where a record stops being a JSON object, or nests deeper than MaxDepth.
type SyntaxError struct{ At int } // bytes from the record's beginning

func (e SyntaxError) Error() string {
	return fmt.Sprintf("not a JSON object: it breaks at byte %d", e.At)
}

// Is makes errors.Is(err, ErrSyntax) hold.
func (SyntaxError) Is(target error) bool { return target == ErrSyntax }

// A Projector belongs to one goroutine: it learns the order in which keys come.
type Projector struct {
	Values []Value
	// Texts are texts that stand where something inside was wanted and begin like an object or an array, in the order of the
	// record; of more than 16 in one place the first.
	Texts []Nested
	// Flat are texts that stand in such places, or in the list of such a place, and are what PowerShell leaves of what it does not
	// write out: the name of a type, or @{Name=Value}. Of more than 16 the first.
	Flat  []Value
	root  *node
	b     []byte
	shown []byte // b, or where that is masked the record as it is
	now   uint32
	room  int // how much deeper the record may nest
}

// Nested is a text that may stand for an object or an array.
type Nested struct {
	Value
	Room int // how deep it may nest for the record to stay within MaxDepth
}

// Record reads the record b[from:to]; b[to] must be 0 and Slack bytes from there on readable. The values hold until the next call.
func (x *Projector) Record(b []byte, from, to int) error {
	clear(x.Values)
	x.Texts, x.Flat = x.Texts[:0], x.Flat[:0]
	x.b, x.shown = b, b
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
	return n.key(name, escaped), colon(b, end)
}

// value reads the value of k and keeps it if someone wants it.
func (x *Projector) value(k *key, p int) int {
	b := x.b
	if k == nil || k.want == nil {
		return skip(b, p, x.room)
	}
	w := k.want
	if w.deep {
		return x.inside(w, p)
	}
	if b[p] == '"' {
		end, escaped := text(b, p+1)
		if end >= 0 {
			x.store(w, Value{uint32(p + 1), uint32(end - 1), Text, escaped})
		}
		return end
	}
	end := skip(b, p, x.room)
	if end >= 0 {
		x.store(w, Value{From: uint32(p), To: uint32(end), Kind: kind(b[p])})
	}
	return end
}

// store keeps a value. Of members that come again the last counts, in the elements of an array the first that is not null.
func (x *Projector) store(w *want, v Value) {
	if w.slot < 0 || w.first && (v.Kind == Null || x.Values[w.slot].Kind != None) {
		return
	}
	x.Values[w.slot] = v
}

// inside reads a value of which something inside is wanted.
func (x *Projector) inside(w *want, p int) int {
	if w.stamp != x.now {
		w.stamp, w.texts = x.now, 0
	} else if !w.first {
		x.forget(w)
	}
	b, end := x.b, 0
	v := Value{From: uint32(p), Kind: kind(b[p])}
	switch {
	case b[p] == '{' && (w.child != nil || w.each != nil):
		end = x.alone(w, p+1)
	case b[p] == '[':
		end = x.array(w, p+1)
	case b[p] == '"':
		v.From++
		end, v.Escaped = text(b, p+1)
		if v.To = uint32(end - 1); end >= 0 {
			x.text(w, v)
		}
	default:
		end = skip(b, p, x.room)
	}
	if v.Kind != Text {
		v.To = uint32(end)
	}
	if end < 0 {
		return end
	}
	if v.Kind == Object && w.list != nil {
		x.names(w.list, p)
	}
	x.store(w, v)
	return end
}

// alone reads an object from the byte after its bracket, also as the only element of a list: PowerShell writes one without the list.
func (x *Projector) alone(w *want, p int) int {
	if w.child == nil {
		return x.object(w.each, p)
	}
	end := x.object(w.child, p)
	if end >= 0 && w.each != nil {
		end = x.object(w.each, p)
	}
	return end
}

// text keeps a text that stands where something inside is wanted, if it may stand for that or once did.
func (x *Projector) text(w *want, v Value) {
	switch raw := x.b[v.From:v.To]; {
	case bracketed(raw):
		if w.texts < maxTexts {
			w.texts++
			x.Texts = append(x.Texts, Nested{v, x.room})
		}
	case flat(raw) && len(x.Flat) < maxTexts:
		x.Flat = append(x.Flat, v)
	}
}

// element reads an element of a list of which nothing is wanted as it stands.
func (x *Projector) element(w *want, p int) int {
	if x.b[p] != '"' {
		return skip(x.b, p, x.room)
	}
	end, escaped := text(x.b, p+1)
	if end >= 0 && (w.each != nil || w.list != nil || flat(x.b[p+1:end-1])) {
		x.text(w, Value{uint32(p + 1), uint32(end - 1), Text, escaped})
	}
	return end
}

// array reads a Name/Value list, or an array of objects of which the first that has a member counts.
func (x *Projector) array(w *want, p int) int {
	b := x.b
	if x.room--; x.room < 0 {
		return ^p
	}
	if p = blank(b, p); b[p] == ']' {
		x.room++
		return p + 1
	}
	if w.each == nil && w.list != nil {
		p = x.pairs(w, p)
	} else {
		p = x.elements(w, p)
	}
	x.room++
	return p
}

// elements reads an array's elements from the first on; of an array in the place of an object what it holds does not count.
func (x *Projector) elements(w *want, p int) int {
	b := x.b
	for {
		if b[p] == '{' && w.each != nil {
			p = x.object(w.each, p+1)
		} else {
			p = x.element(w, p)
		}
		if p < 0 {
			return p
		}
		if p = blank(b, p); b[p] == ']' {
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
	return x.shown[v.From:v.To]
}

// View is Raw as a string that lives until the record's buffer is used again.
func (x *Projector) View(i int) string {
	v := x.Values[i]
	return unsafe.String(unsafe.SliceData(x.shown[v.From:v.To]), int(v.To-v.From))
}
