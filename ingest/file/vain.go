package file

import (
	"log/slog"
	"path/filepath"
	"time"
)

// vain are the paths and patterns that name no file: a misspelt one looks like a quiet one.
type vain struct {
	now  []string // in this turn, in the order of the configuration
	was  int      // how many were told last,
	told time.Time
}

// vainEvery is how often they are told while they last.
const vainEvery = 10 * time.Minute

// look finds the patterns that match none of the paths that are there. A folder that cannot be read is told by itself.
func (v *vain) look(s *Source, there map[string]bool) {
	v.now = v.now[:0]
	for _, pattern := range s.config.Paths {
		if !there[pattern] && !matchesOne(pattern, there) && !s.failing(pattern) {
			v.now = append(v.now, pattern)
		}
	}
}

// failing reports whether a folder on the way to a pattern's files cannot be read.
func (s *Source) failing(pattern string) bool {
	for folder := filepath.Dir(pattern); len(s.faults) > 0; folder = filepath.Dir(folder) {
		for path := range s.faults {
			if ok, err := filepath.Match(folder, path); ok && err == nil {
				return true
			}
		}
		if folder == filepath.Dir(folder) {
			break
		}
	}
	return false
}

func matchesOne(pattern string, there map[string]bool) bool {
	for path := range there {
		if ok, err := filepath.Match(pattern, path); ok && err == nil {
			return true
		}
	}
	return false
}

// tell logs them when there are more than were told, and now and then while they last.
func (v *vain) tell(s *Source) {
	n := len(v.now)
	if n > v.was || n > 0 && s.now.Sub(v.told) >= vainEvery {
		s.config.Log.Warn("paths name no file; they are looked at again and again", slog.Int("paths", n), slog.String("first", v.now[0]))
		v.told = s.now
	}
	v.was = n
}
