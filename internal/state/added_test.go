package state

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"
)

// crowd fires for an entry whose window holds three.
type crowd struct{}

func (crowd) Fires(w *Window, i int) bool {
	from, to := crowd{}.Span(w, i)
	return to-from >= 3
}

func (crowd) Span(w *Window, i int) (from, to int) {
	t := w.Entries[i].Time
	return After(w.Entries, t-w.Within), After(w.Entries, t)
}

// entry is an event, or a revision of an alert, whose body is much like those of others.
func entry(r *rand.Rand, at int64, alert bool) Entry {
	packed := binary.BigEndian.AppendUint64(nil, uint64(at)^1<<63)
	name := fmt.Sprint("event-", r.Uint64())
	if alert {
		name = fmt.Sprint("alert-", r.IntN(5))
	}
	packed = append(packed, name...)
	e := Entry{Time: at, Head: int32(len(packed)), Clauses: byte(r.IntN(3))}
	e.Packed = fmt.Appendf(packed, "revision %08d of somebody at 198.51.100.%d by something long that does not change, in session %d", r.IntN(1000), r.IntN(300), r.IntN(3))
	if alert {
		e.Link()
		if r.IntN(6) == 0 {
			e.Leave()
		}
	}
	return e
}

// TestWhatWasAddedGivesTheMemory: a memory that is read of what was written whole and of what was added since is the memory, whatever came
// in whatever order: events that are late, those that are too many, alerts that move, and what the clock takes away.
func TestWhatWasAddedGivesTheMemory(t *testing.T) {
	added, whole := 0, 0
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 1))
		repeat := []int64{0, 70, 400}[seed%3]
		spec := &Spec{Kind: crowd{}, Within: 100, Repeat: repeat, Most: 30, Later: func(was, is []byte) bool { return !bytes.Equal(was, is) },
			Anchor: func(e *Entry) []string { return []string{string(e.Identity())} }}
		c := &Context{Keep: 50, Wait: 10, Live: true, Counts: &Counts{}, Tell: func(*Finding) {}}
		w, written := NewWindow(spec), []byte(nil)
		for step := range 300 {
			if c.Now += r.Int64N(12); r.IntN(20) == 0 {
				w.Advance(c)
			}
			w.Add(c, entry(r, c.Now-r.Int64N(80), seed%2 == 0 && r.IntN(3) == 0))
			if r.IntN(4) > 0 {
				continue
			}
			switch row, ok := w.AppendAdded(nil); {
			case !ok || written == nil:
				written, whole = w.Append(nil), whole+1
				w.Written()
			case len(row) > 0:
				written, added = append(written, row...), added+1
				w.Written()
			}
			again := NewWindow(spec)
			if err := again.Load(written); err != nil {
				t.Fatalf("seed %d, step %d: %v", seed, step, err)
			}
			for _, one := range []*Window{w, again} {
				one.forget(c)
			}
			if got, want := again.Append(nil), w.Append(nil); !bytes.Equal(got, want) {
				t.Fatalf("seed %d, step %d: %d entries and %d told, expected %d and %d", seed, step, len(again.Entries), len(again.told), len(w.Entries), len(w.told))
			}
		}
	}
	if added < 2*whole {
		t.Errorf("%d times what was added was written, %d times the whole", added, whole)
	}
}

// TestAnAlertThatComesBackIsToldOnce: what was told of an alert that left, and came back at another time, is read once.
func TestAnAlertThatComesBackIsToldOnce(t *testing.T) {
	spec := &Spec{Kind: crowd{}, Within: 100, Later: func(was, is []byte) bool { return !bytes.Equal(was, is) },
		Anchor: func(e *Entry) []string { return []string{string(e.Identity())} }}
	c := &Context{Keep: 500, Live: true, Counts: &Counts{}, Tell: func(*Finding) {}}
	w, written := NewWindow(spec), []byte(nil)
	write := func() {
		t.Helper()
		row, ok := w.AppendAdded(nil)
		if written = append(written, row...); !ok || len(w.Entries) == 2 {
			written = w.Append(nil)
		}
		w.Written()
	}
	add := func(at int64, name string, leaves bool) {
		e := Entry{Time: at, Packed: append(binary.BigEndian.AppendUint64(nil, uint64(at)^1<<63), name...)}
		e.Head = int32(len(e.Packed))
		e.Packed = fmt.Append(e.Packed, " as it is at ", at, leaves)
		e.Link()
		if leaves {
			e.Leave()
		}
		w.Add(c, e)
	}
	add(10, "one", false)
	add(20, "two", false)
	write()
	add(30, "three", false)
	write()
	add(30, "three", true)
	write()
	add(35, "three", false)
	write()
	again := NewWindow(spec)
	if err := again.Load(written); err != nil {
		t.Fatal(err)
	}
	if len(w.told) != 1 || len(again.told) != 1 || again.told[0].event != w.told[0].event {
		t.Errorf("%d are told, %d are read", len(w.told), len(again.told))
	}
}

// TestLike: bytes that are packed as far as they differ from others are read as they are.
func TestLike(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	text := func() []byte {
		b := bytes.Repeat([]byte("abcdefgh"), r.IntN(6))
		for range r.IntN(4) {
			if n := len(b); n > 0 {
				b[r.IntN(n)] = 'x'
				at := r.IntN(n)
				b = append(append(bytes.Clone(b[:at]), "inserted"[:r.IntN(9)]...), b[at:]...)
			}
		}
		return b
	}
	for range 20_000 {
		like, b := text(), text()
		f := Read(appendLike(nil, like, b))
		if got := f.like(like); !bytes.Equal(got, b) || f.Err() != nil {
			t.Fatalf("%q like %q is read as %q: %v", b, like, got, f.Err())
		}
	}
}

// FuzzLike: whatever is read ends with bytes or with an error.
func FuzzLike(f *testing.F) {
	f.Add([]byte("abcdefgh"), appendLike(nil, []byte("abcdefgh"), []byte("abcXefgh!")))
	f.Fuzz(func(_ *testing.T, like, packed []byte) { Read(packed).like(like) })
}
