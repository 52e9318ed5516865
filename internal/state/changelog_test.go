package state

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"
)

type row struct{ key, value []byte }

// apply is what is left of rows that are written one behind the other.
func apply(to map[string][]byte, rows []row) map[string][]byte {
	for _, r := range rows {
		if r.value == nil {
			delete(to, string(r.key))
		} else {
			to[string(r.key)] = r.value
		}
	}
	return to
}

// read gives the memories of rows.
func read(t *testing.T, c *Changelog, rows map[string][]byte) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	c.Load(rows, func(key, memory []byte, err error) {
		if err != nil {
			t.Fatalf("%q: %v", key, err)
		}
		all[string(key)] = memory
	})
	return all
}

func random(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// edited is a memory in which something came at the end, or somewhere, and something went at the beginning.
func edited(r *rand.Rand, b []byte) []byte {
	b = append(bytes.Clone(b), random(r, r.IntN(2000))...)
	if r.IntN(3) == 0 {
		at := r.IntN(len(b) + 1)
		b = append(append(bytes.Clone(b[:at]), random(r, 300)...), b[at:]...)
	}
	return b[r.IntN(min(1500, len(b)+1)):]
}

// TestChangelog: whatever part of the rows of a change is there, each memory is as before or as after it; after the last one nothing is
// left that no memory needs, and no row is long.
func TestChangelog(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	var c Changelog
	rows, want := map[string][]byte{}, map[string][]byte{}
	for round := range 1000 {
		key := []byte{byte(r.IntN(5))}
		before := want[string(key)]
		after := edited(r, before)
		if r.IntN(20) == 0 {
			after = random(r, r.IntN(100_000))
		}
		var out []row
		put := func(key, value []byte) { out = append(out, row{key, value}) }
		if r.IntN(30) == 0 {
			after = nil
			c.Drop(key, put)
		} else {
			c.Put(key, after, put)
		}
		n := r.IntN(len(out) + 1)
		part := map[string][]byte{}
		for k, v := range rows {
			part[k] = v
		}
		var killed Changelog
		got := read(t, &killed, apply(part, out[:n]))
		if b := got[string(key)]; !bytes.Equal(b, before) && !bytes.Equal(b, after) {
			t.Fatalf("round %d: %d of %d rows give neither what was nor what is", round, n, len(out))
		}
		apply(rows, out)
		if want[string(key)] = after; after == nil {
			delete(want, string(key))
		}
		for _, o := range out {
			if len(o.value) > max(wholeMost, pieceMost)+1 && o.value[0] != formatPieces {
				t.Fatalf("a row has %d bytes", len(o.value))
			}
		}
		if round%50 == 0 {
			got := read(t, &c, rows)
			if len(got) != len(want) {
				t.Fatalf("round %d: %d memories, expected %d", round, len(got), len(want))
			}
			for k := range want {
				if !bytes.Equal(got[k], want[k]) {
					t.Fatalf("round %d: memory %q differs", round, k)
				}
			}
			c.Stray(rows, func(key, _ []byte) { t.Fatalf("round %d: nobody needs %x", round, key) })
		}
	}
}

// TestALongMemoryIsNotWrittenAgain: an event more, and one less, cost a few pieces.
func TestALongMemoryIsNotWrittenAgain(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	var c Changelog
	b := random(r, 1<<20)
	c.Put([]byte("k"), b, func(_, _ []byte) {})
	written := 0
	c.Put([]byte("k"), append(bytes.Clone(b[350:]), random(r, 350)...), func(key, value []byte) { written += len(key) + len(value) })
	if written > 64<<10 {
		t.Errorf("350 bytes that come and 350 that go write %d of %d bytes", written, len(b))
	}
}

// TestStrayPieces: what a killed process has left is taken away.
func TestStrayPieces(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	var c Changelog
	var out []row
	c.Put([]byte("k"), random(r, 100_000), func(key, value []byte) { out = append(out, row{key, value}) })
	rows := apply(map[string][]byte{}, out[:len(out)-1]) // the row that names them is missing
	var again Changelog
	if got := read(t, &again, rows); len(got) != 0 {
		t.Fatalf("%d memories", len(got))
	}
	again.Stray(rows, func(key, _ []byte) { delete(rows, string(key)) })
	if len(rows) != 0 {
		t.Errorf("%d pieces are left", len(rows))
	}
}

// TestRowsThatCannotBeRead are told apart, and the others are read.
func TestRowsThatCannotBeRead(t *testing.T) {
	rows := map[string][]byte{"mgood": {formatWhole, 1}, "mnewer": {9, 1}, "mempty": {}, "mpiece": append([]byte{formatPieces}, make([]byte, 16)...),
		"modd": {formatPieces, 1}, "zforeign": {1}}
	want := map[string]error{"good": nil, "newer": ErrFormat, "empty": ErrRow, "piece": ErrPiece, "odd": ErrRow, "zforeign": ErrFormat}
	var c Changelog
	n := 0
	c.Load(rows, func(key, _ []byte, err error) {
		n++
		if w, ok := want[string(key)]; !ok || !errors.Is(err, w) || w == nil && err != nil {
			t.Errorf("%q: %v, expected %v", key, err, w)
		}
	})
	if n != len(want) {
		t.Errorf("%d rows are told, expected %d", n, len(want))
	}
	rows["p0123456789abcdefnewer"] = []byte{1} // whoever can read the row needs it
	c.Stray(rows, func(key, _ []byte) { t.Errorf("%q is taken away", key) })
}
