package file

import (
	"errors"
	"io"
	"io/fs"
)

// identity is what a file system knows a file by, whatever it is called.
type identity struct{ device, inode uint64 }

// stat is what a file system tells about a file.
type stat struct {
	id      identity
	size    int64
	changed int64  // when it was changed last, in nanoseconds since 1970
	links   uint64 // names it has; 0: it is deleted
}

// handle is an open file.
type handle interface {
	io.ReaderAt
	io.Closer
	stat() (stat, error)
}

// disk is the file system; tests put faults in front of it.
type disk interface {
	open(path string) (handle, error)
	stat(path string) (stat, error) // of what a link leads to
	names(folder string) ([]string, error)
}

// errKind is the error of what has no bytes to be read twice, such as a folder or a pipe.
var errKind = errors.New("not a regular file")

// kindError is an errKind that says what is there instead.
type kindError struct{ mode fs.FileMode }

// CheckKind gives the error with which a source of files refuses what is no file that can be read, such as a pipe.
func CheckKind(mode fs.FileMode) error {
	if mode.IsRegular() {
		return nil
	}
	return kindError{mode}
}

func (kindError) Is(err error) bool { return err == errKind }

func (k kindError) Error() string { return "not a regular file but " + k.what() }

func (k kindError) what() string {
	switch {
	case k.mode.IsDir():
		return "a folder"
	case k.mode&fs.ModeNamedPipe != 0:
		return "a pipe"
	case k.mode&fs.ModeSocket != 0:
		return "a socket"
	case k.mode&fs.ModeDevice != 0:
		return "a device"
	}
	return "something else"
}
