package bus

import (
	"fmt"
	"testing"
)

// TestManySmallBatchesAreGivenUpEarlier than their bytes alone would be: each is in the broker's memory.
func TestManySmallBatchesAreGivenUpEarlier(t *testing.T) {
	const batches = 2000
	e, b := start(t, t.TempDir(), 1<<20)
	w, err := b.Writer()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for i := range batches {
		if err := w.Write(t.Context(), []Record{{Topic: Events, Key: fmt.Append(nil, i), Value: []byte("x")}}); err != nil {
			t.Fatal(err)
		}
	}
	if n := e.disk.batches(b.name(Events)); n != batches {
		t.Errorf("%d batches are counted, want %d", n, batches)
	}
	if _, err := e.shorten(t.Context(), b, nil); err != nil {
		t.Fatal(err)
	}
	if n := len(values(t, b, Events)); n > batches*3/4 {
		t.Errorf("%d of %d records are left", n, batches)
	}
}
