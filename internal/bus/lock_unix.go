//go:build unix

package bus

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"time"
)

// lock takes a file for this process alone, as long as the file is open.
func lock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open lock: %w", err)
	}
	if err := flock(f, looks); err != nil {
		holder, _ := io.ReadAll(io.LimitReader(f, 32))
		_ = f.Close() // it is somebody else's
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("%s is taken by process %s", path, strings.TrimSpace(string(holder)))
		}
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	if err := f.Truncate(0); err == nil {
		_, err = f.WriteAt([]byte(fmt.Sprintf("%d\n", os.Getpid())), 0)
		if err != nil {
			_ = f.Close() // the write's error is the one to tell
			return nil, fmt.Errorf("write lock: %w", err)
		}
	}
	return f, nil
}

// A look at the lock by another process holds it for a moment: so often, and so far apart, it is tried to take it.
const (
	looks   = 40
	between = 10 * time.Millisecond
)

func flock(f *os.File, tries int) error {
	for n := 1; ; n++ {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if n == tries || !errors.Is(err, syscall.EWOULDBLOCK) {
			return err
		}
		time.Sleep(between) //nolint:forbidigo // another process is waited for
	}
}

// taken reports whether a process holds a lock file. It asks for no more than a look, so that it is never taken for a holder's
// own, and leaves the file as it is.
func taken(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	return errors.Is(syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB), syscall.EWOULDBLOCK)
}
