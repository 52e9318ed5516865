package state

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"
)

// apply is what is left of rows that are written one behind the other.
func apply(to map[string][]byte, rows []Row) map[string][]byte {
	for _, r := range rows {
		if r.Value == nil {
			delete(to, string(r.Key))
		} else {
			to[string(r.Key)] = r.Value
		}
	}
	return to
}

// read gives the memories of rows.
func read(t *testing.T, c *Changelog, rows map[string][]byte) map[string]string {
	t.Helper()
	all := map[string]string{}
	c.Load(rows, func(key, memory []byte, err error) {
		if err != nil {
			t.Fatalf("%q: %v", key, err)
		}
		all[string(key)] = string(memory)
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

// writer writes memories of a few keys.
type writer struct {
	*rand.Rand
	log     Changelog
	now     map[string]string
	rest    []string // of the round
	begun   bool
	changes int
}

// change changes a few memories and gives the rows.
func (w *writer) change(many int) (rows []Row) {
	for range w.IntN(many + 1) {
		key := fmt.Sprint("rule-", w.IntN(3), "-of-", w.IntN(40))
		more := string(random(w.Rand, w.IntN(100)))
		w.changes++
		switch was, have := w.now[key]; {
		case have && w.IntN(8) == 0:
			delete(w.now, key)
			w.log.Put([]byte(key), nil, Gone)
		case have && w.IntN(4) > 0:
			w.now[key] = was + more
			w.log.Put([]byte(key), []byte(more), Added)
		default:
			if w.IntN(1000) == 0 {
				more = string(random(w.Rand, 2*partMost))
			}
			w.now[key] = more
			w.log.Put([]byte(key), []byte(more), Whole)
		}
	}
	w.log.Rows(w.sweep, func(r Row) { rows = append(rows, Row{bytes.Clone(r.Key), r.Value}) })
	return rows
}

// sweep gives some of the keys that were there when the round began.
func (w *writer) sweep(_ int, each func(key, memory []byte)) (ended bool) {
	if !w.begun {
		w.begun, w.rest = true, nil
		for key := range w.now {
			w.rest = append(w.rest, key)
		}
	}
	for n := w.IntN(9); n > 0 && len(w.rest) > 0; n-- {
		if memory, have := w.now[w.rest[0]]; have {
			each([]byte(w.rest[0]), []byte(memory))
		}
		w.rest = w.rest[1:]
	}
	ended = len(w.rest) == 0
	w.begun = w.begun && !ended
	return ended
}

// TestChangelog: the rows of what has changed give what the memories are, whoever goes on writing them; of rows of which the last are
// missing each memory is as before or as behind them, and the next writer goes on from there. Rounds keep few rows.
func TestChangelog(t *testing.T) {
	w := &writer{Rand: rand.New(rand.NewPCG(1, 1)), log: Changelog{Least: 20_000}, now: map[string]string{}}
	rows := map[string][]byte{}
	owner, rounds, most := int64(0), 0, 0
	for round := range 1500 {
		before := maps.Clone(w.now)
		out := w.change(6)
		if n := len(out); n > 0 && w.IntN(20) == 0 { // it is killed
			part := apply(maps.Clone(rows), out[:w.IntN(n+1)])
			got := read(t, &Changelog{}, part)
			for key := range w.now {
				if got[key] != before[key] && got[key] != w.now[key] {
					t.Fatalf("round %d: %q is neither what it was nor what it is", round, key)
				}
			}
			rows, owner = part, owner+1
			w.log.Begin(owner)
			w.now, w.begun = read(t, &w.log, rows), false
			continue
		}
		apply(rows, out)
		for _, r := range out {
			if len(r.Value) > partMost+64 {
				t.Fatalf("a row has %d bytes", len(r.Value))
			}
			if r.Value == nil {
				rounds++
			}
		}
		most = max(most, len(rows))
		if round%50 == 0 {
			if got := read(t, &Changelog{}, rows); !maps.Equal(got, w.now) {
				t.Fatalf("round %d: %d memories, expected %d", round, len(got), len(w.now))
			}
		}
	}
	if rounds < 300 || most > 1500 {
		t.Errorf("%d rows were taken away, up to %d were there", rounds, most)
	}
}

// TestALateWriterDoesNotCount: what somebody writes who has lost the memory to another one is left out, and taken away.
func TestALateWriterDoesNotCount(t *testing.T) {
	put := func(c *Changelog, key, memory string, form Form) (rows []Row) {
		c.Put([]byte(key), []byte(memory), form)
		c.Rows(nil, func(r Row) { rows = append(rows, r) })
		return rows
	}
	rows := map[string][]byte{}
	var one, two, three Changelog
	one.Begin(5)
	apply(rows, put(&one, "k", "a", Whole))
	two.Begin(9)
	read(t, &two, rows)
	apply(rows, put(&one, "k", "late", Added))
	apply(rows, put(&two, "k", "b", Added))
	apply(rows, put(&one, "other", "later", Whole))
	three.Begin(11)
	if got := read(t, &three, rows); !maps.Equal(got, map[string]string{"k": "ab"}) {
		t.Errorf("got %v", got)
	}
	before := len(rows)
	apply(rows, put(&three, "k", "c", Added))
	if got := read(t, &Changelog{}, rows); !maps.Equal(got, map[string]string{"k": "abc"}) || len(rows) != before-2+1 {
		t.Errorf("got %v of %d rows", got, len(rows))
	}
}

// TestAMissingGroupIsTold: of memories that were there before a group that is missing nobody knows whether they are whole.
func TestAMissingGroupIsTold(t *testing.T) {
	var c Changelog
	rows := map[string][]byte{}
	var keys []string
	for i, key := range []string{"before", "missing", "behind"} {
		c.Put([]byte(key), []byte("m"), Whole)
		c.Put([]byte("again"), []byte{byte(i)}, Whole)
		c.Rows(nil, func(r Row) { rows[string(r.Key)], keys = r.Value, append(keys, string(r.Key)) })
	}
	delete(rows, keys[1])
	want := map[string]error{"before": ErrPiece, "behind": nil, "again": nil}
	n := 0
	c.Load(rows, func(key, _ []byte, err error) {
		n++
		if w, have := want[string(key)]; !have || !errors.Is(err, w) {
			t.Errorf("%q: %v, expected %v", key, err, w)
		}
	})
	if n != len(want) {
		t.Errorf("%d keys, expected %d", n, len(want))
	}
}

// TestEarlyRows: rows of earlier versions are read, changes go on behind them, and the first round takes them away.
func TestEarlyRows(t *testing.T) {
	name := string(bytes.Repeat([]byte{7}, pieceName))
	rows := map[string][]byte{"mshort": {formatWhole, 'a'}, "mlong": append([]byte{formatPieces}, name+name...), "p" + name + "long": []byte("xyz")}
	c := Changelog{Least: 1}
	c.Begin(1)
	if got := read(t, &c, rows); !maps.Equal(got, map[string]string{"short": "a", "long": "xyzxyz"}) {
		t.Errorf("got %v", got)
	}
	c.Put([]byte("short"), []byte("b"), Added)
	c.Rows(nil, func(r Row) { rows[string(r.Key)] = r.Value })
	want := map[string]string{"short": "ab", "long": "xyzxyz"}
	if got := read(t, &Changelog{}, rows); !maps.Equal(got, want) {
		t.Errorf("got %v", got)
	}
	c.Put([]byte("new"), []byte("n"), Whole)
	want["new"] = "n"
	c.Rows(func(_ int, each func(key, memory []byte)) bool {
		for key, memory := range want {
			each([]byte(key), []byte(memory))
		}
		return true
	}, func(r Row) { apply(rows, []Row{r}) })
	if got := read(t, &Changelog{}, rows); !maps.Equal(got, want) || len(rows) != 1 {
		t.Errorf("got %v of %d rows", got, len(rows))
	}
}

// TestRowsThatCannotBeRead are told apart, and the others are read.
func TestRowsThatCannotBeRead(t *testing.T) {
	rows := map[string][]byte{"mgood": {formatWhole, 1}, "mnewer": {9, 1}, "mempty": {}, "mpiece": append([]byte{formatPieces}, make([]byte, 16)...),
		"modd": {formatPieces, 1}, "zforeign": {1}}
	newer := string(place{1, 1}.key(0))
	rows[newer], rows[string(place{1, 2}.key(0))] = []byte{9, 1}, []byte{formatGroup, 1, 0, 0, 'x'}
	c := Changelog{}
	c.Begin(2)
	c.Put([]byte("behind"), []byte{1}, Whole)
	c.next = 3
	c.Rows(nil, func(r Row) { rows[string(r.Key)] = r.Value })
	for key, v := range rows { // it has begun behind the second group
		if key == string(place{2, 3}.key(0)) {
			v[2], v[3] = 2, 2
		}
	}
	want := map[string]error{"good": ErrPiece, "newer": ErrFormat, "empty": ErrRow, "piece": ErrPiece, "odd": ErrRow, "zforeign": ErrFormat,
		newer: ErrFormat, string(place{1, 2}.key(0)): ErrRow, "behind": nil}
	n := 0
	c.Load(rows, func(key, _ []byte, err error) {
		n++
		if w, ok := want[string(key)]; !ok || !errors.Is(err, w) || w == nil && err != nil {
			t.Errorf("%q: %v, expected %v", key, err, w)
		}
	})
	if n != len(want) {
		t.Errorf("%d keys, expected %d", n, len(want))
	}
}

// TestAnEarlierVersionHasGoneOn: groups do not count where an earlier version, which does not read them, has written rows behind them; those
// that come later do.
func TestAnEarlierVersionHasGoneOn(t *testing.T) {
	rows, by := map[string][]byte{"mkept": {formatWhole, 'a'}}, map[string]int64{"mkept": 5}
	next := func(owner int64) (*Changelog, map[string]string) {
		t.Helper()
		c := &Changelog{}
		c.Begin(owner)
		c.Earlier(by)
		return c, read(t, c, rows)
	}
	put := func(c *Changelog, more string, form Form) {
		c.Put([]byte("kept"), []byte(more), form)
		c.Rows(nil, func(r Row) {
			apply(rows, []Row{{bytes.Clone(r.Key), r.Value}})
			by[string(r.Key)] = c.owner
		})
	}
	c, _ := next(10)
	put(c, "b", Added)
	put(c, "c", Added)
	if _, got := next(20); got["kept"] != "abc" {
		t.Errorf("behind an upgrade: %q", got)
	}
	rows["mkept"], by["mkept"] = []byte{formatWhole, 'x', 'y'}, 30
	c, got := next(40)
	if got["kept"] != "xy" {
		t.Errorf("behind a downgrade: %q", got)
	}
	put(c, "z", Added)
	if _, got := next(50); got["kept"] != "xyz" || len(rows) != 2 {
		t.Errorf("behind another upgrade: %q in %d rows", got, len(rows))
	}
}
