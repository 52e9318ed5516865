package file

import (
	"fmt"
	"log/slog"
	"time"
)

// fault is why a path cannot be read.
type fault struct {
	err   error
	since time.Time
	pause time.Duration
	next  time.Time // when it is tried again
	told  bool
	turn  int // the last in which the path was asked for
}

// The pauses between tries, and how often faults that stay are told.
const (
	firstPause = time.Second
	mostPause  = time.Minute
	tellEvery  = time.Minute
)

// waits reports whether a path is not to be tried yet.
func (s *Source) waits(path string) bool {
	f := s.faults[path]
	if f == nil {
		return false
	}
	f.turn = s.turns
	return s.now.Before(f.next)
}

func (s *Source) fails(path string, err error) {
	f := s.faults[path]
	if f == nil {
		f = &fault{since: s.now, pause: firstPause / 2}
		s.faults[path] = f
	}
	f.err, f.turn = err, s.turns
	f.pause = min(2*f.pause, mostPause)
	f.next = s.now.Add(f.pause)
}

func (s *Source) works(path string) {
	if f := s.faults[path]; f != nil {
		delete(s.faults, path)
		s.config.Log.Info("the file is read again", slog.String("file", path), slog.Duration("after", s.now.Sub(f.since)))
	}
}

// tell logs the faults that have come in this turn, and each minute those that are there; a line for all of them, with the one that
// is there longest.
func (s *Source) tell() {
	var all, fresh telling
	for path, f := range s.faults {
		if f.turn != s.turns {
			delete(s.faults, path) // nobody asks for it any more
			continue
		}
		all.add(path, f)
		if !f.told {
			f.told = true
			fresh.add(path, f)
		}
	}
	switch {
	case fresh.files > 0:
		fresh.log(s.config.Log)
		if fresh.files == all.files {
			s.told = s.now
		}
	case all.files > 0 && s.now.Sub(s.told) >= tellEvery:
		all.log(s.config.Log)
		s.told = s.now
	}
	s.count(all)
}

// count says what this turn has found.
func (s *Source) count(all telling) {
	now := Snapshot{Files: int64(len(s.listed)), Open: int64(s.held.Len()), Failing: int64(all.files), Vain: int64(len(s.vain.now)),
		NotFiles: int64(len(s.notFiles))}
	if all.files > 0 {
		now.First, now.Fault, now.Since = all.path, all.fault.err.Error(), all.fault.since.UTC()
	}
	if now.Vain > 0 {
		now.Without = s.vain.now[0]
	}
	for path, one := range s.notFiles {
		if text := path + ": " + one.what; now.NotFile == "" || text < now.NotFile {
			now.NotFile = text
		}
	}
	for _, f := range s.listed {
		if f.unfinished == 0 {
			continue
		}
		if now.Unfinished++; now.UnfinishedAt == "" {
			now.UnfinishedAt = fmt.Sprintf("%s:%d", f.name(), f.unfinished)
		}
	}
	s.counts.set(now)
}

// telling is how many files cannot be read, and one of them.
type telling struct {
	files int
	path  string
	fault *fault
}

func (t *telling) add(path string, f *fault) {
	if t.files == 0 || f.since.Before(t.fault.since) || f.since.Equal(t.fault.since) && path < t.path {
		t.path, t.fault = path, f
	}
	t.files++
}

func (t *telling) log(log *slog.Logger) {
	log.Warn("files cannot be read; they are tried again",
		slog.Int("files", t.files), slog.String("first", t.path), slog.Time("since", t.fault.since), slog.Any("err", t.fault.err))
}
