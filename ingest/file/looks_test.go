package file

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"noroshi/ingest"
)

// A source has come to when it looked last and then read all its files to their ends.
func TestHowFarFilesHaveCome(t *testing.T) {
	dir, d := t.TempDir(), newDesk(t)
	a, b := filepath.Join(dir, "a.ndjson"), filepath.Join(dir, "b.ndjson")
	add(t, a, "{\"a\":1}\n{\"a\":2}\n")
	add(t, b, "{\"b\":1}\n")
	r := source(t, true, filepath.Join(dir, "*.ndjson"))
	alone := map[string]bool{} // by what was delivered
	deliver := func(ctx context.Context, b ingest.Batch) error {
		for _, rec := range b.Records {
			alone[string(rec.Bytes)] = r.counts.Looks().Alone
		}
		return d.deliver(ctx, b)
	}
	r.restore(nil, deliver)
	r.began = true
	for !r.counts.Looks().Whole.Equal(r.now) { // some turns, until the files are known to be none that is copied
		if r.now.Sub(clock) > time.Minute {
			t.Fatalf("after a minute the source has come to %s", r.counts.Looks().Whole)
		}
		round(t, r, d)
	}
	if len(d.records) != 3 {
		t.Fatalf("it has come to now and delivered %q", d.records)
	}
	was := r.counts.Looks().Whole
	add(t, a, "{\"a\":3}\n{\"a\":")
	round(t, r, d)
	if whole := r.counts.Looks().Whole; !whole.After(was) {
		t.Errorf("a last line that is being written holds it at %s", whole)
	}
	if alone[`{"a":1}`] || !alone[`{"a":3}`] {
		t.Errorf("it reads one file alone: %v", alone)
	}
	d.n, d.failAt = 0, 1
	was = r.counts.Looks().Whole
	add(t, a, "4}\n")
	if err := r.try(d); err == nil {
		t.Fatal("the delivery did not fail")
	}
	if whole := r.counts.Looks().Whole; !whole.Equal(was) {
		t.Errorf("it has come to %s without having delivered", whole)
	}
}
