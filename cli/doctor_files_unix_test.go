//go:build unix

package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestDoctorTellsOfWhatIsNoFile: a pipe and a folder that a source names are not read. Where a pattern matches them, the files beside them are.
func TestDoctorTellsOfWhatIsNoFile(t *testing.T) {
	for path, want := range map[string]struct{ found, what string }{
		"logs/*":        {"[warning sources file-kind]", "not a regular file but a pipe"},
		"logs/pipe":     {"[error sources file-kind]", "not a regular file but a pipe"},
		"logs/folder":   {"[error sources file-kind]", "not a regular file but a folder"},
		"logs/a.ndjson": {"[]", ""},
	} {
		file := write(t, t.TempDir(), "noroshi.yaml", fmt.Sprintf("sources: [{file: {paths: [%q]}}]\nsinks: [{name: out, file: {path: alerts.ndjson}}]\n", path))
		dir := filepath.Dir(file)
		write(t, dir, "logs/a.ndjson", "{}\n")
		if err := os.Mkdir(filepath.Join(dir, "logs", "folder"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Mkfifo(filepath.Join(dir, "logs", "pipe"), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, all := doctoring(t, doctorsDay, file); fmt.Sprint(got) != want.found || !strings.Contains(all, want.what) {
			t.Errorf("%s: got %v, want %v\n%s", path, got, want, all)
		}
	}
}
