package decode

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"noroshi/internal/event"
)

// said is the record at hand as its golden tells it: a field a line, those that it has.
func said(r *Reader) string {
	var b strings.Builder
	for _, f := range event.Fields() {
		got := r.field(f.Name)
		if f.Type == event.List {
			got = strings.Join(r.fieldList(f.Name), " | ")
		}
		if got != "" {
			fmt.Fprintf(&b, "%s: %s\n", f.Name, got)
		}
	}
	return b.String()
}

// fixtures are the hand-written records of each family.
func fixtures(t testing.TB) []string {
	all, err := filepath.Glob("testdata/*/*.json")
	if err != nil || len(all) == 0 {
		t.Fatalf("no records of families: %v", err)
	}
	return all
}

// TestFamilies: each family's records become the events that lie beside them.
func TestFamilies(t *testing.T) {
	for _, file := range fixtures(t) {
		t.Run(strings.TrimSuffix(strings.TrimPrefix(file, "testdata/"), ".json"), func(t *testing.T) {
			rec, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := said(read(t, string(bytes.TrimSpace(rec))))
			golden := strings.TrimSuffix(file, ".json") + ".golden"
			if os.Getenv("NOROSHI_UPDATE") != "" {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), got); d != "" {
				t.Error(d)
			}
		})
	}
}
