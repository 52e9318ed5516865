package state

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"slices"
)

// headTime is how many bytes of a head are its time.
const headTime = 8

// Link notes that the entry is an alert of another rule. A later revision of it takes its place, whatever its time.
func (e *Entry) Link() { e.marks |= linked }

// Linked reports whether the entry is an alert of another rule.
func (e *Entry) Linked() bool { return e.marks&linked != 0 }

// Leave notes that the alert counts for this key no more.
func (e *Entry) Leave() { e.marks |= gone }

// named is what the entry is known by where its time is no part of that.
func (e *Entry) named() []byte { return e.Packed[headTime:e.Head] }

// Hash is a hash of what the entry is known by: of events their identity, of alerts their id.
func (e *Entry) Hash() uint64 {
	known := e.Identity()
	if e.Linked() {
		known = e.named()
	}
	sum := sha256.Sum256(known)
	return binary.BigEndian.Uint64(sum[:])
}

// replace takes a revision of an alert that the window holds, and reports whether it holds the alert. What is no later revision
// changes nothing.
func (w *Window) replace(c *Context, e *Entry) bool {
	i := slices.IndexFunc(w.Entries, func(was Entry) bool { return was.Linked() && bytes.Equal(was.named(), e.named()) })
	if i < 0 {
		return e.marks&gone != 0
	}
	if !w.Later(w.Entries[i].Packed, e.Packed) {
		return true
	}
	e.Packed = bytes.Clone(e.Packed)
	for _, t := range w.told {
		if t.first.Linked() && bytes.Equal(t.first.named(), e.named()) && t.first.Time == e.Time {
			t.first.Packed = e.Packed
		}
	}
	switch was := &w.Entries[i]; {
	case e.marks&gone != 0:
		w.move(i, nil)
	case was.Time == e.Time && !w.Apart: // what fires goes on firing
		was.Packed, was.Value, was.Clauses = e.Packed, e.Value, e.Clauses
		w.test(i)
	default:
		w.move(i, e)
	}
	w.say(c)
	w.countUnsearched(c)
	return true
}

// move takes an alert away, or puts it to another time.
func (w *Window) move(i int, to *Entry) {
	was := w.Entries[i]
	w.Entries = slices.Delete(w.Entries, i, i+1)
	from, until := was.Time, was.Time
	if to != nil {
		from, until = min(from, to.Time), max(until, to.Time)
		to.marks |= was.marks & fired
		to.told = was.told
		if t := to.told; t != nil { // a bucket of its own, which goes with it
			t.event, t.end, t.first = string(to.Identity()), w.end(to.Time), *to
			w.oldest = min(w.oldest, t.end)
		}
		at, _ := w.place(to)
		w.Entries = slices.Insert(w.Entries, at, *to)
	}
	if w.Second {
		from = Floor(from, 1e9) * 1e9
	}
	for k := After(w.Entries, from-1); k < len(w.Entries) && w.Entries[k].Time < Plus(until, w.Within); k++ {
		if x := &w.Entries[k]; w.Kind.Fires(w, k) {
			x.marks |= fired
			w.note(x, "", true)
		} else {
			x.marks &^= fired
		}
	}
	w.told = slices.DeleteFunc(w.told, func(t *told) bool { return w.unfounded(t, &was) })
}

// unfounded reports whether the rule fires for no entry of a bucket any more after an alert has moved, and nothing has been said of
// the bucket. What has been said stands.
func (w *Window) unfounded(t *told, moved *Entry) bool {
	i, have := w.place(&t.first)
	if have && w.Entries[i].marks&fired != 0 || !have && order(&t.first, moved) != 0 {
		return false
	}
	from, to := w.within(t)
	for k := from; k < to; k++ {
		if x := &w.Entries[k]; x.marks&fired != 0 {
			t.first, t.changed = *x, true
			return false
		}
	}
	if t.revision > 0 {
		t.changed, t.empty = false, true
		return false
	}
	if have {
		w.Entries[i].told = nil
	}
	return true
}
