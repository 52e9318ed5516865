package projector

import (
	"strconv"
)

// list is a Name/Value list: which of its entries are wanted, by name and member.
type list struct {
	members []string           // Value, NewValue or OldValue, as fold has them
	wants   map[string][]int32 // by the entry's name as fold has it: the slot of each of members, or -1
	names   map[string]*name   // by the spelling
	extra   int
	first   *name
	last    *name // the entry before, in the list at hand
}

// name is one spelling of an entry's name: what is wanted of its entries, and the name that followed last time.
type name struct {
	text  string
	whole string // how an entry of this name usually begins, up to its value
	slots []int32
	next  *name
}

func newList() *list { return &list{wants: map[string][]int32{}, names: map[string]*name{}} }

// want adds a member of the entries of a name.
func (l *list) want(entry, member string, slot int32) {
	m, member := 0, fold(member)
	for m < len(l.members) && l.members[m] != member {
		m++
	}
	if m == len(l.members) {
		l.members = append(l.members, member)
	}
	slots := l.wants[fold(entry)]
	for len(slots) <= m {
		slots = append(slots, -1)
	}
	slots[m] = slot
	l.wants[fold(entry)] = slots
}

// find is the name of an entry that was not foreseen; nil where it is too long or too rare to be remembered and nobody wants it.
func (l *list) find(text []byte) *name {
	if n := l.names[string(text)]; n != nil {
		return n
	}
	slots := l.wants[fold(string(text))]
	if l.extra >= learned || len(text) > 64 {
		if slots == nil {
			return nil
		}
		return &name{text: unmatched, whole: unmatched, slots: slots}
	}
	l.extra++
	n := &name{text: string(text), whole: `"Name":` + strconv.Quote(string(text)) + `,"Value":`, slots: slots}
	l.names[n.text] = n
	return n
}

// pairs reads a Name/Value list from its first element; elements that are no objects are no entries.
func (x *Projector) pairs(w *want, p int) int {
	b, l := x.b, w.list
	l.last = nil
	for {
		if b[p] == '{' {
			p = x.pair(l, p+1)
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

// pair reads one entry of a Name/Value list from the byte after its bracket.
func (x *Projector) pair(l *list, p int) int {
	if end := x.foreseen(l, p); end > 0 {
		return end
	}
	if x.room == 0 {
		return ^p
	}
	e, end := entry(x.b, p, x.room-1)
	if end >= 0 && e.Name.Kind == Text {
		x.keep(l, &e)
	}
	return end
}

// entry reads an object that nobody has read yet as an entry, from the byte after its bracket; its members may nest so deep.
func entry(b []byte, p, room int) (e Entry, end int) {
	if p = blank(b, p); b[p] == '}' {
		return e, p + 1
	}
	for {
		if b[p] != '"' {
			return e, ^p
		}
		name := Value{From: uint32(p + 1), Kind: Text}
		if end, name.Escaped = text(b, p+1); end < 0 {
			return e, end
		}
		name.To = uint32(end - 1)
		if p = colon(b, end); p < 0 {
			return e, p
		}
		v := Value{From: uint32(p), Kind: kind(b[p])}
		if b[p] == '"' {
			v.From++
			end, v.Escaped = text(b, p+1)
			v.To = uint32(end - 1)
		} else {
			end = skip(b, p, room)
			v.To = uint32(end)
		}
		if end < 0 {
			return e, end
		}
		e.set(part(b, name), v)
		if p = end; b[p] <= ' ' {
			p = blank(b, p)
		}
		switch b[p] {
		case '}':
			return e, p + 1
		case ',':
			p = blank(b, p+1)
		default:
			return e, ^p
		}
	}
}

// foreseen reads an entry that is {"Name":"…","Value":…} with the name that followed last time; 0 where it is not.
func (x *Projector) foreseen(l *list, p int) int {
	n, b := l.first, x.b
	if l.last != nil {
		n = l.last.next
	}
	if n == nil || len(b)-p <= len(n.whole) || string(b[p:p+len(n.whole)]) != n.whole {
		return 0
	}
	p += len(n.whole)
	v, end := Value{From: uint32(p), Kind: kind(b[p])}, 0
	if b[p] == '"' {
		v.From++
		end, v.Escaped = text(b, p+1)
		v.To = uint32(end - 1)
	} else {
		end = skip(b, p, x.room-1)
		v.To = uint32(end)
	}
	if end < 0 || b[end] != '}' {
		return 0
	}
	l.last = n
	for i, slot := range n.slots {
		if slot >= 0 && l.members[i] == "value" && x.Values[slot].Kind == None && v.Kind != Null {
			x.Values[slot] = v
		}
	}
	return end + 1
}

// keep stores what is wanted of an entry. Of several entries of one name the first counts whose value is not null.
func (x *Projector) keep(l *list, e *Entry) {
	text := x.b[e.Name.From:e.Name.To]
	if e.Name.Escaped {
		text = Unescape(nil, text)
	}
	guess := l.first
	if l.last != nil {
		guess = l.last.next
	}
	if guess == nil || guess.text != string(text) {
		if guess = l.find(text); guess == nil {
			return
		}
		if l.last == nil {
			l.first = guess
		} else {
			l.last.next = guess
		}
	}
	l.last = guess
	for i, slot := range guess.slots {
		if slot < 0 || x.Values[slot].Kind != None {
			continue
		}
		if v := e.member(l.members[i]); v.Kind != None && v.Kind != Null {
			x.Values[slot] = v
		}
	}
}

// names keeps the entries of a list that is an object: one entry, or names and values.
func (x *Projector) names(l *list, p int) {
	l.last = nil
	Entries(x.b, p, func(e Entry) { x.keep(l, &e) })
}
