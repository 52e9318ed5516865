package state

import (
	"cmp"
	"container/heap"
	"slices"
)

// Table is the memory of one rule for one tenant, by key. It belongs to one goroutine.
type Table[M Memory] struct {
	// Evicting is called with a key that goes because there are too many, before what is held of it is told.
	Evicting func(key string)

	most  int
	make  func() M
	keys  map[string]*node[M]
	queue queue[M]
	uses  uint64    // counts the uses of keys
	last  *node[M]  // the key used last
	aged  []aged[M] // those that are next to go, as far as they have not been used since

	tracked bool       // what follows is kept
	changed []*node[M] // since Changes was called
	gone    []string   // keys that were dropped since then; they may be back
	round   uint32     // of Sweep
	rest    []*node[M] // of its keys
}

// node is one key.
type node[M Memory] struct {
	key     string
	memory  M
	due     int64 // where it stands in the queue; what is due may be later
	at      int   // its place in the queue
	changed bool  // it is among the table's changed keys
	dropped bool
	used    uint64 // the number of its last use
	whole   uint32 // the round in which it was given whole last; 0: never
}

// aged is a key and the number of the use that was its last one.
type aged[M Memory] struct {
	*node[M]
	used uint64
}

// Coarse is a memory that need not be written each time it is used.
type Coarse interface {
	// Changed reports whether the memory differs from what was appended or loaded last in a way that shows later.
	Changed() bool
}

// NewTable makes a table of at most so many keys; the one used longest ago goes first.
func NewTable[M Memory](most int, empty func() M) *Table[M] {
	return &Table[M]{most: most, make: empty, keys: map[string]*node[M]{}, round: 1}
}

// Len is the number of keys.
func (t *Table[M]) Len() int { return len(t.keys) }

// Use gives the memory of a key, and makes the key the one used last; its bytes are copied. After each use Used must be called.
func (t *Table[M]) Use(c *Context, key []byte) M {
	n := t.keys[string(key)]
	if n == nil {
		n = t.add(c, string(key), t.make())
	}
	t.use(n)
	return n.memory
}

// Used plans what becomes due of the memory that Use gave last.
func (t *Table[M]) Used(c *Context) {
	n := t.last
	t.touch(n)
	if due := n.memory.Due(c); due < n.due {
		n.due = due
		heap.Fix(&t.queue, n.at)
	}
}

func (t *Table[M]) add(c *Context, key string, m M) *node[M] {
	if len(t.keys) >= t.most {
		c.Counts.Evicted++
		gone := t.oldest()
		if t.Evicting != nil {
			t.Evicting(gone.key)
		}
		gone.memory.Close(c)
		t.drop(gone)
	}
	n := &node[M]{key: key, memory: m, due: Never}
	t.keys[key] = n
	heap.Push(&t.queue, n)
	t.use(n)
	return n
}

func (t *Table[M]) drop(n *node[M]) {
	heap.Remove(&t.queue, n.at)
	delete(t.keys, n.key)
	n.dropped = true
	if len(t.keys) < t.most/2 {
		t.aged = nil // what has gone must not stay in memory for it
	}
	if t.tracked {
		t.gone = append(t.gone, n.key)
	}
}

// use makes a key the one used last.
func (t *Table[M]) use(n *node[M]) {
	t.uses++
	n.used, t.last = t.uses, n
}

// oldest is the key used longest ago. Keys are sorted when those that were known to be old are gone or have been used again, so that a use
// costs next to nothing.
func (t *Table[M]) oldest() *node[M] {
	for {
		for len(t.aged) > 0 {
			one := t.aged[0]
			t.aged[0] = aged[M]{}
			if t.aged = t.aged[1:]; !one.dropped && one.used == one.node.used {
				return one.node
			}
		}
		t.aged = t.byAge()
	}
}

// byAge are all keys, the one used longest ago first.
func (t *Table[M]) byAge() []aged[M] {
	all := make([]aged[M], 0, len(t.queue))
	for _, n := range t.queue {
		all = append(all, aged[M]{n, n.used})
	}
	slices.SortFunc(all, func(a, b aged[M]) int { return cmp.Compare(a.used, b.used) })
	return all
}

// Next is when Advance has something to do.
func (t *Table[M]) Next() int64 {
	if len(t.queue) == 0 {
		return Never
	}
	return t.queue[0].due
}

// Advance does what is due at the context's clock, key by key.
func (t *Table[M]) Advance(c *Context, at func(key string)) {
	for len(t.queue) > 0 {
		n := t.queue[0]
		if !c.Passed(n.due) {
			return
		}
		at(n.key)
		if n.memory.Advance(c) {
			t.drop(n)
			continue
		}
		t.touch(n)
		if n.due = n.memory.Due(c); c.Passed(n.due) { // nothing due is left, so it comes with a later clock
			n.due = Plus(c.Now, 1)
		}
		heap.Fix(&t.queue, n.at)
	}
}

// Close tells what has not been told, of every key.
func (t *Table[M]) Close(c *Context, at func(key string)) {
	for _, n := range t.byAge() {
		at(n.key)
		n.memory.Close(c)
	}
}

// Rows gives every key and its packed memory; the bytes hold until each returns.
func (t *Table[M]) Rows(each func(key string, row []byte)) {
	var row []byte
	for _, n := range t.byAge() {
		row = n.memory.Append(row[:0])
		each(n.key, row)
	}
}

// Load reads a row.
func (t *Table[M]) Load(c *Context, key string, row []byte) error {
	m := t.make()
	if err := m.Load(row); err != nil {
		return err
	}
	n := t.keys[key]
	if n == nil {
		n = t.add(c, key, m)
	}
	n.memory, n.whole = m, t.round
	n.due = m.Due(c)
	heap.Fix(&t.queue, n.at)
	return nil
}

// queue orders keys by what is due.
type queue[M Memory] []*node[M]

func (q queue[M]) Len() int           { return len(q) }
func (q queue[M]) Less(i, j int) bool { return q[i].due < q[j].due }
func (q queue[M]) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].at, q[j].at = i, j
}

func (q *queue[M]) Push(x any) {
	n := x.(*node[M])
	n.at = len(*q)
	*q = append(*q, n)
}

func (q *queue[M]) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}
