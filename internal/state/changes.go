package state

// Track keeps in mind what changes, for Changes.
func (t *Table[M]) Track() { t.tracked = true }

// touch notes that a key may have changed.
func (t *Table[M]) touch(n *node[M]) {
	if !t.tracked || n.changed {
		return
	}
	if c, ok := any(n.memory).(Coarse); ok && !c.Changed() {
		return
	}
	n.changed = true
	t.changed = append(t.changed, n)
}

// Changed reports whether Changes has something to give.
func (t *Table[M]) Changed() bool { return len(t.changed)+len(t.gone) > 0 }

// Changes gives every key that has changed since it was called last, and its packed memory; of a key that is gone the row is nil. The
// bytes hold until each returns.
func (t *Table[M]) Changes(each func(key string, row []byte)) {
	for _, key := range t.gone {
		if t.keys[key] == nil {
			each(key, nil)
		}
	}
	var row []byte
	for _, n := range t.changed {
		n.changed = false
		if n.dropped {
			continue
		}
		row = n.memory.Append(row[:0])
		each(n.key, row)
	}
	clear(t.changed)
	t.changed, t.gone = t.changed[:0], nil
}
