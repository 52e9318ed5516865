package state

import (
	"cmp"
	"encoding/binary"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// Changelog turns what changes in packed memories into rows: what changes at once lies in one group, packed together, for the events of a
// moment have most of their texts in common. A group has one row or more. Now and then, in rounds, all memories are written whole again, a
// few with each group, and then what was written before the round is taken away. Rows of one Changelog are read in the order of their
// groups, whatever the order in which they are kept. It belongs to one goroutine.
type Changelog struct {
	// Least is how many bytes of rows there are before a round begins; 0: roundLeast.
	Least int

	owner int64 // whoever writes
	early int64 // the last owner of an earlier version that has left rows
	from  place // the last group that was read when it began to
	next  uint64

	items  []byte // of the group that is being made
	last   []byte // the key of its last item
	ready  []Row  // of groups that are full
	fresh  int    // bytes of items since Rows was called last
	groups []group
	size   int // of the groups' rows

	stray []string // keys of rows that nobody needs
	round bool     // a round is under way
	until int      // how many groups were there when it began
	old   []string // keys of rows that go with it, beside those of these groups
	whole int      // the size behind the last round
}

// Row is a row as it is stored; one without value takes the row of its key away.
type Row struct{ Key, Value []byte }

// place is where a group stands among others.
type place struct {
	owner int64
	seq   uint64
}

// group is what is known of a group that is stored.
type group struct {
	place
	parts int
	size  int
}

// The first byte of a row's key tells what the row is, the first byte of its value the format.
const (
	keyGroup    = 'g' // then the owner, the number of the group, and that of the row in it
	formatGroup = 3
)

// The sizes of rows and the rhythm of rounds, in bytes.
const (
	groupMost  = 1 << 20   // of the items of a group, but for its last
	partMost   = 512 << 10 // of a row
	rowCost    = 64        // what Kafka adds to a row
	roundLeast = 4 << 20   // of rows, or there is no round
	roundTimes = 2         // as much as behind the last round: then another one begins
	sweepLeast = 16 << 10  // of memories that a round writes with a group
)

// Begin says who writes from now on: a number greater than that of everybody before.
func (c *Changelog) Begin(owner int64) { c.owner = owner }

// Put adds a change of the memory of a key to the group.
func (c *Changelog) Put(key, memory []byte, form Form) {
	alike := 0
	for alike < min(len(key), len(c.last)) && key[alike] == c.last[alike] {
		alike++
	}
	n := len(c.items)
	c.items = binary.AppendUvarint(append(c.items, byte(form)), uint64(alike))
	c.items = AppendBytes(AppendBytes(c.items, key[alike:]), memory)
	c.fresh += len(c.items) - n
	c.last = append(c.last[:0], key...)
	if len(c.items) >= groupMost {
		c.close()
	}
}

// packer packs groups.
var packer = sync.OnceValue(func() *zstd.Encoder {
	e, _ := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderCRC(false), zstd.WithWindowSize(groupMost)) // these options are right
	return e
})

// close makes rows of the items.
func (c *Changelog) close() {
	if len(c.items) == 0 {
		return
	}
	packed := packer().EncodeAll(c.items, nil)
	c.next = max(c.next, 1)
	g := group{place: place{c.owner, c.next}, parts: (len(packed) + partMost - 1) / partMost}
	for i := range g.parts {
		value := binary.AppendUvarint([]byte{formatGroup}, uint64(g.parts))
		value = binary.AppendUvarint(binary.AppendVarint(value, c.from.owner), c.from.seq)
		value = append(value, packed[i*partMost:min(len(packed), (i+1)*partMost)]...)
		row := Row{g.key(i), value}
		g.size += row.size()
		c.ready = append(c.ready, row)
	}
	c.groups, c.size = append(c.groups, g), c.size+g.size
	c.next++
	c.items, c.last = c.items[:0], c.last[:0]
}

func (r *Row) size() int { return len(r.Key) + len(r.Value) + rowCost }

// key is that of a row of the group.
func (p place) key(part int) []byte {
	key := binary.BigEndian.AppendUint64([]byte{keyGroup}, uint64(p.owner))
	return binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint64(key, p.seq), uint16(part))
}

// Sweep gives whole memories, about as many bytes as there is room, each at least once in a round, and reports whether the round has
// ended. Memories that Put was given whole since the round began need not be given.
type Sweep func(room int, each func(key, memory []byte)) (ended bool)

// Rows gives the rows of what Put was given, and takes rows away that are not needed any more. They come last, the oldest first, so that
// whatever part of the rows is there can be read.
func (c *Changelog) Rows(sweep Sweep, each func(Row)) {
	ended := false
	if c.fresh > 0 && sweep != nil {
		ended = c.sweep(sweep)
	}
	c.close()
	for _, r := range c.ready {
		each(r)
	}
	clear(c.ready)
	c.ready, c.fresh = c.ready[:0], 0
	for _, key := range c.stray {
		each(Row{Key: []byte(key)})
	}
	c.stray = nil
	if ended {
		c.end(each)
	}
}

// sweep goes on with the round, or begins one when it is time.
func (c *Changelog) sweep(sweep Sweep) (ended bool) {
	if !c.round {
		if len(c.old) == 0 && c.size < cmp.Or(c.Least, roundLeast)+roundTimes*c.whole {
			return false
		}
		c.close()
		c.round, c.until = true, len(c.groups)
	}
	return sweep(max(c.fresh, sweepLeast), func(key, memory []byte) { c.Put(key, memory, Whole) })
}

// end takes away what was there when the round began.
func (c *Changelog) end(each func(Row)) {
	for _, key := range c.old {
		each(Row{Key: []byte(key)})
	}
	for _, g := range c.groups[:c.until] {
		for i := range g.parts {
			each(Row{Key: g.key(i)})
		}
		c.size -= g.size
	}
	c.groups = append(c.groups[:0:0], c.groups[c.until:]...)
	c.round, c.old, c.whole = false, nil, c.size
}
