package bus_test

import (
	"crypto/rand"
	"fmt"
	"slices"
	"testing"

	"noroshi/internal/bus"
	"noroshi/internal/kafkatest"
)

// TestBatches: readers see all of a batch or nothing; a new writer fences the old and reads what is stored.
func TestBatches(t *testing.T) {
	kafkatest.Each(t, 2, func(t *testing.T, b *bus.Bus) {
		open := func() *bus.Batches {
			t.Helper()
			w, err := b.Batches(t.Context(), "files-x")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { w.Close(ended(t)) })
			return w
		}
		position := func(w *bus.Batches) string {
			t.Helper()
			all, err := w.Positions(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return string(all["file/1/2"])
		}
		batch := func(n int, large bool) []bus.Record {
			all := []bus.Record{{Topic: bus.Events, Key: []byte("taro@example.com"), Value: fmt.Append(nil, "a", n)}, {Topic: bus.Events, Key: []byte("hanako@example.com"), Value: fmt.Append(nil, "b", n)}}
			if large {
				all = append(all, bus.Record{Topic: bus.Events, Value: make([]byte, 9<<20)})
			}
			return append(all, bus.Record{Topic: bus.Checkpoints, Key: []byte("file/1/2"), Value: fmt.Append(nil, n)})
		}
		write := func(w *bus.Batches, records []bus.Record) error {
			return w.Write(t.Context(), slices.Chunk(records, 2), func(e *bus.TooLarge) ([]bus.Record, error) {
				return e.Replace(records, func(r bus.Record, _ error) (bus.Record, bool) {
					r.Value = []byte("small")
					return r, true
				})
			})
		}
		first := open()
		if got := position(first); got != "" {
			t.Errorf("a new file has the position %q", got)
		}
		for n := range 3 {
			if err := write(first, batch(n, n == 1)); err != nil {
				t.Fatal(err)
			}
		}
		second := open()
		if got := position(second); got != "2" {
			t.Errorf("the successor begins at %q", got)
		}
		if err := write(first, batch(9, false)); err == nil {
			t.Error("one that is fenced can write")
		}
		if err := write(second, batch(3, false)); err != nil {
			t.Fatal(err)
		}
		await(t, b, "a0", "a1", "a2", "a3", "b0", "b1", "b2", "b3", "small")
		if got := position(second); got != "3" {
			t.Errorf("the position is %q", got)
		}
	})
}

// TestSmallRecordsAreNotTooLarge: where a topic takes less than what is sent together, it takes the records one by one, but for
// those that are too large alone.
func TestSmallRecordsAreNotTooLarge(t *testing.T) {
	kafkatest.Each(t, 2, func(t *testing.T, b *bus.Bus) {
		if err := b.Set(t.Context(), bus.Events, "max.message.bytes", "100000"); err != nil {
			t.Fatal(err)
		}
		all := make([]bus.Record, 1000)
		for i := range all {
			all[i] = bus.Record{Topic: bus.Events, Key: fmt.Append(nil, i), Value: noise(1000)}
		}
		all[7].Value, all[500].Value = noise(110_000), noise(110_000)
		var named []int
		w, err := b.Batches(t.Context(), "files-x")
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close(ended(t))
		if err := w.Write(t.Context(), slices.Chunk(all, 100), func(e *bus.TooLarge) ([]bus.Record, error) {
			named = append(named, e.Records...)
			return e.Replace(all, func(r bus.Record, _ error) (bus.Record, bool) {
				r.Value = []byte("small")
				return r, true
			})
		}); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(named, []int{7, 500}) {
			t.Errorf("%d are named, first %v", len(named), named[:min(3, len(named))])
		}
		want := make([]string, len(all))
		for i, r := range all {
			want[i] = string(r.Value)
		}
		slices.Sort(want)
		await(t, b, want...)
	})
}

// noise is bytes that no compression makes fewer.
func noise(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // it never fails
	return b
}
