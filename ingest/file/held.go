package file

import (
	"errors"
	"path/filepath"
	"syscall"
)

// hold opens a file, or gives its open handle. The file used longest ago is closed where there are too many.
func (s *Source) hold(f *file) (handle, error) {
	if f.handle != nil {
		s.held.MoveToBack(f.place)
		return f.handle, nil
	}
	for s.held.Len() >= s.config.Held {
		s.evict()
	}
	path := f.name()
	h, err := s.disk.open(path)
	for errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) {
		if s.held.Len() == 0 {
			return nil, err
		}
		s.evict()
		h, err = s.disk.open(path)
	}
	if err != nil {
		return nil, err
	}
	st, err := h.stat()
	if err == nil && st.id != f.id {
		err = errChanged
	}
	if err != nil {
		h.Close()
		return nil, err
	}
	f.handle, f.place, f.real = h, s.held.PushBack(f), path
	if real, err := filepath.EvalSymlinks(path); err == nil {
		f.real = real
	}
	return h, nil
}

func (s *Source) evict() {
	if f, ok := s.held.Front().Value.(*file); ok {
		s.release(f)
	}
}

// release closes a file.
func (s *Source) release(f *file) {
	if f.handle == nil {
		return
	}
	f.handle.Close() // it was only read
	s.held.Remove(f.place)
	f.handle, f.place = nil, nil
}
