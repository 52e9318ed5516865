// Package file reads records from files and follows them as they grow.
package file

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"noroshi/ingest"
)

// Config says which files.
type Config struct {
	Paths  []string // paths and patterns such as /var/log/audit/*.ndjson
	Follow bool     // go on when the end is reached: lines are added, files rotated, new ones come
	Poll   time.Duration
	Log    *slog.Logger
}

// Source reads files. A file is known by its device, inode and first bytes, so it is read on from where it was left after a
// restart and after it was renamed; a new file under an old name begins at its start. Records are taken when they are whole; what stands
// last in a file that is no longer followed is taken as it is. Files that begin with an array, an envelope or an object over several
// lines, tables, and compressed files are read once, from beginning to end. A file that is truncated and written anew
// begins again; what was written between the last look and the truncation is lost with the file.
type Source struct {
	config Config
	open   map[string]*reading // by path
}

// The bounds of a batch.
const (
	batchRecords = 2000
	batchBytes   = ingest.MaxRecord + 256<<10
)

// New checks the patterns.
func New(c Config) (*Source, error) {
	for _, p := range c.Paths {
		if _, err := filepath.Match(p, ""); err != nil {
			return nil, fmt.Errorf("file source: pattern %s: %w", p, err)
		}
	}
	if c.Poll <= 0 {
		c.Poll = 250 * time.Millisecond
	}
	return &Source{config: c, open: map[string]*reading{}}, nil
}

// Run implements ingest.Source.
func (s *Source) Run(ctx context.Context, position func(string) []byte, deliver ingest.Deliver) error {
	defer s.close()
	tick := time.NewTicker(s.config.Poll)
	defer tick.Stop()
	for {
		if err := s.round(ctx, position, deliver); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		if !s.config.Follow {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (s *Source) close() {
	for _, r := range s.open {
		_ = r.file.Close() // it was only read
	}
}

// round reads on in every file.
func (s *Source) round(ctx context.Context, position func(string) []byte, deliver ingest.Deliver) error {
	for _, path := range s.paths() {
		r := s.open[path]
		if r == nil {
			var err error
			if r, err = openReading(path, position); err != nil {
				if errors.Is(err, fs.ErrNotExist) {
					continue // it was there a moment ago
				}
				s.config.Log.Warn("file not read", slog.String("file", path), slog.Any("err", err))
				continue
			}
			s.open[path] = r
		}
		if err := s.read(ctx, r, deliver); err != nil {
			return err
		}
	}
	return s.retire(ctx, deliver)
}

// paths are the files that the patterns name now, in order.
func (s *Source) paths() (all []string) {
	for _, p := range s.config.Paths {
		found, err := filepath.Glob(p)
		if err != nil {
			continue // New has checked the pattern
		}
		for _, f := range found {
			if info, err := os.Stat(f); err == nil && info.Mode().IsRegular() {
				all = append(all, f)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// retire finishes files whose path now names another file, or none.
func (s *Source) retire(ctx context.Context, deliver ingest.Deliver) error {
	for path, r := range s.open {
		info, err := os.Stat(path)
		if err == nil && os.SameFile(info, r.info) {
			continue
		}
		if err := r.lines(ctx, deliver, true); err != nil {
			return err
		}
		_ = r.file.Close() // it was only read
		delete(s.open, path)
	}
	return nil
}

func (s *Source) read(ctx context.Context, r *reading, deliver ingest.Deliver) error {
	if r.once {
		return r.whole(ctx, deliver)
	}
	return r.lines(ctx, deliver, !s.config.Follow)
}

// position is how far a file has been read.
type position struct {
	Head    string `json:"head"` // hash of the first bytes
	HeadLen int    `json:"head_len"`
	Offset  int64  `json:"offset"`  // bytes of whole records delivered
	Line    int    `json:"line"`    // whole lines among them
	Records int    `json:"records"` // of a file that is read once,
	Refused int    `json:"refused"` // and its pieces that are no records
	Done    bool   `json:"done"`    // such a file has been read to its end,
	Size    int64  `json:"size"`    // which was after so many bytes

	State json.RawMessage `json:"state,omitempty"` // where the offset lies inside a line or a list
}

func (p position) encode() []byte {
	b, err := json.Marshal(p)
	if err != nil {
		return nil // it has no value that could fail
	}
	return b
}
