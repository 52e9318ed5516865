package file

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"path/filepath"
	"slices"
	"time"

	"noroshi/ingest"
)

// moved are the files that are not listed any more, in order.
func (s *Source) moved() (all []*file) {
	for _, f := range s.files {
		if f.turn != s.turns && !f.away {
			f.stray = true
			all = append(all, f)
		}
	}
	slices.SortFunc(all, func(a, b *file) int { return cmp.Or(cmp.Compare(a.real, b.real), cmp.Compare(a.id.inode, b.id.inode)) })
	return all
}

// pursue reads on in a file that was renamed or deleted, until nothing has come for a while.
func (s *Source) pursue(ctx context.Context, f *file) error {
	if s.waits(f.name()) {
		return nil
	}
	there, err := s.locate(f)
	if err != nil {
		s.fails(f.name(), err)
		return nil
	}
	if !there {
		return s.vanish(ctx, f)
	}
	if err := s.visit(ctx, f); err != nil || f.attended != f.stat {
		return err
	}
	switch {
	case f.stat.links == 0 && f.quiet(s.now, settle):
		return s.depart(ctx, f)
	case f.quiet(s.now, leave):
		s.release(f)
		f.away = true
	}
	return nil
}

// locate looks where a file is that is not listed any more.
func (s *Source) locate(f *file) (there bool, err error) {
	if f.handle != nil {
		st, err := f.handle.stat()
		if err != nil {
			s.release(f)
			return false, err
		}
		f.observe(st, s.now)
		if st.links == 0 {
			return true, nil
		}
	}
	switch st, err := s.disk.stat(f.real); {
	case err == nil && st.id == f.id:
		f.observe(st, s.now)
		return true, nil
	case err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, errKind):
		return false, err
	}
	folder := filepath.Dir(f.real)
	for _, e := range s.room(folder) {
		if e.stat.id == f.id {
			f.real = filepath.Join(folder, e.name)
			f.observe(e.stat, s.now)
			return true, nil
		}
	}
	return f.handle != nil, nil
}

// vanish is for a file that is gone and was not held open: what came since it was seen last is in a copy, or nobody knows.
func (s *Source) vanish(ctx context.Context, f *file) error {
	found, err := s.inherit(ctx, f)
	if err != nil {
		return err
	}
	if unread := f.at.Kind == inLines || !f.at.Done && f.stat.size > 0 || f.at.Kind == asWhole && !f.at.Done; unread && !found {
		s.lose("a file is gone; what was written to it since it was seen last is not known", f)
	}
	return s.depart(ctx, f)
}

// depart stores that a file is gone. Its records stay known for a copy to be told by.
func (s *Source) depart(ctx context.Context, f *file) error {
	s.release(f)
	f.away = true
	if f.at.Kind == undecided || f.at.Head == "" {
		s.unindex(f)
		delete(s.files, f.id)
		return nil
	}
	after := f.at
	after.Gone, after.Dead = true, f.stat.id == f.id && f.stat.links == 0
	if f.hashed {
		after.Seen = s.now.Unix()
		b := ingest.Batch{Key: f.id.key(), Position: after.encode()}
		if err := s.deliver(ctx, b); err != nil {
			return undelivered{err}
		}
		f.at = after
		return nil
	}
	return s.store(ctx, f, ingest.Batch{}, after, f.head, f.tail)
}

// How long the rows of files are kept that are not there any more: a copy of what was deleted may still come, and a disk that is not
// there may come back.
const (
	keepDead = 24 * time.Hour
	keepGone = 30 * 24 * time.Hour
)

// forget gives up the rows of files that are gone for long.
func (s *Source) forget(ctx context.Context) error {
	for id, f := range s.files {
		keep := keepGone
		if f.at.Dead {
			keep = keepDead
		}
		if !f.away || !f.at.Gone || s.now.Sub(time.Unix(f.at.Seen, 0)) < keep {
			continue
		}
		if err := s.deliver(ctx, ingest.Batch{Key: id.key()}); err != nil {
			return undelivered{err}
		}
		s.unindex(f)
		delete(s.files, id)
	}
	return nil
}

// lose counts and tells what a file system makes impossible.
func (s *Source) lose(what string, f *file) {
	s.counts.cut()
	s.config.Log.Warn(what, slog.String("file", f.name()), slog.Int("records", f.at.Records), slog.Int("line", f.at.Line))
}
