package detector

import (
	"slices"
	"time"
)

// The bounds of Recent.
const (
	RecentSpan = 15 * time.Minute
	RecentMax  = 1 << 20 // hashes

	recentChunk = 1 << 10         // hashes that are made room for at once
	recentTable = 1 << 8          // places of the smallest table
	recentGrain = 2 * time.Second // hashes confirmed within it are forgotten together
)

// Recent remembers the hashes of the last quarter of an hour for a partition of the live stream, so that common repeats are
// stopped before they are evaluated. It takes what these hashes need, 16 to 24 bytes each, and gives back what they do not need
// any more. One whose last records gave alerts that could not be stored is thrown away: they come again and must not be taken
// for repeats.
//
// The hashes stand in the order in which they came, in chunks. A hash table finds them: its entries are the numbers of the hashes.
type Recent struct {
	chunks []*[recentChunk]uint64
	spare  *[recentChunk]uint64
	first  uint64   // the number of the oldest hash
	next   uint64   // the number of the next hash
	table  []uint32 // the numbers of hashes; 0 means that the slot is free. At most half of the slots are in use
	marks  []recentMark
	// Overflows counts hashes that were forgotten before their time because there were too many.
	Overflows int
}

// recentMark says that the hashes below a number were confirmed at a time or before.
type recentMark struct {
	at   time.Time
	next uint64
}

// Len is the number of hashes.
func (r *Recent) Len() int { return int(r.next - r.first) }

// Add remembers a hash and reports whether it has come before.
func (r *Recent) Add(h uint64) bool {
	if r.Len()*2 >= len(r.table) && r.Len() < RecentMax {
		r.resize(max(recentTable, 2*len(r.table)))
	}
	i := r.home(h)
	for ; r.table[i] != 0; i = r.after(i) {
		if r.at(r.table[i]) == h {
			return true
		}
	}
	if r.Len() == RecentMax {
		r.Overflows++
		r.forget(r.first + 1)
		return r.Add(h)
	}
	offset := r.next - r.base()
	if int(offset/recentChunk) == len(r.chunks) {
		r.chunks = append(r.chunks, r.chunk())
	}
	r.chunks[offset/recentChunk][offset%recentChunk] = h
	r.table[i] = entryOf(r.next)
	r.next++
	return false
}

// Keep confirms what was added, and forgets what was confirmed more than RecentSpan before: its alerts are stored.
func (r *Recent) Keep(now time.Time) {
	r.Forget(now)
	n := len(r.marks)
	switch {
	case n > 0 && now.Before(r.marks[n-1].at.Add(recentGrain)):
		r.marks[n-1].next = r.next
	case r.next > r.first:
		r.marks = append(r.marks, recentMark{at: now, next: r.next})
	}
}

// Forget forgets what was confirmed more than RecentSpan before now.
func (r *Recent) Forget(now time.Time) {
	old := 0
	for old < len(r.marks) && now.Sub(r.marks[old].at) >= RecentSpan+recentGrain {
		old++
	}
	if old == 0 {
		return
	}
	r.forget(r.marks[old-1].next)
	r.marks = slices.Delete(r.marks, 0, old)
	if small := len(r.table) / 2; small >= recentTable && r.Len()*8 <= len(r.table) {
		for small/2 >= recentTable && r.Len()*8 <= small {
			small /= 2
		}
		r.resize(small)
	}
}

// forget forgets the hashes below a number.
func (r *Recent) forget(below uint64) {
	for ; r.first < below; r.first++ {
		r.remove(entryOf(r.first))
		if r.first%recentChunk == recentChunk-1 {
			r.spare = r.chunks[0]
			r.chunks = slices.Delete(r.chunks, 0, 1)
		}
	}
}

// remove takes an entry out of the table and moves those up that would not be found behind the gap.
func (r *Recent) remove(entry uint32) {
	gap := r.home(r.at(entry))
	for r.table[gap] != entry {
		gap = r.after(gap)
	}
	for i := r.after(gap); r.table[i] != 0; i = r.after(i) {
		if home := r.home(r.at(r.table[i])); r.distance(home, i) >= r.distance(gap, i) {
			r.table[gap], gap = r.table[i], i
		}
	}
	r.table[gap] = 0
}

func (r *Recent) resize(places int) {
	r.table = make([]uint32, places)
	for n := r.first; n < r.next; n++ {
		i := r.home(r.at(entryOf(n)))
		for r.table[i] != 0 {
			i = r.after(i)
		}
		r.table[i] = entryOf(n)
	}
}

func (r *Recent) chunk() *[recentChunk]uint64 {
	if c := r.spare; c != nil {
		r.spare = nil
		return c
	}
	return new([recentChunk]uint64)
}

// base is the number that the first place of the first chunk has.
func (r *Recent) base() uint64 { return r.first - r.first%recentChunk }

// entryOf is the entry of a hash in the table: the lower bits of its number, which tell those apart that are remembered at the same
// time, and a bit that is set.
func entryOf(number uint64) uint32 { return uint32(number)<<1 | 1 }

// at is the hash of an entry.
func (r *Recent) at(entry uint32) uint64 {
	offset := (uint64(entry>>1) - r.base()) & (1<<31 - 1)
	return r.chunks[offset/recentChunk][offset%recentChunk]
}

// home is the place where a hash belongs.
func (r *Recent) home(h uint64) int { return int(h>>1) & (len(r.table) - 1) }

func (r *Recent) after(i int) int { return (i + 1) & (len(r.table) - 1) }

// distance is how many places it is from one to the other.
func (r *Recent) distance(from, to int) int { return (to - from) & (len(r.table) - 1) }
