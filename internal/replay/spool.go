package replay

import (
	"bufio"
	"bytes"
	"container/heap"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"slices"
)

// spoolMemory is how many bytes of hits wait in memory before they are sorted and written to a temporary file.
const spoolMemory = 64 << 20

// spool sorts packed hits, however many there are.
type spool struct {
	memory int
	arena  []byte
	at     []uint32 // where hits begin; each behind its length
	runs   []*os.File
	named  []string // those runs that are to be removed in the end
}

func newSpool(memory int) *spool { return &spool{memory: memory} }

// add takes a hit.
func (s *spool) add(packed []byte) error {
	if len(s.arena)+len(packed)+4 > s.memory && len(s.at) > 0 {
		if err := s.spill(); err != nil {
			return err
		}
	}
	s.at = append(s.at, uint32(len(s.arena)))
	s.arena = append(binary.BigEndian.AppendUint32(s.arena, uint32(len(packed))), packed...)
	return nil
}

func (s *spool) hit(at uint32) []byte {
	n := binary.BigEndian.Uint32(s.arena[at:])
	return s.arena[at+4 : at+4+n]
}

func (s *spool) sort() {
	slices.SortFunc(s.at, func(a, b uint32) int { return bytes.Compare(s.hit(a), s.hit(b)) })
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
		n := binary.BigEndian.Uint32(s.arena[at:])
		if _, err := w.Write(s.arena[at : at+4+n]); err != nil {
			return fmt.Errorf("spill hits: %w", err)
		}
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("spill hits: %w", err)
	}
	s.arena, s.at = s.arena[:0], s.at[:0]
	return nil
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
		r.now = r.spool.hit(r.spool.at[r.i])
		r.i++
		return true, nil
	}
	var n [4]byte
	if _, err := io.ReadFull(r.from, n[:]); err == io.EOF {
		return false, nil
	} else if err != nil {
		return false, fmt.Errorf("read hits: %w", err)
	}
	r.now = make([]byte, binary.BigEndian.Uint32(n[:]))
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
