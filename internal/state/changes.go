package state

import "slices"

// Form is how a change gives the memory of a key.
type Form byte

// The forms.
const (
	Gone  Form = iota // the key is gone
	Whole             // all that the memory holds
	Added             // what is to be read behind what was given before
)

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

// Changes gives every key that has changed since it was called last, and its packed memory. The bytes hold until each returns.
func (t *Table[M]) Changes(each func(key string, row []byte, form Form)) {
	for _, key := range t.gone {
		if t.keys[key] == nil {
			each(key, nil, Gone)
		}
	}
	var row []byte
	for _, n := range t.changed {
		n.changed = false
		if n.dropped {
			continue
		}
		var ok bool
		if row, ok = n.added(row[:0]); !ok {
			row = t.write(n, row, each)
		} else if len(row) > 0 {
			each(n.key, row, Added)
		}
	}
	clear(t.changed)
	t.changed, t.gone = t.changed[:0], nil
}

// added packs what has come since the memory was given last, and reports whether that tells all.
func (n *node[M]) added(to []byte) (row []byte, ok bool) {
	g, ok := any(n.memory).(Growing)
	if !ok || n.whole == 0 {
		return to, false
	}
	if row, ok = g.AppendAdded(to); ok && len(row) > 0 {
		g.Written()
	}
	return row, ok
}

// write gives the whole memory of a key.
func (t *Table[M]) write(n *node[M], room []byte, each func(key string, row []byte, form Form)) []byte {
	row := n.memory.Append(room[:0])
	if g, ok := any(n.memory).(Growing); ok {
		g.Written()
	}
	n.whole = t.round
	each(n.key, row, Whole)
	return row
}

// Anew makes that Changes gives each key whole when it changes: rows may hold what the clock had taken away before the keys were loaded, and
// what is added would not fit them.
func (t *Table[M]) Anew() {
	for _, n := range t.keys {
		n.whole = 0
	}
}

// Begin begins a round of Sweep.
func (t *Table[M]) Begin() {
	t.round++
	t.rest = t.rest[:0]
	for _, n := range slices.Backward(t.byAge()) {
		t.rest = append(t.rest, n.node)
	}
}

// Sweep goes on with the round: it gives the whole memory of keys that were there when it began and that have not been given whole since,
// until their bytes fill the room. It gives the room that is left, and reports whether the round has ended.
func (t *Table[M]) Sweep(room int, each func(key string, row []byte, form Form)) (left int, ended bool) {
	var row []byte
	for n := len(t.rest); n > 0; n = len(t.rest) {
		if room <= 0 {
			return room, false
		}
		one := t.rest[n-1]
		t.rest[n-1], t.rest = nil, t.rest[:n-1]
		if !one.dropped && one.whole < t.round {
			row = t.write(one, row, each)
			room -= len(row)
		}
	}
	t.rest = nil
	return room, true
}
