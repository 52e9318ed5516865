package cli

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"noroshi/detector"
	"noroshi/rules"
)

// TestAHitOfTheDemoIsSmall: what memory would hold of each record of the demo, for each rule that it satisfies.
func TestAHitOfTheDemoIsSmall(t *testing.T) {
	set, ps := rules.Load(rules.Options{Library: true})
	if len(ps) > 0 {
		t.Fatal(ps[0].Format())
	}
	w := detector.New(set, detector.Options{}).Worker()
	var sizes []int
	for line := range bytes.Lines(takeover) {
		if err := w.ReadAlone(bytes.TrimSpace(line), time.Time{}); err != nil {
			t.Fatal(err)
		}
		detector.EachHit(w.Match(nil), func(packed []byte) { sizes = append(sizes, len(packed)) })
	}
	if len(sizes) < 5 {
		t.Fatalf("only %d hits", len(sizes))
	}
	sum := 0
	for _, n := range sizes {
		sum += n
	}
	t.Logf("%d hits: %d bytes on average, %d at most", len(sizes), sum/len(sizes), slices.Max(sizes))
	if slices.Max(sizes) > 400 {
		t.Errorf("a packed hit takes %d bytes", slices.Max(sizes))
	}
}
