package file

import (
	"errors"
	"io"
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

// errKind is the error of what has no bytes to be read twice, such as a directory or a pipe.
var errKind = errors.New("not a regular file")
