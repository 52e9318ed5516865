//go:build unix

package regular

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestOnlyPlainFilesOfBoundedSizeAreRead, whatever the path leads to.
func TestOnlyPlainFilesOfBoundedSizeAreRead(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	if err := os.WriteFile(in("plain"), []byte("12345678"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(syscall.Mkfifo(in("pipe"), 0o600), os.Symlink("pipe", in("to-pipe")), os.Symlink("plain", in("to-plain"))); err != nil {
		t.Fatal(err)
	}
	for _, one := range []struct {
		path string
		most int
		want string // "" where it is read
	}{
		{in("plain"), 8, ""}, {in("to-plain"), 8, ""}, {in("plain"), 7, "it has more than 7 bytes"}, {in("pipe"), 8, "it is not a plain file"},
		{in("to-pipe"), 8, "it is not a plain file"}, {"/dev/zero", 8, "it is not a plain file"}, {dir, 8, "it is not a plain file"}, {in("gone"), 8, "no such file"},
	} {
		data, err := Read(one.path, one.most)
		if one.want == "" {
			if string(data) != "12345678" || err != nil {
				t.Errorf("%s: %q, %v", one.path, data, err)
			}
			continue
		}
		var at *fs.PathError
		if data != nil || !errors.As(err, &at) || !strings.Contains(at.Err.Error(), one.want) {
			t.Errorf("%s: %q, %v", one.path, data, err)
		}
	}
}
