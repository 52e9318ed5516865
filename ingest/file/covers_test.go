package file

import (
	"os"
	"path/filepath"
	"testing"
)

// tree makes folders and links, and gives where they lie.
func tree(t *testing.T) string {
	t.Helper()
	at := t.TempDir()
	for _, d := range []string{"in/a", "out", "data/events-0"} {
		if err := os.MkdirAll(filepath.Join(at, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(at, "out/there.ndjson"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, to := range map[string]string{"link": "out", "in/b": "../out", "in/one.ndjson": "../out/there.ndjson", "out/named.ndjson": "there.ndjson", "store": "data"} {
		if err := os.Symlink(to, filepath.Join(at, name)); err != nil {
			t.Skipf("no links here: %v", err)
		}
	}
	if err := os.Link(filepath.Join(at, "out/there.ndjson"), filepath.Join(at, "in/hard.log")); err != nil {
		t.Fatal(err)
	}
	t.Chdir(at)
	return at
}

func TestAPatternCoversAFileThroughLinks(t *testing.T) {
	at := tree(t)
	for _, one := range []struct {
		pattern, path string
		want          bool
	}{
		{"out/alerts.ndjson", "out/alerts.ndjson", true},
		{"out/*.ndjson", "out/alerts.ndjson", true},
		{"out/*", "out/alerts.ndjson.1", true},
		{"out/*.ndjson", "out/alerts.ndjson.1", false},
		{"out/*.json", "out/alerts.ndjson", false},
		{"./in/../out/*", "out/alerts.ndjson", true},
		{filepath.Join(at, "out/*"), "out/alerts.ndjson", true},
		{"*/*.ndjson", "out/alerts.ndjson", true},
		{"*.ndjson", "out/alerts.ndjson", false},
		{"link/*.ndjson", "out/alerts.ndjson", true},
		{"out/*.ndjson", "link/alerts.ndjson", true},
		{"link/alerts.ndjson", "out/alerts.ndjson", true},
		{"in/*/*.ndjson", "out/alerts.ndjson", true},
		{"in/*.ndjson", "out/there.ndjson", true},
		{"in/*.ndjson", "out/alerts.ndjson", false},
		{"in/*.log", "out/there.ndjson", true},
		{"in/hard.log", "out/there.ndjson", true},
		{"out/there.ndjson", "out/named.ndjson", true},
		{"new/*.ndjson", "new/alerts.ndjson", true},
		{"new/*/x.ndjson", "new/a/x.ndjson", true},
		{"new/*/x.ndjson", "new/x.ndjson", false},
	} {
		if got := Covers(one.pattern, one.path); got != one.want {
			t.Errorf("%s and %s: got %v", one.pattern, one.path, got)
		}
	}
}

func TestAPatternCoversWhatLiesInAFolder(t *testing.T) {
	at := tree(t)
	for _, one := range []struct {
		pattern, folder string
		want            bool
	}{
		{"data/*", "data", true},
		{"data/events-0/log", "data", true},
		{"*/*/*", "data", true},
		{"*/*", "data", true},
		{"*", "data", false},
		{"in/*", "data", false},
		{"store/*", "data", true},
		{"data/*", "store", true},
		{filepath.Join(at, "d*", "x"), "data", true},
		{"later/*/x", "later", true},
		{"data-2/*", "data", false},
		{"*/*.ndjson", "data", false},
		{"data/in/*.ndjson", "data", false},
		{"data/in.ndjson", "data", false},
		{"*/*/*o*", "data", true},
	} {
		if got := CoversInside(one.pattern, one.folder, "log", "x"); got != one.want {
			t.Errorf("%s and %s: got %v", one.pattern, one.folder, got)
		}
	}
}
