package detector

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"noroshi/rules"
)

// samples are the shipped sample records, by name.
func samples(tb testing.TB) map[string][]byte {
	tb.Helper()
	files, err := filepath.Glob("../rules/library/samples/*.json")
	if err != nil || len(files) < 100 {
		tb.Fatalf("%d samples, %v", len(files), err)
	}
	all := map[string][]byte{}
	for _, f := range files {
		if all[filepath.Base(f)], err = os.ReadFile(f); err != nil {
			tb.Fatal(err)
		}
	}
	return all
}

// shippedSet is the shipped library, compiled.
func shippedSet(tb testing.TB, sample ...[]byte) *Set {
	tb.Helper()
	library, ps := rules.Load(rules.Options{Library: true, Untested: true})
	if len(ps) > 0 {
		tb.Fatal(ps[0].Format())
	}
	return New(library, Options{Sample: sample})
}

// TestASampleThatMatchesNothingCostsNoMemory: no shipped rule allocates anything for a record that it does not match, whatever the kind of
// record. A record is looked at some times before it is counted: some texts are learned.
func TestASampleThatMatchesNothingCostsNoMemory(t *testing.T) {
	w := shippedSet(t).Worker()
	quiet := 0
	for name, rec := range samples(t) {
		look := func() int {
			if err := w.ReadAlone(rec, time.Time{}); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			w.Reader().Duplicate()
			return len(w.Hits())
		}
		if look() > 0 {
			continue
		}
		quiet++
		if n := testing.AllocsPerRun(100, func() { look() }); n > 0 {
			t.Errorf("%s: %.0f allocations", name, n)
		}
	}
	if quiet < 20 {
		t.Errorf("only %d samples match nothing", quiet)
	}
}
