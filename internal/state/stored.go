package state

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// The errors of rows.
var (
	ErrFormat = errors.New("the row is of a newer format")
	ErrPiece  = errors.New("a piece of the memory is missing")
)

// memories are what rows hold.
type memories map[string]memory

// memory is what rows hold of a key.
type memory struct {
	packed []byte
	err    error // why it cannot be read
}

// Load gives the memories of rows, and begins to write on behind them. Of a memory that cannot be read the bytes are nil and err tells why;
// where nobody knows whose it is, the key is that of its row.
func (c *Changelog) Load(rows map[string][]byte, each func(key, memory []byte, err error)) {
	*c = Changelog{owner: c.owner, early: c.early, Least: c.Least}
	all := memories{}
	groups := map[place]*parts{}
	for k, value := range rows {
		switch {
		case len(k) == groupKey && k[0] == keyGroup:
			at := place{int64(binary.BigEndian.Uint64([]byte(k[1:]))), binary.BigEndian.Uint64([]byte(k[9:]))}
			g := groups[at]
			if g == nil {
				g = &parts{group: group{place: at}, rows: map[uint16][]byte{}}
				groups[at] = g
			}
			g.rows[binary.BigEndian.Uint16([]byte(k[17:]))] = value
			g.size += len(k) + len(value) + rowCost
			continue
		case k != "" && k[0] == keyMemory:
			all.early(rows, k[1:], value)
		case k == "" || k[0] != keyPiece:
			all[k] = memory{err: ErrFormat}
		}
		c.old = append(c.old, k)
	}
	c.chain(groups, all)
	for k, m := range all {
		each([]byte(k), m.packed, m.err)
	}
}

// groupKey is how long the key of a group's row is.
const groupKey = 1 + 8 + 8 + 2

// parts are the rows of a group.
type parts struct {
	group
	from   place
	rows   map[uint16][]byte
	packed []byte
	err    error
}

// join puts the rows together.
func (g *parts) join() {
	for i := 0; i == 0 || i < g.parts; i++ {
		row, have := g.rows[uint16(i)]
		if !have {
			g.err = ErrPiece
			return
		}
		f := Read(row)
		if format := f.Byte(); format != formatGroup {
			g.err = fmt.Errorf("%w: %d", ErrFormat, format)
			return
		}
		many, from := f.Uint(), place{f.Int(), f.Uint()}
		if f.failed || many == 0 || many > 1<<16 || i > 0 && int(many) != g.parts {
			g.err = ErrRow
			return
		}
		g.parts, g.from = int(many), from
		g.packed = append(g.packed, f.b...)
	}
}

// keys are those of the rows that are there.
func (g *parts) keys() (all []string) {
	for i := range g.rows {
		all = append(all, string(g.key(int(i))))
	}
	return all
}

// compare orders groups by who wrote them and when.
func (p place) compare(o place) int {
	return cmp.Or(cmp.Compare(p.owner, o.owner), cmp.Compare(p.seq, o.seq))
}

// chain reads groups. Where one between others is missing, or cannot be read, no memory that was there before is whole.
func (c *Changelog) chain(all map[place]*parts, to memories) {
	for i, g := range c.counting(all) {
		if i > 0 && g.seq != c.next {
			to.tear()
		}
		if g.err == nil {
			g.err = to.add(g.packed)
		}
		if g.err != nil {
			to.tear()
			to[string(g.key(0))] = memory{err: g.err}
		}
		g.parts = max(g.parts, 1)
		c.groups, c.size = append(c.groups, g.group), c.size+g.size
		c.from, c.next = g.place, g.seq+1
	}
	c.whole = c.size / roundTimes
}

// counting are the groups that count, in order. What an owner has written behind the place from which the next one began does not, nor
// what lies before an earlier version has gone on, nor does a last group of which rows are missing: its writer has not come to its end.
func (c *Changelog) counting(all map[place]*parts) (counts []*parts) {
	sorted := make([]*parts, 0, len(all))
	for _, g := range all {
		g.join()
		sorted = append(sorted, g)
	}
	slices.SortFunc(sorted, func(a, b *parts) int { return b.compare(a.place) })
	limit := place{math.MaxInt64, math.MaxUint64}
	from := limit // of the owner at hand
	for i, g := range sorted {
		if i > 0 && g.owner != sorted[i-1].owner {
			limit = from
		}
		if g.compare(limit) > 0 || g.owner < c.early || len(counts) == 0 && errors.Is(g.err, ErrPiece) {
			c.stray = append(c.stray, g.keys()...)
			continue
		}
		if counts = append(counts, g); g.parts > 0 {
			from = g.from
		}
	}
	slices.Reverse(counts)
	return counts
}

var unpacker = sync.OnceValue(func() *zstd.Decoder {
	d, _ := zstd.NewReader(nil) // only options can be wrong
	return d
})

// add reads the items of a group.
func (m memories) add(packed []byte) error {
	items, err := unpacker().DecodeAll(packed, nil)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrRow, err)
	}
	f := Read(items)
	var key []byte
	for f.Len() > 0 {
		form, alike := Form(f.Byte()), f.Uint()
		if alike > uint64(len(key)) {
			return ErrRow
		}
		key = append(key[:alike], f.Bytes()...)
		if more := f.Bytes(); !f.failed {
			m.change(string(key), more, form)
		}
	}
	return f.Err()
}

// change takes a change of a memory.
func (m memories) change(key string, more []byte, form Form) {
	was, have := m[key]
	switch {
	case form == Gone:
		delete(m, key)
	case form == Whole:
		m[key] = memory{packed: more}
	case !have:
		m[key] = memory{err: ErrPiece}
	case was.err == nil:
		m[key] = memory{packed: append(was.packed, more...)}
	}
}

// tear notes that what was written of memories is not whole.
func (m memories) tear() {
	for key, one := range m {
		if one.err == nil {
			m[key] = memory{err: ErrPiece}
		}
	}
}
