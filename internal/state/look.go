package state

// Looking at a memory changes nothing in it.

// Fired reports whether the rule has fired for the entry.
func (e *Entry) Fired() bool { return e.marks&fired != 0 }

// Find is where the entry of an event lies in the window, and whether it does.
func (w *Window) Find(e *Entry) (at int, have bool) { return w.place(e) }

// Look is the memory of a key, and whether there is one.
func (t *Table[M]) Look(key []byte) (m M, have bool) {
	if n := t.keys[string(key)]; n != nil {
		return n.memory, true
	}
	return m, false
}

// Each gives every key and its memory, the one used longest ago first.
func (t *Table[M]) Each(each func(key string, m M)) {
	for n := t.oldest; n != nil; n = n.newer {
		each(n.key, n.memory)
	}
}
