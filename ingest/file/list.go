package file

import (
	"errors"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

// names are those in a folder, in no order.
func (system) names(folder string) ([]string, error) {
	d, err := os.Open(folder)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return d.Readdirnames(-1)
}

// list finds the files that the patterns name now, each once.
func (s *Source) list() {
	names := map[string]*file{}
	s.listed = s.listed[:0]
	paths := s.paths()
	there := map[string]bool{}
	for _, path := range paths {
		f := s.sight(path)
		if f == nil && s.faults[path] == nil {
			continue
		}
		there[path] = true
		if f == nil {
			continue
		}
		names[path] = f
		if f.turn == s.turns { // one more name of it, a hard link: the name it had is kept
			if s.names[f.path] != f && s.names[path] == f {
				f.path = path
			}
			continue
		}
		f.path, f.turn, f.stray, f.away, f.at.Gone = path, s.turns, false, false, false
		s.listed = append(s.listed, f)
	}
	s.names = names
	maps.DeleteFunc(s.notFiles, func(_ string, one *notFile) bool { return one.turn != s.turns })
	s.vain.look(s, there)
}

// sight is the file at a path, nil if the path has no file. One that cannot be looked at is the one that was there.
func (s *Source) sight(path string) *file {
	if s.waits(path) {
		return s.names[path]
	}
	st, err := s.disk.stat(path)
	switch {
	case err == nil:
	case errors.Is(err, fs.ErrNotExist):
		delete(s.faults, path)
		return nil
	case errors.Is(err, errKind) && !slices.Contains(s.config.Paths, path):
		delete(s.faults, path)
		s.passBy(path, err)
		return nil
	default:
		s.fails(path, err)
		return s.names[path]
	}
	f := s.files[st.id]
	if f == nil {
		f = &file{id: st.id, fresh: true}
		s.files[st.id] = f
	}
	f.observe(st, s.now)
	return f
}

// notFile is a path that a pattern matches, and what is there instead of a file.
type notFile struct {
	what string
	turn int // the last in which it was there
}

// passBy tells once what a pattern matches and is no file. Folders are told only where they are named: a pattern such as * matches them.
func (s *Source) passBy(path string, err error) {
	var k kindError
	if !errors.As(err, &k) || k.mode.IsDir() {
		return
	}
	if s.notFiles[path] == nil {
		s.config.Log.Warn("a pattern matches what is no file; it is not read", slog.String("path", path), slog.String("is", k.what()))
		s.notFiles[path] = &notFile{what: k.what()}
	}
	s.notFiles[path].turn = s.turns
}

// paths are those that the patterns name, in order.
func (s *Source) paths() (all []string) {
	for _, p := range s.config.Paths {
		all = append(all, s.expand(p)...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// expand is filepath.Glob, but tells which folders cannot be read. A path without pattern is itself, whether it is there or not.
func (s *Source) expand(pattern string) (all []string) {
	if !patterned(pattern) {
		return []string{pattern}
	}
	folder, last := filepath.Split(pattern)
	for _, d := range s.expand(filepath.Clean(folder)) {
		if s.waits(d) {
			continue
		}
		names, err := s.disk.names(d)
		if err != nil {
			if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR) {
				s.fails(d, err)
			}
			continue
		}
		s.works(d)
		for _, n := range names {
			if ok, err := filepath.Match(last, n); ok && err == nil {
				all = append(all, filepath.Join(d, n))
			}
		}
	}
	return all
}

// entry is a file in a folder.
type entry struct {
	name string
	stat stat
}

// room is what is in a folder.
func (s *Source) room(folder string) []entry {
	if all, ok := s.rooms[folder]; ok {
		return all
	}
	names, _ := s.disk.names(folder) // where it cannot be read nothing can be found
	slices.Sort(names)
	all := []entry{}
	for _, n := range names {
		if st, err := s.disk.stat(filepath.Join(folder, n)); err == nil {
			all = append(all, entry{n, st})
		}
	}
	s.rooms[folder] = all
	return all
}
