//go:build unix

package bus

import (
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
)

// Too many open files are no fault of the disk: what could not be brought there is brought there later.
func TestTooManyOpenFilesPass(t *testing.T) {
	dir := t.TempDir()
	part := filepath.Join(dir, "partitions", "a-0")
	if err := os.MkdirAll(part, 0o700); err != nil {
		t.Fatal(err)
	}
	segment := filepath.Join(part, "0"+segmentExt)
	d := &disk{dir: dir, folders: map[string]*folder{}}
	add := func() {
		t.Helper()
		f, err := os.OpenFile(segment, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.WriteString("more"); err != nil {
			t.Fatal(err)
		}
	}
	add()
	if err := d.sync(); err != nil {
		t.Fatal(err)
	}
	add()
	var was syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &was); err != nil {
		t.Fatal(err)
	}
	none := was
	none.Cur = 0
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &none); err != nil {
		t.Fatal(err)
	}
	err := d.sync()
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &was); err != nil {
		t.Fatal(err)
	}
	if _, end := d.faults(); err == nil || end != nil {
		t.Errorf("without descriptors: %v, and for ever: %v", err, end)
	}
	if dirty, err := d.dirty(); err != nil || !slices.Contains(dirty, segment) {
		t.Errorf("%v are to be brought to the disk, %v", dirty, err)
	}
	clear(d.folders)
	if err := d.sync(); err != nil {
		t.Error(err)
	}
}
