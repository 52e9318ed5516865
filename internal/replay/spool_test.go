package replay

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestASpoolSortsWhateverItsMemory: in memory, and in many runs on disk.
func TestASpoolSortsWhateverItsMemory(t *testing.T) {
	for _, memory := range []int{1 << 20, 200} {
		s := newSpool(memory)
		r := rand.New(rand.NewPCG(1, 2))
		var want [][]byte
		for range 1000 {
			b := []byte(fmt.Sprint(r.IntN(500), "/", r.IntN(3)))
			want = append(want, b)
			if err := s.add(b); err != nil {
				t.Fatal(err)
			}
		}
		slices.SortFunc(want, bytes.Compare)
		var got [][]byte
		if err := s.each(func(b []byte) error {
			got = append(got, bytes.Clone(b))
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		s.close()
		if !slices.EqualFunc(want, got, bytes.Equal) {
			t.Errorf("with %d bytes: %d of %d, or out of order", memory, len(got), len(want))
		}
		if memory < 1<<20 && len(s.runs) < 10 {
			t.Errorf("only %d runs: the disk is not tried", len(s.runs))
		}
	}
}
