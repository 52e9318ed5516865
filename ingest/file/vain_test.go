package file

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPathsThatNameNoFileAreTold: at the start, now and then while they last, and no more once a file has come.
func TestPathsThatNameNoFileAreTold(t *testing.T) {
	dir := t.TempDir()
	add(t, filepath.Join(dir, "a.ndjson"), "{}\n")
	if err := os.Mkdir(filepath.Join(dir, "empty"), 0o700); err != nil {
		t.Fatal(err)
	}
	d := newDesk(t)
	s := source(t, true, filepath.Join(dir, "*.ndjson"), filepath.Join(dir, "empty", "*"), filepath.Join(dir, "gone", "*"), filepath.Join(dir, "b.log"))
	expect := func(what string, told int, vain int64, first string) {
		t.Helper()
		c := s.Counts().Snapshot()
		if n := strings.Count(s.log.String(), "paths name no file"); n != told || c.Vain != vain || !strings.HasSuffix(c.Without, first) {
			t.Errorf("%s: told %d times, %+v\n%s", what, n, c, &s.log)
		}
	}
	round(t, s, d)
	expect("at the start", 1, 3, filepath.Join("empty", "*"))
	round(t, s, d)
	expect("at once", 1, 3, filepath.Join("empty", "*"))
	s.now = s.now.Add(vainEvery)
	round(t, s, d)
	expect("later", 2, 3, filepath.Join("empty", "*"))
	add(t, filepath.Join(dir, "empty", "c"), "{}\n")
	add(t, filepath.Join(dir, "b.log"), "{}\n")
	round(t, s, d)
	expect("two have come", 2, 1, filepath.Join("gone", "*"))
	if err := os.Remove(filepath.Join(dir, "b.log")); err != nil {
		t.Fatal(err)
	}
	round(t, s, d)
	expect("one has gone", 3, 2, filepath.Join("gone", "*"))
}
