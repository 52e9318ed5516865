package bus

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"
)

// A backlog is what a group has not committed; marks of transactions alone are none.
func TestABacklogIsWhatAGroupHasNotDone(t *testing.T) {
	e, b := start(t, t.TempDir(), 1<<30)
	l := b.Backlog(Alerts, "sink-soc")
	look := func(want int64) (since time.Time) {
		t.Helper()
		n, since, err := l.Look(t.Context())
		if err != nil || n != want || since.IsZero() != (want == 0) {
			t.Fatalf("%d wait since %v, want %d: %v", n, since, want, err)
		}
		return since
	}
	some := b.BacklogOf(Alerts, "sink-soc", func(r *Record) bool { return r.Key[0]%2 == 0 })
	lookSome := func(want int64) {
		t.Helper()
		if n, since, err := some.Look(t.Context()); err != nil || n != want || since.IsZero() != (want == 0) {
			t.Fatalf("of those that count %d wait since %v, want %d: %v", n, since, want, err)
		}
	}
	look(0)
	lookSome(0)
	before := time.Now().Add(-time.Second)
	var all []Record
	for i := range 10 {
		all = append(all, Record{Topic: Alerts, Key: []byte(fmt.Sprint(i)), Value: []byte("{}")})
	}
	write(t, b, all...)
	if since := look(10); since.Before(before) || since.After(time.Now().Add(time.Second)) {
		t.Errorf("the oldest is of %v", since)
	}
	lookSome(5)
	if used, limit := e.Use(); used != 0 || limit != 1<<30 {
		t.Errorf("before it was measured %d bytes of %d are used", used, limit)
	}
	if _, err := e.shorten(t.Context(), b, nil); err != nil {
		t.Fatal(err)
	}
	if used, _ := e.Use(); used < 100 || used > 1<<20 {
		t.Errorf("%d bytes are used", used)
	}
	r, err := b.Reader(Member{Topic: Alerts, Group: "sink-soc", Instance: "soc"})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for n := 0; n < 10; {
		got, err := r.Poll(t.Context(), 10-n)
		if err != nil {
			t.Fatal(err)
		}
		n += len(got)
		if n < 10 {
			if err := r.Commit(t.Context()); err != nil {
				t.Fatal(err)
			}
			look(int64(10 - n))
			some.Look(t.Context()) // on its way
			continue
		}
		look(int64(len(got)))
		if err := r.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	look(0)
	lookSome(0)
	tx, err := b.Batches(t.Context(), "n")
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Close(context.WithoutCancel(t.Context()))
	if err := tx.Write(t.Context(), slices.Chunk(all[:1], 1), nil); err != nil {
		t.Fatal(err)
	}
	since := look(2) // the record and the mark behind it
	lookSome(1)
	if again := look(2); !again.Equal(since) {
		t.Errorf("the oldest was of %v, and now of %v", since, again)
	}
	for n := 0; n < 1; {
		got, err := r.Poll(t.Context(), 10)
		if err != nil {
			t.Fatal(err)
		}
		n += len(got)
	}
	if err := r.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	look(0)
}
