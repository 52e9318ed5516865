// Package file reads records from files and follows them as they grow, are rotated, rewritten and copied.
//
// A file is known by its device, its inode and the bytes that have been read of it, whatever it is called. Before it is read on,
// its beginning and the end of what has been read are compared with what they were. What has been read is also known by its
// records: so the rest of a log that was copied, and then cut, is found in the copy, and a copy gives nothing twice.
package file

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"noroshi/ingest"
)

// Config says which files. Log and Now are needed.
type Config struct {
	Paths  []string // paths and patterns such as /var/log/audit/*.ndjson
	Follow bool     // go on when the end is reached: lines are added, files rotated, new ones come
	Poll   time.Duration
	Held   int // files held open at most; 0: as many as the process may have open without harm to others
	Now    func() time.Time
	Log    *slog.Logger
}

// Source reads files. Lines are taken when they are whole, or when they hold a whole object; of a file that is not followed all is
// taken as it is. Files that are not lines (arrays, envelopes over several lines, tables, UTF-16) or are compressed are read from
// beginning to end each time they have changed, and give what they have not given yet.
type Source struct {
	config  Config
	disk    disk
	deliver ingest.Deliver
	files   map[identity]*file
	first   map[string][]*file // by their first record
	faults  map[string]*fault  // by path
	counts  Counts

	held     list.List // of open files, the one used longest ago first
	buf      []byte    // in which chunks of lines are read,
	raw      []byte    // and kept as they were
	turns    int
	now      time.Time          // when this turn began
	left     bool               // in it something was not read
	listed   []*file            // in it
	late     []*file            // in it: those that are visited at its end,
	closing  bool               // which has come
	names    map[string]*file   // in the turn before, by path
	rooms    map[string][]entry // folders that were looked into in this turn
	told     time.Time          // when faults were told last
	vain     vain
	notFiles map[string]*notFile // by path
}

// The bounds of a batch. It is stored in one transaction, and on our own broker brought to the disk in one: large ones cost less.
const (
	batchRecords = 16_384
	batchBytes   = 16 << 20
)

// longest is more than a record.
const longest = ingest.MaxRecord + 256<<10

// Times that decide.
const (
	settle = 10 * time.Second // an end that has not changed for so long is taken as it is
	leave  = 10 * time.Minute // a file that is not listed any more, and has not changed for so long, is left alone
	coarse = 2 * time.Second  // two changes within it may look like one
)

// New checks the patterns.
func New(c Config) (*Source, error) {
	for i, p := range c.Paths {
		if _, err := filepath.Match(p, ""); err != nil {
			return nil, fmt.Errorf("file source: pattern %s: %w", p, err)
		}
		c.Paths[i] = filepath.Clean(p)
	}
	if c.Poll <= 0 {
		c.Poll = 250 * time.Millisecond
	}
	if c.Held <= 0 {
		c.Held = int(min(512, descriptors()/4))
	}
	c.Held = max(c.Held, 4) // a copy is compared with what it is a copy of
	return &Source{config: c, disk: system{}, files: map[identity]*file{}, first: map[string][]*file{}, faults: map[string]*fault{},
		notFiles: map[string]*notFile{}}, nil
}

// Counts are what the source has to say of itself. They may be asked for from any goroutine.
func (s *Source) Counts() *Counts { return &s.counts }

// Run implements ingest.Source. Looking takes at most a quarter of the time.
func (s *Source) Run(ctx context.Context, stored map[string][]byte, deliver ingest.Deliver) error {
	defer s.close()
	s.restore(stored, deliver)
	for {
		began := s.config.Now()
		if err := s.turn(ctx); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		if !s.config.Follow && len(s.faults) == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(max(s.config.Poll, 3*s.config.Now().Sub(began))):
		}
	}
}

// restore takes the rows that are stored. Those of files that are no longer asked for lie there in case they are again.
func (s *Source) restore(stored map[string][]byte, deliver ingest.Deliver) {
	s.deliver = deliver
	for key, row := range stored {
		id, ok := parseKey(key)
		if !ok || len(row) == 0 {
			continue
		}
		p, err := parsePosition(row)
		if err != nil {
			s.config.Log.Warn("the file is read from its beginning", slog.String("position", key), slog.Any("err", err))
			continue
		}
		f := &file{id: id, at: p, hashed: true, fresh: p.Kind == undecided, path: p.Path, real: p.Real, away: p.Gone || !s.matches(p.Path)}
		if f.real == "" {
			f.real = p.Path
		}
		s.files[id] = f
		s.index(f)
	}
}

func (s *Source) matches(path string) bool {
	for _, p := range s.config.Paths {
		if ok, err := filepath.Match(p, path); path != "" && ok && err == nil {
			return true
		}
	}
	return false
}

func (s *Source) close() {
	for _, f := range s.files {
		s.release(f)
	}
}

// turn reads on in every file: first in those that have lost their names, then as the names are ordered, and last in those that are
// new, or hold something new. Then it is known of all others whether they are what they were, and a copy is known as one.
func (s *Source) turn(ctx context.Context) error {
	s.turns++
	s.now, s.rooms = s.config.Now(), map[string][]entry{}
	s.list()
	s.left = false
	s.counts.look(func(l *Looks) { l.Turn, l.Alone = s.turns, s.unread() <= 1 })
	err := s.visitAll(ctx)
	if err == nil && !s.left && len(s.faults) == 0 {
		s.counts.look(func(l *Looks) { l.Whole = s.now })
	}
	s.tell()
	s.vain.tell(s)
	return err
}

// unread is how many of the listed files hold what was not read.
func (s *Source) unread() (n int) {
	for _, f := range s.listed {
		if f.attended != f.stat {
			n++
		}
	}
	return n
}

func (s *Source) visitAll(ctx context.Context) error {
	s.late, s.closing = s.late[:0], false
	for _, f := range s.moved() {
		if err := s.pursue(ctx, f); err != nil {
			return err
		}
	}
	for _, f := range s.listed {
		if f.visited == s.turns {
			continue
		}
		if err := s.visit(ctx, f); err != nil {
			return err
		}
	}
	s.closing = true
	for _, f := range s.late {
		if err := s.visit(ctx, f); err != nil {
			return err
		}
	}
	return s.forget(ctx)
}

// errLate postpones a file to the end of the turn.
var errLate = errors.New("later in this turn")

// postpone is the error of a file that may be a copy, before all others are known.
func (s *Source) postpone(f *file) error {
	if s.closing {
		return nil
	}
	s.late = append(s.late, f)
	return errLate
}
