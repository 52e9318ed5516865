package file

import (
	"io/fs"
	"os"
	"syscall"
)

type system struct{}

type osFile struct{ *os.File }

// open lets others rename and delete the file meanwhile.
func (system) open(path string) (handle, error) {
	name, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	share := uint32(syscall.FILE_SHARE_READ | syscall.FILE_SHARE_WRITE | syscall.FILE_SHARE_DELETE)
	h, err := syscall.CreateFile(name, syscall.GENERIC_READ, share, nil, syscall.OPEN_EXISTING, syscall.FILE_ATTRIBUTE_NORMAL, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return osFile{os.NewFile(uintptr(h), path)}, nil
}

func (s system) stat(path string) (stat, error) {
	info, err := os.Stat(path)
	if err != nil {
		return stat{}, err
	}
	if !info.Mode().IsRegular() {
		return stat{}, &fs.PathError{Op: "stat", Path: path, Err: kindError{info.Mode()}}
	}
	f, err := s.open(path)
	if err != nil {
		return stat{}, err
	}
	defer f.Close()
	return f.stat()
}

func (f osFile) stat() (stat, error) {
	var d syscall.ByHandleFileInformation
	if err := syscall.GetFileInformationByHandle(syscall.Handle(f.Fd()), &d); err != nil {
		return stat{}, &fs.PathError{Op: "stat", Path: f.Name(), Err: err}
	}
	return stat{
		id:      identity{uint64(d.VolumeSerialNumber), uint64(d.FileIndexHigh)<<32 | uint64(d.FileIndexLow)},
		size:    int64(d.FileSizeHigh)<<32 | int64(d.FileSizeLow),
		changed: d.LastWriteTime.Nanoseconds(),
		links:   uint64(d.NumberOfLinks),
	}, nil
}

// descriptors is how many files the process may have open.
func descriptors() uint64 { return 4096 }
