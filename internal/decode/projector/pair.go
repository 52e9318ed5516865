package projector

import "strings"

// pair reads one entry of a Name/Value list from the byte after its bracket. The name may come before or after its value; of
// two entries of one name the first that is not null counts.
func (x *Projector) pair(l *list, p int) int {
	if end := x.foreseen(l, p); end > 0 {
		return end
	}
	b, name := x.b, Value{}
	entry := x.entry[:len(l.members)]
	clear(entry)
	if x.room == 0 {
		return ^p
	}
	if p = blank(b, p); b[p] == '}' {
		return p + 1
	}
	for {
		if b[p] != '"' {
			return ^p
		}
		end, _ := text(b, p+1)
		if end < 0 {
			return end
		}
		member := b[p+1 : end-1]
		if p = colon(b, end); p < 0 {
			return p
		}
		v := Value{From: uint32(p), Kind: kind(b[p])}
		if b[p] == '"' {
			v.From++
			end, v.Escaped = text(b, p+1)
			v.To = uint32(end - 1)
		} else {
			end = skip(b, p, x.room-1)
			v.To = uint32(end)
		}
		if p = end; p < 0 {
			return p
		}
		switch string(member) {
		case "Name", "key", "displayName":
			name = v
		default:
			for i, m := range l.members {
				if string(member) == m || m == "Value" && string(member) == "value" {
					entry[i] = v
				}
			}
		}
		if p = blank(b, p); b[p] == '}' {
			x.keep(l, name, entry)
			return p + 1
		}
		if b[p] != ',' {
			return ^p
		}
		p = blank(b, p+1)
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
		if slot >= 0 && l.members[i] == "Value" && x.Values[slot].Kind == None && v.Kind != Null {
			x.Values[slot] = v
		}
	}
	return end + 1
}

func (x *Projector) keep(l *list, of Value, entry []Value) {
	if of.Kind != Text {
		return
	}
	text := x.b[of.From:of.To]
	if of.Escaped {
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
		if slot >= 0 && x.Values[slot].Kind == None && entry[i].Kind != Null {
			x.Values[slot] = entry[i]
		}
	}
}

// find is the name of an entry that was not foreseen; nil where it is too long or too rare to be remembered.
func (l *list) find(text []byte) *name {
	if n := l.names[string(text)]; n != nil {
		return n
	}
	if len(text) > 64 {
		return nil
	}
	n := newName(string(text))
	if as := l.folded[strings.ToLower(n.text)]; as != nil {
		n.slots = as.slots
	}
	if l.extra < learned { // also that nobody wants it
		l.names[n.text] = n
		l.extra++
	}
	return n
}
