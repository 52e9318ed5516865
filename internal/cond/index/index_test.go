package index

import (
	"math/rand"
	"slices"
	"testing"
)

// TestTableAndMemoAgreeWithTryingEveryNeedle compares the tables with trying every needle.
func TestTableAndMemoAgreeWithTryingEveryNeedle(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	text := func(n int) string {
		b := make([]byte, r.Intn(n))
		for i := range b {
			b[i] = "abAB.1é/"[r.Intn(8)]
		}
		return string(b)
	}
	for range 200 {
		var ns []needle
		for i := range 1 + r.Intn(60) {
			s := text(20) + "a"
			ns = append(ns, needle{Atom{0, Op(r.Intn(4)), s}, int32(i)})
		}
		f := newTable(ns, []string{text(30)})
		m := NewMemo(f)
		for range 200 {
			s := text(30)
			if r.Intn(2) == 0 {
				s = text(4) + ns[r.Intn(len(ns))].Text + text(4)
			}
			var want []int32
			for _, n := range ns {
				if n.Holds(s) {
					want = append(want, n.rule)
				}
			}
			for _, got := range [][]int32{f.Rules(s, nil), m.Rules(s, nil), m.Rules(s, nil)} {
				slices.Sort(got)
				if got = slices.Compact(got); !slices.Equal(got, want) {
					t.Fatalf("%q: got %v, want %v of %v", s, got, want, ns)
				}
			}
		}
	}
}
