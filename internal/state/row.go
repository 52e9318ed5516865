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
		to = append(to, e.Clauses, byte(e.marks&stored))
		to = AppendBytes(binary.AppendUvarint(to, uint64(e.Head)), e.Packed)
	}
	return to
}

// Entries reads what AppendEntries wrote, but for Entry.Value.
func (f *Fields) Entries() (all []Entry) {
	for n := f.Many(); n > 0; n-- {
		e := Entry{Time: f.Int(), Clauses: f.Byte(), marks: marks(f.Byte()) & stored, Head: int32(f.Uint()), Packed: bytes.Clone(f.Bytes())}
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
	alone := w.Entries
	if len(alone) > 1 { // they are like each other
		alone = nil
	}
	to = AppendEntries(to, alone)
	to = binary.AppendUvarint(to, uint64(len(w.told)))
	for _, t := range w.told {
		to = t.append(to)
	}
	if len(w.Entries) > 1 {
		to = w.appendAll(to)
	}
	return to
}

func (t *told) append(to []byte) []byte {
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
	return append(to, flags)
}

// Load implements Memory.
func (w *Window) Load(row []byte) error {
	f := Read(row)
	*w = *NewWindow(w.Spec)
	w.Entries = f.Entries()
	for n := f.Many(); n > 0; n-- {
		w.told = append(w.told, w.readTold(f))
	}
	for f.Len() > 0 {
		w.readAdded(f)
	}
	if err := f.Err(); err != nil {
		return err
	}
	w.read()
	return nil
}

// readTold reads what told.append wrote.
func (w *Window) readTold(f *Fields) *told {
	t := &told{bucket: bucket{event: string(f.Bytes()), place: placeOf(string(f.Bytes())), number: f.Int()}, end: f.Int(), saidOf: f.Int(), revision: int(f.Int())}
	if t.every = w.Repeat; t.event != "" {
		t.every = 0
	} else if t.number != -1 {
		t.every = t.end / (t.number + 1) // as it was when the rule said so
	}
	first := f.Entries()
	if len(first) != 1 && len(first) != 2 {
		f.Fail()
		return t
	}
	t.first, t.was = first[0], first[len(first)-1]
	t.said = f.Float()
	flags := f.Byte()
	t.changed, t.empty = flags&flagChanged != 0, flags&flagEmpty != 0
	return t
}

// read makes what is not in rows of what was read.
func (w *Window) read() {
	for i := range w.Entries {
		e := &w.Entries[i]
		w.enter(e)
		if w.Value != nil {
			e.Value = w.Value(e.Packed)
		}
		if w.waits(e) {
			w.pending++
			w.decide = min(w.decide, Plus(e.Time, w.After))
		}
	}
	for _, t := range w.told {
		w.oldest = min(w.oldest, w.last(t))
		if t.changed {
			w.closes = min(w.closes, t.end)
		}
		if i, have := w.place(&t.first); have && t.every == 0 && t.place == (Place{}) {
			w.Entries[i].told = t
		}
	}
}
