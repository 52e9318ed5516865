package state

import (
	"bytes"
	"encoding/binary"
	"strings"
)

// AppendEntries packs entries.
func AppendEntries(to []byte, all []Entry) []byte {
	to = binary.AppendUvarint(to, uint64(len(all)))
	for i := range all {
		e := &all[i]
		to = binary.AppendVarint(to, e.Time)
		to = append(to, e.Clauses, byte(e.marks&^clashes))
		to = AppendBytes(binary.AppendUvarint(to, uint64(e.Head)), e.Packed)
	}
	return to
}

// Entries reads what AppendEntries wrote, but for Entry.Value.
func (f *Fields) Entries() (all []Entry) {
	for n := f.Many(); n > 0; n-- {
		e := Entry{Time: f.Int(), Clauses: f.Byte(), marks: marks(f.Byte()), Head: int32(f.Uint()), Packed: bytes.Clone(f.Bytes())}
		if e.Head < 0 || int(e.Head) > len(e.Packed) {
			f.Fail()
			return nil
		}
		all = append(all, e)
	}
	return all
}

// packed is a place as rows have it.
func (p Place) packed() string {
	if p == (Place{}) {
		return ""
	}
	return p[0] + "\x00" + p[1]
}

// placeOf reads what packed wrote.
func placeOf(packed string) (p Place) {
	p[0], p[1], _ = strings.Cut(packed, "\x00")
	return p
}

// The flags of what is told in a row.
const (
	flagChanged = 1 << iota
	flagEmpty
)

// Append implements Memory.
func (w *Window) Append(to []byte) []byte {
	to = AppendEntries(to, w.Entries)
	to = binary.AppendUvarint(to, uint64(len(w.told)))
	for _, t := range w.told {
		to = AppendBytes(AppendBytes(to, t.event), t.place.packed())
		for _, n := range [...]int64{t.number, t.end, t.saidOf, int64(t.revision)} {
			to = binary.AppendVarint(to, n)
		}
		first := []Entry{t.first}
		if t.revision > 0 && order(&t.was, &t.first) != 0 {
			first = append(first, t.was)
		}
		to = AppendEntries(to, first)
		to = AppendFloat(to, t.said)
		flags := byte(0)
		if t.changed {
			flags |= flagChanged
		}
		if t.empty {
			flags |= flagEmpty
		}
		to = append(to, flags)
	}
	return to
}

// Load implements Memory.
func (w *Window) Load(row []byte) error {
	f := Read(row)
	*w = *NewWindow(w.Spec)
	w.Entries = f.Entries()
	for i := range w.Entries {
		e := &w.Entries[i]
		w.enter(e)
		if w.Value != nil {
			e.Value = w.Value(e.Packed)
		}
		if w.Asks != nil && w.Asks(e) && e.marks&decided == 0 {
			w.pending++
			w.decide = min(w.decide, Plus(e.Time, w.After))
		}
	}
	for n := f.Many(); n > 0; n-- {
		t := &told{bucket: bucket{event: string(f.Bytes()), place: placeOf(string(f.Bytes())), number: f.Int()}, end: f.Int(), saidOf: f.Int(), revision: int(f.Int())}
		if t.every = w.Repeat; t.event != "" {
			t.every = 0
		} else if t.number != -1 {
			t.every = t.end / (t.number + 1) // as it was when the rule said so
		}
		first := f.Entries()
		if len(first) != 1 && len(first) != 2 {
			return ErrRow
		}
		t.first, t.was = first[0], first[len(first)-1]
		t.said = f.Float()
		flags := f.Byte()
		t.changed, t.empty = flags&flagChanged != 0, flags&flagEmpty != 0
		w.told = append(w.told, t)
		w.oldest = min(w.oldest, t.end)
		if t.changed {
			w.closes = min(w.closes, t.end)
		}
		if i, have := w.place(&t.first); have && t.every == 0 && t.place == (Place{}) {
			w.Entries[i].told = t
		}
	}
	return f.Err()
}
