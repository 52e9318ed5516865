package replay

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestASpoolSortsWhateverItsMemory: in memory and in many runs on disk, what comes in order but for single moments and what does not.
func TestASpoolSortsWhateverItsMemory(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var timely, shuffled [][]byte
	for i := range 1000 {
		timely = append(timely, fmt.Appendf(nil, "%08d/%d", i/30, r.IntN(500)))
		shuffled = append(shuffled, fmt.Append(nil, r.IntN(500), "/", r.IntN(3)))
	}
	for _, all := range [][][]byte{timely, shuffled} {
		want := slices.Clone(all)
		slices.SortFunc(want, bytes.Compare)
		for _, memory := range []int{1 << 20, 200} {
			s := newSpool(memory)
			for _, b := range all {
				if err := s.add(b); err != nil {
					t.Fatal(err)
				}
			}
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
}
