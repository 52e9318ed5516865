package state

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// apart knows which alerts of a window clash with which other entries: with those that counted for them. It is kept with each entry
// that comes and goes, so that a question reads no packed hit.
type apart struct {
	held    map[uint64]int64    // the times of all entries, by Entry.Hash
	because map[uint64][]uint64 // the alerts for which something counted, by its hash, be it held or not
	with    map[uint64][]uint64 // of an alert that clashes: the entries that are held and counted for it
}

// Clashes reports whether the entry may clash with another one of its window.
func (e *Entry) Clashes() bool { return e.marks&clashes != 0 }

// Clash reports whether any entries of the window clash.
func (w *Window) Clash() bool { return w.apart != nil && len(w.apart.with) > 0 }

// EachClash gives the hashes of the entries with which one clashes: of an alert those that counted for it, of any those for which it
// counted.
func (w *Window) EachClash(e *Entry, each func(hash uint64)) {
	if w.apart == nil {
		return
	}
	for _, lists := range [...]map[uint64][]uint64{w.apart.with, w.apart.because} {
		for _, hash := range lists[e.Hash()] {
			each(hash)
		}
	}
}

// enter notes an entry that lies in the window.
func (w *Window) enter(e *Entry) {
	w.index(e)
	if w.Because == nil {
		return
	}
	if w.apart == nil {
		w.apart = &apart{held: map[uint64]int64{}, because: map[uint64][]uint64{}, with: map[uint64][]uint64{}}
	}
	a, own := w.apart, e.Hash()
	a.held[own] = e.Time
	for _, alert := range a.because[own] {
		w.clash(alert, own)
	}
	w.eachBecause(e, func(other uint64) {
		if all := a.because[other]; len(all) > 0 && all[len(all)-1] == own {
			return // it counted twice
		}
		a.because[other] = append(a.because[other], own)
		if _, have := a.held[other]; have {
			w.clash(own, other)
		}
	})
}

// clash notes that an alert and another entry clash.
func (w *Window) clash(alert, other uint64) {
	w.apart.with[alert] = append(w.apart.with[alert], other)
	for _, hash := range [...]uint64{alert, other} {
		at := w.apart.held[hash]
		for i := After(w.Entries, at-1); i < len(w.Entries) && w.Entries[i].Time == at; i++ {
			if e := &w.Entries[i]; e.Hash() == hash {
				e.marks |= clashes
			}
		}
	}
}

// leave notes that an entry is going.
func (w *Window) leave(e *Entry) {
	w.unindex(e)
	if w.apart == nil {
		return
	}
	a, own := w.apart, e.Hash()
	delete(a.held, own)
	for _, alert := range a.because[own] {
		without(a.with, alert, own)
	}
	delete(a.with, own)
	w.eachBecause(e, func(other uint64) { without(a.because, other, own) })
}

// without takes a value out of the list of a key.
func without(lists map[uint64][]uint64, key, value uint64) {
	list, have := lists[key]
	if !have {
		return
	}
	if i := slices.Index(list, value); i >= 0 {
		list = slices.Delete(list, i, i+1)
	}
	if lists[key] = list; len(list) == 0 {
		delete(lists, key)
	}
}

// eachBecause gives the hashes of what counted for an alert, but its own.
func (w *Window) eachBecause(e *Entry, each func(hash uint64)) {
	if !e.Linked() {
		return
	}
	own := e.Hash()
	for b := w.Because(e.Packed); len(b) >= 8; b = b[8:] {
		if hash := binary.BigEndian.Uint64(b); hash != own {
			each(hash)
		}
	}
}

// alike reports whether a later revision of an alert at the same time leaves all questions as they were.
func (w *Window) alike(was, is *Entry) bool {
	return was.Time == is.Time && was.Clauses == is.Clauses && was.Value == is.Value &&
		(w.Because == nil || bytes.Equal(w.Because(was.Packed), w.Because(is.Packed)))
}
