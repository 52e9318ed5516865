package state

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"hash/maphash"
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
	if e.kept != nil && e.kept.hash != 0 {
		return e.kept.hash
	}
	known := e.Identity()
	if e.Linked() {
		known = e.named()
	}
	sum := sha256.Sum256(known)
	if e.kept == nil {
		e.kept = &kept{}
	}
	e.kept.hash = binary.BigEndian.Uint64(sum[:])
	return e.kept.hash
}

var seed = maphash.MakeSeed()

// index notes where an alert lies, so that its next revision finds it.
func (w *Window) index(e *Entry) {
	if !e.Linked() {
		return
	}
	if w.alerts == nil {
		w.alerts = map[uint64]int64{}
	}
	w.alerts[maphash.Bytes(seed, e.named())] = e.Time
}

func (w *Window) unindex(e *Entry) {
	if e.Linked() {
		delete(w.alerts, maphash.Bytes(seed, e.named()))
	}
}

// alert is the index of the entry that holds an alert, at any time, or -1 if no entry does.
func (w *Window) alert(e *Entry) int {
	at, have := w.alerts[maphash.Bytes(seed, e.named())]
	if !have {
		return -1
	}
	for i := After(w.Entries, at-1); i < len(w.Entries) && w.Entries[i].Time == at; i++ {
		if x := &w.Entries[i]; x.Linked() && bytes.Equal(x.named(), e.named()) {
			return i
		}
	}
	return -1
}

// replace takes a revision of an alert that the window holds, and reports whether it holds the alert. What is no later revision
// changes nothing.
func (w *Window) replace(c *Context, e *Entry) bool {
	i := w.alert(e)
	if i < 0 {
		return e.marks&gone != 0
	}
	if !w.Later(w.Entries[i].Packed, e.Packed) {
		return true
	}
	e.Packed = bytes.Clone(e.Packed)
	w.tear(w.Repeat == 0) // its bucket is known by another name
	for _, t := range w.told {
		if t.first.Linked() && bytes.Equal(t.first.named(), e.named()) && t.first.Time == e.Time {
			t.first.Packed, t.first.kept, t.unwritten = e.Packed, nil, true
		}
	}
	switch was := &w.Entries[i]; {
	case e.marks&gone != 0:
		w.move(c, i, nil)
	case w.alike(was, e): // what fires goes on firing
		w.take(was)
		was.Packed, was.kept = e.Packed, nil
		was.marks |= fresh
		w.test(c, i)
	default:
		w.move(c, i, e)
	}
	w.say(c)
	w.countUnsearched(c)
	return true
}

// move takes an alert away, or puts it to another time.
func (w *Window) move(c *Context, i int, to *Entry) {
	was := w.Entries[i]
	var left *told // its bucket, of which less counts now
	if was.marks&fired != 0 {
		left = w.find(&was, Place{})
	}
	w.take(&was)
	w.Entries = slices.Delete(w.Entries, i, i+1)
	w.leave(&was)
	from, until := was.Time, was.Time
	if to != nil {
		from, until = min(from, to.Time), max(until, to.Time)
		to.marks |= was.marks&fired | fresh
		to.told = was.told
		if t := to.told; t != nil { // a bucket of its own, which goes with it
			t.event, t.end, t.first = string(to.Identity()), w.end(to.Time), *to
			w.oldest = min(w.oldest, w.last(t))
		}
		at, _ := w.place(to)
		w.Entries = slices.Insert(w.Entries, at, *to)
		w.enter(&w.Entries[at])
	}
	if w.Second {
		from = Floor(from, 1e9) * 1e9
	}
	for k := After(w.Entries, from-1); k < len(w.Entries) && w.Entries[k].Time < Plus(until, w.Within); k++ {
		if x := &w.Entries[k]; w.Kind.Fires(w, k) {
			x.set(fired)
			w.note(c, x, Place{}, true)
		} else if x.marks&fired != 0 {
			x.marks = x.marks&^fired | altered
		}
	}
	w.drop(func(t *told) bool {
		goes := w.unfounded(t, &was)
		w.tear(goes)
		return goes
	})
	w.byBucket = nil
	if left != nil && !left.empty {
		left.changed, left.unwritten, w.closes = true, true, min(w.closes, left.end)
	}
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
			t.first, t.changed, t.unwritten = *x, true, true
			return false
		}
	}
	if t.revision > 0 {
		t.changed, t.empty, t.unwritten = false, true, true
		return false
	}
	if have {
		w.Entries[i].told = nil
	}
	return true
}
