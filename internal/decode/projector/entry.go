package projector

import "bytes"

// Entry is an entry of a Name/Value list. Name is a text; the others are of kind None where the entry lacks them.
type Entry struct{ Name, Value, Old, New Value }

func (e *Entry) member(folded string) Value {
	switch folded {
	case "value":
		return e.Value
	case "newvalue":
		return e.New
	case "oldvalue":
		return e.Old
	}
	return Value{}
}

// Entries gives the entries of the Name/Value list at b[p] of a record that has passed Record, and reports whether it is one:
// a list of entries, one entry without its list, or an object of names and values. Records that other tools have passed on have
// these. In a list, what is no entry is left out, and the whole is none if nothing in it is one. Of the names and values of an
// object, a value that is an object with an old or a new value is a change.
func Entries(b []byte, p int, each func(Entry)) bool {
	switch b[p] {
	case '[':
		all, entries := 0, 0
		Elements(b, p, func(v Value) {
			all++
			if v.Kind != Object {
				return
			}
			if e := entryAt(b, int(v.From)); e.Name.Kind == Text {
				entries++
				each(e)
			}
		})
		return entries > 0 || all == 0
	case '{':
		if e, ok := alone(b, p); ok {
			each(e)
			return true
		}
		Members(b, p, func(name, v Value) {
			name.Kind = Text
			e := Entry{Name: name, Value: v, New: v}
			if v.Kind == Object {
				if change := entryAt(b, int(v.From)); change.Old.Kind != None || change.New.Kind != None {
					e = Entry{Name: name, Old: change.Old, New: change.New}
				}
			}
			each(e)
		})
		return true
	}
	return false
}

// entryAt reads the object at b[p] as an entry. Its members go by several names, in any case.
func entryAt(b []byte, p int) (e Entry) {
	Members(b, p, func(name, v Value) { e.set(part(b, name), v) })
	return e
}

// set puts a part of the entry.
func (e *Entry) set(part int, v Value) {
	switch part {
	case isName:
		e.Name = v
	case isValue:
		e.Value = v
	case isOld:
		e.Old = v
	case isNew:
		e.New = v
	}
}

// alone reads the object at b[p] as one entry if it is nothing else: it has a name, a value, and no members but such, annotations
// aside. An object with more members has names of its own.
func alone(b []byte, p int) (e Entry, ok bool) {
	others := false
	Members(b, p, func(name, _ Value) {
		others = others || part(b, name) == isOther && bytes.IndexByte(b[name.From:name.To], '@') < 0
	})
	if others {
		return e, false
	}
	e = entryAt(b, p)
	return e, e.Name.Kind == Text && (e.Value.Kind != None || e.Old.Kind != None || e.New.Kind != None)
}

// The parts of an entry.
const (
	isOther = iota
	isName
	isValue
	isOld
	isNew
)

func part(b []byte, name Value) int {
	text := b[name.From:name.To]
	if name.Escaped {
		text = Unescape(nil, text)
	}
	switch string(text) { // as they are usually spelt
	case "Name", "displayName", "key":
		return isName
	case "Value", "value":
		return isValue
	case "OldValue", "oldValue":
		return isOld
	case "NewValue", "newValue":
		return isNew
	}
	if len(text) > len("displayName") {
		return isOther
	}
	switch fold(string(text)) {
	case "name", "key", "displayname":
		return isName
	case "value":
		return isValue
	case "oldvalue":
		return isOld
	case "newvalue":
		return isNew
	}
	return isOther
}
