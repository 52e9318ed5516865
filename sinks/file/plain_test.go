//go:build unix

package file

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"noroshi/sinks"
)

// A pipe or a device is no file of alerts, neither at the start nor when it takes the file's place.
func TestAFileOfAlertsIsAPlainFile(t *testing.T) {
	dir := t.TempDir()
	pipe, link, path := filepath.Join(dir, "pipe"), filepath.Join(dir, "link"), filepath.Join(dir, "alerts")
	if err := errors.Join(syscall.Mkfifo(pipe, 0o600), os.Symlink("pipe", link)); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{pipe, link, dir, "/dev/null"} {
		if _, err := New(Config{Path: p}); !errors.Is(err, errKind) {
			t.Errorf("%s: %v", p, err)
		}
	}
	s, err := New(Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(pipe, path); err != nil {
		t.Fatal(err)
	}
	if err := s.Send(t.Context(), []sinks.Message{{ID: "a", Body: []byte("{}")}}); !errors.Is(err, errKind) {
		t.Errorf("a pipe in the file's place: %v", err)
	}
}
