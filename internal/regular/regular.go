// Package regular reads regular files of bounded size.
package regular

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// ErrKind is the cause where a path leads to a pipe, a device, a socket or a folder.
var ErrKind = errors.New("it is not a plain file")

// Read gives what the file holds, at most so many bytes. A pipe or a device, which could keep the reader forever, and a longer file are
// errors. Each error is an *fs.PathError, so that a caller can leave the path out.
func Read(path string, most int) ([]byte, error) {
	info, err := os.Stat(path) // before it is opened: opening a device can do something to it
	if err == nil && !info.Mode().IsRegular() {
		err = failure(path, ErrKind)
	}
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // where a pipe has taken its place, opening does not wait for a writer
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err = f.Stat(); err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, failure(path, ErrKind)
	}
	if info.Size() > int64(most) { // also a file with holes, which would fill the memory first
		return nil, tooLong(path, most)
	}
	var b bytes.Buffer
	b.Grow(int(info.Size()) + bytes.MinRead)
	if _, err = b.ReadFrom(io.LimitReader(f, int64(most)+1)); err != nil {
		return nil, err
	}
	if b.Len() > most { // it has grown, or it tells no size
		return nil, tooLong(path, most)
	}
	return b.Bytes(), nil
}

func tooLong(path string, most int) error {
	return failure(path, fmt.Errorf("it has more than %d bytes", most))
}

func failure(path string, cause error) error {
	return &fs.PathError{Op: "read", Path: path, Err: cause}
}
