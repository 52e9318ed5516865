package replay

import (
	"testing"

	"noroshi/detector"
	"noroshi/rules"
)

// BenchmarkProve runs all tests of the library.
func BenchmarkProve(b *testing.B) {
	set, _ := rules.Load(rules.Options{Library: true})
	n := 0
	for b.Loop() {
		for _, r := range set.Rules {
			p := NewProver(set, r, detector.Options{})
			for i := range r.Tests {
				n++
				if v := p.Prove(b.Context(), &r.Tests[i]); !v.Pass {
					b.Fatal(v.Why)
				}
			}
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "tests/s")
}
