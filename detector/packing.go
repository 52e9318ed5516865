package detector

import (
	"math/bits"
	"slices"
	"strings"

	"noroshi/internal/event"
	"noroshi/rules/kind"
)

// Packing says which hits of a record Match packs together.
type Packing uint8

// The packings.
const (
	Alone    Packing = iota // none: each hit stands alone
	Local                   // all but those that travel to a second stage
	Together                // all
)

// found is a hit of the record at hand, but for its values.
type found struct {
	rule int32
	keyed
	alone bool // it is packed alone
}

// Match appends the hits of the record at hand: packed hits, or those of kind.Together, each behind its length in four bytes,
// big-endian; see EachHit.
func (w *Worker) Match(to []byte) []byte {
	if w.find(); len(w.found) == 0 {
		return to
	}
	return w.pack(to)
}

// find finds the hits of the record at hand.
func (w *Worker) find() {
	w.found, w.texts = w.found[:0], w.texts[:0]
	for _, i := range w.Hits() {
		r := w.set.rules[i]
		w.key(i, r)
		if len(w.keys) == 0 {
			w.NoKey[i]++
		}
		alone := w.Packing == Alone || w.Packing == Local && r.travels
		for _, k := range w.keys {
			w.found = append(w.found, found{i, k, alone})
		}
	}
}

// pack appends the hits that were found.
func (w *Worker) pack(to []byte) []byte {
	to = w.together(to)
	before := int32(-1)
	for i := range w.found {
		f := &w.found[i]
		if !f.alone {
			continue
		}
		if f.rule != before {
			before = f.rule
			w.fill(f.rule, w.set.rules[f.rule])
		}
		at := len(to)
		w.hit.Key, w.hit.Clauses = f.key, f.clauses
		to, _, _ = w.hit.Append(append(to, 0, 0, 0, 0))
		putLength(to[at:], len(to)-at-4)
	}
	return to
}

// together packs the hits that need not stand alone. Where a value is too long for a hit they do.
func (w *Worker) together(to []byte) []byte {
	clear(w.wanted)
	some := false
	for i := range w.found {
		if f := &w.found[i]; !f.alone {
			some = true
			for k, bits := range w.set.rules[f.rule].wants {
				w.wanted[k] |= bits
			}
		}
	}
	if !some {
		return to
	}
	if !w.common() {
		for i := range w.found {
			w.found[i].alone = true
		}
		return to
	}
	at, h := len(to), &w.hit
	to = h.AppendTogether(append(to, 0, 0, 0, 0), len(w.numbers))
	for i, number := range w.numbers {
		to = h.AppendCommon(to, i, number)
	}
	for i := range w.found {
		f := &w.found[i]
		if f.alone {
			continue
		}
		h.Rule, h.Clauses, h.Key, h.Excused, h.Raised = f.rule, f.clauses, f.key, w.excused[f.rule], w.raised(w.set.rules[f.rule])
		to = h.AppendRule(to)
	}
	putLength(to[at:], len(to)-at-4)
	return to
}

// common makes what the hits of the record at hand have in common; false where values are too long.
func (w *Worker) common() bool {
	w.head()
	h := &w.hit
	h.Values, w.numbers = h.Values[:0], w.numbers[:0]
	room, given := kind.MaxHit, w.set.given[w.reader.Shape()]
	for k, wanted := range w.wanted {
		for wanted &= given[k]; wanted != 0; wanted &= wanted - 1 {
			number := 64*k + bits.TrailingZeros64(wanted)
			var v kind.Value
			if w.value(w.set.carried[number], &v); !v.Has {
				continue
			}
			if w.cut(&v, room) < 0 {
				return false
			}
			for _, t := range v.List {
				room -= len(t) + 2
			}
			room -= len(v.Text)
			h.Values, w.numbers = append(h.Values, v), append(w.numbers, number)
		}
	}
	return true
}

// head makes what hits of the record at hand have in common but for values.
func (w *Worker) head() {
	same, h := w.reader.Same(), &w.hit
	h.Cut, h.Time, h.Enqueued = false, w.reader.Time(), w.enqueued
	h.ID, h.Action, h.Outcome, h.Tenant = same.ID, same.Action, same.Outcome, w.ev.Text(event.Tenant)
}

func putLength(b []byte, n int) {
	b[0], b[1], b[2], b[3] = byte(n>>24), byte(n>>16), byte(n>>8), byte(n)
}

// EachHit takes apart what Match has appended.
func EachHit(b []byte, each func(packed []byte)) {
	for len(b) >= 4 {
		n := int(b[0])<<24 | int(b[1])<<16 | int(b[2])<<8 | int(b[3])
		each(b[4 : 4+n])
		b = b[4+n:]
	}
}

// fill makes the hit of a rule for the record at hand, but for its key. Its texts live until the next record.
func (w *Worker) fill(i int32, r *rule) {
	w.head()
	h := &w.hit
	h.Rule, h.Excused, h.Raised = i, w.excused[i], w.raised(r)
	room := kind.MaxHit
	h.Values = slices.Grow(h.Values[:0], len(r.carries))[:len(r.carries)]
	for n, slot := range r.carries {
		v := &h.Values[n]
		w.value(slot, v)
		if room = w.cut(v, room); room < 0 {
			room, h.Cut = 0, true
		}
	}
}

// raised is the severity that the record at hand lifts an alert of the rule to; see kind.Hit.
func (w *Worker) raised(r *rule) (level uint8) {
	for i := range r.Raise {
		if holds, _ := w.machine.Holds(r.Raise[i].When); holds {
			level = max(level, uint8(r.Raise[i].To)+1)
		}
	}
	return level
}

// cut makes a value fit into the room that is left, and gives what is left then; it is negative where the value was too long.
func (w *Worker) cut(v *kind.Value, room int) int {
	most := min(kind.MaxText, room)
	if len(v.Text) > most {
		v.Text = strings.ToValidUTF8(v.Text[:most], "")
		return -1
	}
	room -= len(v.Text)
	for i, t := range v.List {
		if room -= len(t) + 2; room < 0 {
			v.List = v.List[:i]
			break
		}
	}
	return room
}

// value sets v to a slot's value in the record at hand.
func (w *Worker) value(slot event.Slot, v *kind.Value) {
	v.Has, v.Text, v.List = false, "", nil
	if w.ev.Layout().Def(slot).Type == event.List {
		if list := w.ev.List(slot); len(list) > 0 {
			v.Has, v.List = true, list
		}
		return
	}
	v.Text = w.ev.Text(slot)
	v.Has = v.Text != "" || w.ev.Has(slot)
}
