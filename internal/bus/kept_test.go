package bus

import (
	"context"
	"fmt"
	"maps"
	"strconv"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

// written is a record of a topic of rows.
type written struct {
	key, value string // "": taken away
	owner, of  int64
	anew       string // of a fence
}

func (w *written) record(at int64) *Record {
	r := &Record{Key: []byte(w.key), Offset: at}
	if w.value != "" {
		r.Value = []byte(w.value)
	}
	if w.owner > 0 {
		r.Headers = append(r.Headers, Header{Key: headerOwner, Value: strconv.AppendInt(nil, w.owner, 10)})
	}
	if w.of > 0 {
		r.Headers = append(r.Headers, Header{Key: headerOf, Value: strconv.AppendInt(nil, w.of, 10)})
	}
	if w.anew != "" {
		r.Headers = append(r.Headers, Header{Key: headerAnew, Value: []byte(w.anew)})
	}
	return r
}

// TestWhichRowCounts: the newest of a key, but not that of an owner that had lost the partition. The offset of the first record is 10.
func TestWhichRowCounts(t *testing.T) {
	fence := func(of int64) written { return written{key: fenceRow, value: "-", of: of} }
	anew := func(why string) written { return written{key: fenceRow, value: "-", anew: why} }
	for name, c := range map[string]struct {
		all   []written
		want  map[string]string
		stale int
	}{
		"the last one":                     {[]written{{"k", "1", 0, 0, ""}, {"k", "2", 0, 0, ""}}, map[string]string{"k": "2"}, 0},
		"none that was taken away":         {[]written{{"k", "1", 0, 0, ""}, {"k", "", 0, 0, ""}}, map[string]string{}, 0},
		"a newer one before one rewritten": {[]written{{"k", "2", 0, 0, ""}, {"k", "1", 0, 5, ""}}, map[string]string{"k": "2"}, 0},
		"an owner's":                       {[]written{fence(0), {"k", "1", 11, 0, ""}}, map[string]string{"k": "1"}, 0},
		"not a zombie's": {[]written{fence(0), {"k", "1", 11, 0, ""}, fence(0), {"k", "2", 13, 0, ""}, {"k", "zombie", 11, 0, ""}},
			map[string]string{"k": "2"}, 1},
		"not what a zombie takes away":                                         {[]written{fence(0), {"k", "1", 11, 0, ""}, fence(0), {"k", "", 11, 0, ""}}, map[string]string{"k": "1"}, 1},
		"a zombie's where it is all there is, because the topic was compacted": {[]written{fence(0), {"k", "zombie", 3, 0, ""}}, map[string]string{"k": "zombie"}, 1},
		"an owner's behind a zombie's": {[]written{fence(0), {"k", "zombie", 3, 0, ""}, {"k", "2", 11, 0, ""}},
			map[string]string{"k": "2"}, 1},
		"not a zombie's whose fence, and the next, were compacted": {[]written{{"k", "2", 9, 0, ""}, {"k", "zombie", 3, 0, ""}},
			map[string]string{"k": "2"}, 1},
		"an old owner's that is written again behind the fence of a new one": {[]written{fence(7), {"k", "1", 3, 4, ""}, {"l", "2", 8, 9, ""}},
			map[string]string{"k": "1", "l": "2"}, 0},
		"rows written again behind a fence": {[]written{fence(7), {"k", "1", 8, 8, ""}, {"l", "2", 8, 9, ""}},
			map[string]string{"k": "1", "l": "2"}, 0},
		"none before it began anew": {[]written{fence(0), {"k", "1", 11, 0, ""}, anew("older 90"), {"l", "2", 13, 0, ""}},
			map[string]string{"l": "2"}, 0},
		"those since it began anew, though it is said again": {[]written{anew("older 90"), {"k", "1", 11, 0, ""}, anew("older 90"), {"l", "2", 13, 0, ""}},
			map[string]string{"k": "1", "l": "2"}, 0},
		"none before it began anew for another reason": {[]written{anew("older 90"), {"k", "1", 11, 0, ""}, anew("older 91"), {"l", "2", 13, 0, ""}},
			map[string]string{"l": "2"}, 0},
		"those since it began anew behind the damage": {[]written{anew("damaged 9"), {"k", "1", 11, 0, ""}, anew("damaged 9")},
			map[string]string{"k": "1"}, 0},
		"none before it began anew for a reason of a later version": {[]written{{"k", "1", 0, 0, ""}, anew("tomorrow 9")}, map[string]string{}, 0},
		"not a zombie's behind where it began anew":                 {[]written{fence(0), anew("older 90"), {"k", "zombie", 11, 0, ""}}, map[string]string{}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			k := newKept()
			for i := range c.all {
				if err := k.add(c.all[i].record(int64(10 + i))); err != nil {
					t.Fatal(err)
				}
			}
			got := map[string]string{}
			for key, v := range k.values() {
				got[key] = string(v)
			}
			if !maps.Equal(got, c.want) || k.stale != c.stale {
				t.Errorf("got %v and %d stale ones, expected %v and %d", got, k.stale, c.want, c.stale)
			}
		})
	}
}

// TestStateStaysBounded: embedded, the rows of a partition are written again and what lies before is deleted, also while its owner writes.
func TestStateStaysBounded(t *testing.T) {
	e, b := start(t, t.TempDir(), 1<<30)
	everything := map[int32]groupPlace{}
	for p := range b.config.Partitions {
		everything[int32(p)] = nowhere
	}
	stored, err := b.restore(t.Context(), DetectorState, everything)
	if err != nil || !stored[0].New {
		t.Fatalf("%v, new %v", err, stored[0].New)
	}
	row := func(key string, n int) Record {
		return Record{Topic: DetectorState, Partition: 0, Key: []byte(key), Value: append(fmt.Append(nil, n, " "), make([]byte, 1<<10)...),
			Headers: []Header{{Key: headerOwner, Value: strconv.AppendInt(nil, stored[0].owned.fence, 10)}}}
	}
	o, err := b.options()
	if err != nil {
		t.Fatal(err)
	}
	c, err := kgo.NewClient(append(append(o, b.producing()...), kgo.RecordPartitioner(b.partitioner()))...)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	put := func(rows ...Record) {
		t.Helper()
		if err := b.produce(t.Context(), c, b.outgoing(rows...)); err != nil {
			t.Error(err)
		}
	}
	put(row("quiet", 7), row("gone", 1), Record{Topic: DetectorState, Partition: 0, Key: []byte("gone"), Headers: row("", 0).Headers})
	last := 0
	at := bounds{least: 2 << 20}
	for round := range 3 {
		done := make(chan struct{})
		ctx, stop := context.WithCancel(t.Context())
		go func() {
			defer close(done)
			for i := 0; i < 20 || ctx.Err() == nil; i++ {
				last++
				var rows []Record
				for n := range 100 {
					rows = append(rows, row(fmt.Sprint("busy", n), last))
				}
				put(rows...)
			}
		}()
		for size := int64(0); size <= at.least; {
			if size, err = b.size(t.Context(), DetectorState); err != nil {
				t.Fatal(err)
			}
		}
		if err := e.bound(t.Context(), b, DetectorState, &at); err != nil {
			t.Fatal(err)
		}
		stop()
		<-done
		again, err := b.restore(t.Context(), DetectorState, everything)
		if err != nil {
			t.Fatal(err)
		}
		s := again[0]
		if s.New || s.Stale > 0 || len(s.Rows) != 101 || string(s.Rows["quiet"][:2]) != "7 " {
			t.Fatalf("round %d: new %v, %d stale, %d rows", round, s.New, s.Stale, len(s.Rows))
		}
		for n := range 100 {
			if want := fmt.Sprint(last, " "); string(s.Rows[fmt.Sprint("busy", n)][:len(want)]) != want {
				t.Fatalf("round %d: row %d is %.9s, expected %s", round, n, s.Rows[fmt.Sprint("busy", n)], want)
			}
		}
		stored = again
	}
}
