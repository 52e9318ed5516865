package state

// Looking at a memory changes nothing in it.

// Fired reports whether the rule has fired for the entry.
func (e *Entry) Fired() bool { return e.marks&fired != 0 }

// Find is where the entry of an event lies in the window, and whether it does.
func (w *Window) Find(e *Entry) (at int, have bool) { return w.place(e) }

// ToldBefore is the first event for which the rule fires in the bucket of an entry, where it is another one, and the number by which
// the bucket is known. Findings of pairs have no bucket, nor have those of which every event is a bucket of its own.
func (w *Window) ToldBefore(e *Entry) (first *Entry, bucket int64) {
	if w.Repeat == 0 || w.Pairs != nil {
		return nil, 0
	}
	t := w.find(e, Place{})
	if t == nil || order(&t.first, e) >= 0 {
		return nil, 0
	}
	return &t.first, t.number
}

// Overdue is how many entries are not decided though their time has come, because something has not been shown yet, and when the first
// of them was to be decided.
func (w *Window) Overdue(c *Context) (n int, first int64) {
	first = Never
	for i := range w.Entries {
		if w.pending == 0 {
			break
		}
		e := &w.Entries[i]
		if at := Plus(e.Time, w.After); w.waits(e) && c.Passed(Plus(at, c.Wait)) {
			n++
			first = min(first, at)
		}
	}
	return n, first
}

// Look is the memory of a key, and whether there is one.
func (t *Table[M]) Look(key []byte) (m M, have bool) {
	if n := t.keys[string(key)]; n != nil {
		return n.memory, true
	}
	return m, false
}

// Each gives every key and its memory, the one used longest ago first.
func (t *Table[M]) Each(each func(key string, m M)) {
	for _, n := range t.byAge() {
		each(n.key, n.memory)
	}
}
