package index

import "hash/maphash"

const (
	memoSize = 4096 // texts remembered for a field
	window   = 1024 // probes after which the memo judges itself
	rest     = 16   // windows it sleeps when it does not pay
)

var seed = maphash.MakeSeed()

// Memo remembers a table's answer for texts seen before, in a table of fixed size that is overwritten, so that senders
// of ever new texts cost time but no memory. Where texts hardly repeat, or the answer is quick, it steps aside.
// A text is known by 64 seeded bits. It belongs to one goroutine.
type Memo struct {
	*Table
	known        []uint64 // hash of the text; the lowest bit tells that it has rules
	rules        [][]int32
	probes, hits int
	asleep       int
	slow         bool
}

// NewMemo wraps a table.
func NewMemo(t *Table) *Memo {
	m := &Memo{Table: t, slow: t.slow()}
	if m.slow {
		m.known, m.rules = make([]uint64, memoSize), make([][]int32, memoSize)
	}
	return m
}

// Rules is Table.Rules, remembered where that pays.
func (m *Memo) Rules(s string, to []int32) []int32 {
	if !m.slow {
		return m.Table.Rules(s, to)
	}
	if m.asleep > 0 {
		m.asleep--
		return m.Table.Rules(s, to)
	}
	if m.probes++; m.probes == window {
		if m.hits < window/4 {
			m.asleep = rest * window
		}
		m.probes, m.hits = 0, 0
	}
	h := maphash.String(seed, s)
	i := h >> 1 % memoSize
	if m.known[i]|1 == h|1 {
		m.hits++
		if m.known[i]&1 != 0 {
			to = append(to, m.rules[i]...)
		}
		return to
	}
	m.rules[i] = m.Table.Rules(s, m.rules[i][:0])
	if m.known[i] = h &^ 1; len(m.rules[i]) > 0 {
		m.known[i] |= 1
	}
	return append(to, m.rules[i]...)
}
