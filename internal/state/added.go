package state

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// Growing is a memory that can tell what has come since it was written.
type Growing interface {
	// AppendAdded packs what has changed since the memory was written or loaded last; Load reads it behind what was written before. It
	// packs nothing where only the clock has taken something away, which takes it away again. It reports false where the whole memory has
	// to be written.
	AppendAdded(to []byte) (added []byte, ok bool)
	// Written says that rows hold all that the memory holds.
	Written()
}

// How an entry lies in what was added.
const (
	addedEntry = iota // its time is that of its head
	addedMarks        // only they differ
	addedTimed        // its time stands behind
	addedKinds
)

// unwritten reports whether rows do not hold the entry as it is.
func (e *Entry) unwritten() bool { return e.marks&(fresh|altered) != 0 }

// went is what has gone from a window of what is written.
type went struct {
	first int      // so many of the first entries
	taken [][]byte // the heads of others
	torn  bool     // something that only the whole tells
}

// gap is what has gone.
func (w *Window) gap() *went {
	if w.went == nil {
		return &went{}
	}
	return w.went
}

// take notes that an entry goes from somewhere.
func (w *Window) take(e *Entry) {
	if e.marks&fresh == 0 {
		w.went = w.gap()
		w.went.taken = append(w.went.taken, bytes.Clone(e.Identity()))
	}
}

// tear notes that something may have gone of which only the whole tells.
func (w *Window) tear(gone bool) {
	if gone {
		w.went = w.gap()
		w.went.torn = true
	}
}

// AppendAdded implements Growing. Entries are given with where they lie when those before them are there, and as far as they differ from
// the one before them.
func (w *Window) AppendAdded(to []byte) (added []byte, ok bool) {
	gone := w.gap()
	if gone.torn {
		return to, false
	}
	entries, said := 0, 0
	for i := range w.Entries {
		if w.Entries[i].unwritten() {
			entries++
		}
	}
	for _, t := range w.told {
		if t.unwritten {
			said++
		}
	}
	if entries+said+len(gone.taken) == 0 {
		return to, true
	}
	to = binary.AppendUvarint(to, uint64(len(gone.taken)))
	for _, head := range gone.taken {
		to = AppendBytes(to, head)
	}
	to = binary.AppendUvarint(binary.AppendUvarint(to, uint64(gone.first)), uint64(entries))
	for i, last := 0, 0; i < len(w.Entries); i++ {
		if e := &w.Entries[i]; e.unwritten() {
			if e.marks&fresh != 0 {
				to = w.appendEntry(to, i, i-last)
			} else {
				to = append(binary.AppendUvarint(to, uint64((i-last)*addedKinds+addedMarks)), byte(e.marks&stored))
			}
			last = i
		}
	}
	to = binary.AppendUvarint(to, uint64(said))
	for _, t := range w.told {
		if t.unwritten {
			to = t.append(to)
		}
	}
	return to, true
}

// appendAll packs all entries as AppendAdded does.
func (w *Window) appendAll(to []byte) []byte {
	to = binary.AppendUvarint(append(to, 0, 0), uint64(len(w.Entries)))
	for i := range w.Entries {
		to = w.appendEntry(to, i, min(i, 1))
	}
	return append(to, 0)
}

// appendEntry packs an entry that lies so far behind the last one.
func (w *Window) appendEntry(to []byte, i, behind int) []byte {
	e := &w.Entries[i]
	how := addedEntry
	if headTimeOf(e.Packed) != e.Time {
		how = addedTimed
	}
	to = append(binary.AppendUvarint(to, uint64(behind*addedKinds+how)), byte(e.marks&stored), e.Clauses)
	to = appendLike(binary.AppendUvarint(to, uint64(e.Head)), w.before(i).Packed, e.Packed)
	if how == addedTimed {
		to = binary.AppendVarint(to, e.Time)
	}
	return to
}

// headTimeOf is the time with which a head begins, 0 where it is too short for one.
func headTimeOf(packed []byte) int64 {
	if len(packed) < headTime {
		return 0
	}
	return int64(binary.BigEndian.Uint64(packed) ^ 1<<63)
}

// before is the entry before another one.
func (w *Window) before(i int) *Entry {
	if i == 0 {
		return &Entry{}
	}
	return &w.Entries[i-1]
}

// Written implements Growing.
func (w *Window) Written() {
	w.went = nil
	for i := range w.Entries {
		w.Entries[i].marks &^= fresh | altered
	}
	for _, t := range w.told {
		t.unwritten = false
	}
}

// readAdded reads what AppendAdded wrote. What it says of is loaded already.
func (w *Window) readAdded(f *Fields) {
	for n := f.Many(); n > 0; n-- {
		head := f.Bytes()
		i := slices.IndexFunc(w.Entries, func(e Entry) bool { return bytes.Equal(e.Identity(), head) })
		if i < 0 {
			f.Fail()
			return
		}
		w.Entries = slices.Delete(w.Entries, i, i+1)
	}
	dropped := f.Uint()
	if dropped > uint64(len(w.Entries)) {
		f.Fail()
		return
	}
	w.Entries = slices.Delete(w.Entries, 0, int(dropped))
	at := 0
	for n := f.Many(); n > 0; n-- {
		where := f.Uint()
		at += int(min(where/addedKinds, uint64(len(w.Entries)+1)))
		if w.readEntry(f, at, where%addedKinds); f.failed {
			return
		}
	}
	for n := f.Many(); n > 0; n-- {
		w.replaceTold(w.readTold(f))
	}
}

func (w *Window) readEntry(f *Fields, at int, how uint64) {
	set := marks(f.Byte()) & stored
	switch {
	case how == addedMarks && at < len(w.Entries):
		w.Entries[at].marks = set
	case how != addedMarks && at <= len(w.Entries):
		e := Entry{marks: set, Clauses: f.Byte(), Head: int32(f.Uint())}
		if e.Packed = f.like(w.before(at).Packed); e.Head < 0 || int(e.Head) > len(e.Packed) {
			f.Fail()
			return
		}
		if e.Time = headTimeOf(e.Packed); how == addedTimed {
			e.Time = f.Int()
		}
		w.Entries = slices.Insert(w.Entries, at, e)
	default:
		f.Fail()
	}
}

// replaceTold takes what has been told of a bucket in the place of what had been told before.
func (w *Window) replaceTold(t *told) {
	for i, was := range w.told {
		if was.bucket == t.bucket {
			w.told[i] = t
			return
		}
	}
	w.told = append(w.told, t)
}
