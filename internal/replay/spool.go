package replay

import (
	"bufio"
	"bytes"
	"cmp"
	"container/heap"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"slices"
)

// spoolMemory is how many bytes of hits wait in memory before they are sorted and written to a temporary file.
const spoolMemory = 64 << 20

// chunkSize is how much room is made at once: what grows by copying costs more than sorting. The first chunks are smaller, for the tests
// of rules have few hits each.
const (
	chunkSize  = 1 << 20
	firstChunk = 16 << 10
)

// spool sorts packed hits, however many there are.
type spool struct {
	memory, used int
	added        int      // hits, all there were
	chunks       [][]byte // hits, each behind its length
	free         [][]byte
	at           []place
	timely       bool // at is in order, but for hits that begin alike
	runs         []*os.File
	named        []string // those runs that are to be removed in the end
}

// place is where a hit lies: behind so many bytes of a chunk. What begins with lesser bytes comes first.
type place struct {
	begins       uint64
	chunk, bytes uint32
}

func newSpool(memory int) *spool { return &spool{memory: memory, timely: true} }

// add takes a hit.
func (s *spool) add(packed []byte) error {
	if s.used+len(packed)+4 > s.memory && len(s.at) > 0 {
		if err := s.spill(); err != nil {
			return err
		}
	}
	s.used += len(packed) + 4
	s.added++
	last := len(s.chunks) - 1
	if last < 0 || cap(s.chunks[last])-len(s.chunks[last]) < len(packed)+4 {
		s.chunks = append(s.chunks, s.chunk(len(packed)+4))
		last++
	}
	c := &s.chunks[last]
	s.at = append(s.at, place{prefix(packed), uint32(last), uint32(len(*c))})
	*c = append(binary.BigEndian.AppendUint32(*c, uint32(len(packed))), packed...)
	if n := len(s.at); s.timely && n > 1 {
		s.timely = s.at[n-2].begins <= s.at[n-1].begins
	}
	return nil
}

// chunk is an empty chunk with room for so much.
func (s *spool) chunk(room int) []byte {
	if n := len(s.free); n > 0 && room <= chunkSize {
		c := s.free[n-1]
		s.free = s.free[:n-1]
		return c
	}
	return make([]byte, 0, max(room, min(chunkSize, firstChunk+s.used)))
}

// prefix is the first eight bytes as a number that compares as they do.
func prefix(packed []byte) uint64 {
	var b [8]byte
	copy(b[:], packed)
	return binary.BigEndian.Uint64(b[:])
}

// framed is a hit behind its length.
func (s *spool) framed(p place) []byte {
	b := s.chunks[p.chunk][p.bytes:]
	return b[:4+binary.BigEndian.Uint32(b)]
}

func (s *spool) compare(a, b place) int {
	return cmp.Or(cmp.Compare(a.begins, b.begins), bytes.Compare(s.framed(a)[4:], s.framed(b)[4:]))
}

// sort sorts what is in memory. A log is in order as a rule, but for what happened at one time.
func (s *spool) sort() {
	if !s.timely {
		slices.SortFunc(s.at, s.compare)
		return
	}
	for from, to := 0, 0; from < len(s.at); from = to {
		for to = from + 1; to < len(s.at) && s.at[to].begins == s.at[from].begins; to++ {
		}
		slices.SortFunc(s.at[from:to], s.compare)
	}
}

// spill writes a sorted run to a temporary file, which has no name any more where the system allows it.
func (s *spool) spill() error {
	f, err := os.CreateTemp("", "noroshi-replay-*")
	if err != nil {
		return fmt.Errorf("spill hits: %w", err)
	}
	s.runs = append(s.runs, f)
	if os.Remove(f.Name()) != nil { // Windows does not remove what is open; close does then
		s.named = append(s.named, f.Name())
	}
	s.sort()
	w := bufio.NewWriterSize(f, 1<<20)
	for _, at := range s.at {
		if _, err := w.Write(s.framed(at)); err != nil {
			return fmt.Errorf("spill hits: %w", err)
		}
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("spill hits: %w", err)
	}
	s.empty()
	return nil
}

// empty forgets what is in memory, and keeps its room.
func (s *spool) empty() {
	for _, c := range s.chunks {
		if cap(c) == chunkSize {
			s.free = append(s.free, c[:0])
		}
	}
	clear(s.chunks)
	s.chunks, s.at, s.used, s.timely = s.chunks[:0], s.at[:0], 0, true
}

// close gives the temporary files back.
func (s *spool) close() {
	for _, f := range s.runs {
		_ = f.Close() // nothing of it is wanted
	}
	for _, name := range s.named {
		_ = os.Remove(name) // what is left lies in the system's folder for temporary files
	}
}

// each gives all hits in order. A hit's bytes hold until each returns.
func (s *spool) each(do func(packed []byte) error) error {
	s.sort()
	m := &merge{}
	for _, f := range s.runs {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return fmt.Errorf("read hits: %w", err)
		}
		if err := m.add(&run{from: bufio.NewReaderSize(f, 256<<10)}); err != nil {
			return err
		}
	}
	if err := m.add(&run{spool: s}); err != nil {
		return err
	}
	for len(m.runs) > 0 {
		if err := do(m.runs[0].now); err != nil {
			return err
		}
		switch more, err := m.runs[0].next(); {
		case err != nil:
			return err
		case more:
			heap.Fix(m, 0)
		default:
			heap.Pop(m)
		}
	}
	return nil
}

// run is one sorted run: a file, or what is still in memory.
type run struct {
	from  *bufio.Reader
	spool *spool
	i     int
	now   []byte
}

func (r *run) next() (bool, error) {
	if r.spool != nil {
		if r.i == len(r.spool.at) {
			return false, nil
		}
		r.now = r.spool.framed(r.spool.at[r.i])[4:]
		r.i++
		return true, nil
	}
	var n [4]byte
	if _, err := io.ReadFull(r.from, n[:]); err == io.EOF {
		return false, nil
	} else if err != nil {
		return false, fmt.Errorf("read hits: %w", err)
	}
	length := int(binary.BigEndian.Uint32(n[:]))
	r.now = slices.Grow(r.now[:0], length)[:length]
	if _, err := io.ReadFull(r.from, r.now); err != nil {
		return false, fmt.Errorf("read hits: %w", err)
	}
	return true, nil
}

// merge is a heap of runs by their next hit.
type merge struct{ runs []*run }

func (m *merge) add(r *run) error {
	more, err := r.next()
	if more {
		heap.Push(m, r)
	}
	return err
}

func (m *merge) Len() int           { return len(m.runs) }
func (m *merge) Less(i, j int) bool { return bytes.Compare(m.runs[i].now, m.runs[j].now) < 0 }
func (m *merge) Swap(i, j int)      { m.runs[i], m.runs[j] = m.runs[j], m.runs[i] }
func (m *merge) Push(x any)         { m.runs = append(m.runs, x.(*run)) }
func (m *merge) Pop() any {
	last := m.runs[len(m.runs)-1]
	m.runs = m.runs[:len(m.runs)-1]
	return last
}
