//go:build unix

package file

import (
	"io/fs"
	"os"
	"syscall"
)

type system struct{}

type osFile struct{ *os.File }

// open does not wait for the writer of a pipe that has come in the place of a file.
func (system) open(path string) (handle, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

func (system) stat(path string) (stat, error) {
	info, err := os.Stat(path)
	if err != nil {
		return stat{}, err
	}
	return statOf(info)
}

func (f osFile) stat() (stat, error) {
	info, err := f.Stat()
	if err != nil {
		return stat{}, err
	}
	return statOf(info)
}

func statOf(info fs.FileInfo) (stat, error) {
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok || !info.Mode().IsRegular() {
		return stat{}, &fs.PathError{Op: "stat", Path: info.Name(), Err: kindError{info.Mode()}}
	}
	//nolint:unconvert // the types differ from system to system
	return stat{id: identity{uint64(s.Dev), uint64(s.Ino)}, size: info.Size(), changed: changed(info, s), links: uint64(s.Nlink)}, nil
}

// descriptors is how many files the process may have open.
func descriptors() uint64 {
	var r syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &r); err != nil {
		return 256
	}
	//nolint:unconvert // the types differ from system to system
	return uint64(r.Cur)
}
