package app

import (
	"context"
	"log/slog"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"noroshi/ingest/feed"
	"noroshi/ingest/file"
	"noroshi/internal/alert"
	"noroshi/internal/bus"
	"noroshi/internal/disk"
)

// watching is what is looked at now and then for the status.
type watching struct {
	mu       sync.Mutex
	log      *LogSum // nil: the log is not ours
	missed   int64
	problems int64
	backlogs map[string]*bus.Backlog // by sink
	behind   map[string]behind
	sources  map[string]*lately

	letters   int64     // dead letters at the last look,
	lettered  time.Time // and when they were last more than before
	unreached []string
	disks     []DiskSum
}

// DiskSum is the room of a disk.
type DiskSum struct {
	Path string `json:"path"` // a folder on it
	disk.Room
}

// behind is what waits for a sink.
type behind struct {
	known   bool
	waiting int64
	oldest  time.Time
}

// lately is when a source brought records last, and since when it has had a fault.
type lately struct {
	records      int64
	last, failed time.Time
}

// The bounds of one look.
const (
	watchWithin = 3 * time.Second
	watchAtEnd  = time.Second
)

// watch looks at what nobody counts.
func (r *Run) watch(ctx context.Context, k *kafka, within time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	found := map[string]behind{}
	w := &r.watching
	for i := range r.Sinks {
		s := &r.Sinks[i]
		if w.backlogs == nil {
			w.backlogs = map[string]*bus.Backlog{}
		}
		if w.backlogs[s.Name] == nil {
			w.backlogs[s.Name] = k.bus.BacklogOf(bus.Alerts, sinkGroup+s.Name, s.waitsFor)
		}
		waiting, oldest, err := w.backlogs[s.Name].Look(ctx)
		if err != nil {
			r.Log.Debug("it is not known what waits for a sink", slog.String("sink", s.Name), slog.Any("err", err))
		}
		found[s.Name] = behind{err == nil, waiting, oldest}
	}
	sources, letters, disks := r.sources(), r.stored().letters, r.Disks()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.behind, w.missed, w.problems = found, k.bus.Missed(), k.bus.Problems()
	if k.embedded != nil {
		used, limit := k.embedded.Use()
		w.log = &LogSum{used, limit, k.embedded.Holder()}
	}
	now := time.Now().UTC()
	w.notice(sources, now)
	if letters > w.letters {
		w.letters, w.lettered = letters, now
	}
	w.unreached, w.disks = k.bus.Unreached(), disks
}

// Disks are the rooms of the disks that this instance writes to.
func (r *Run) Disks() (all []DiskSum) {
	var paths []string
	if len(r.Config.Kafka.Brokers) == 0 {
		paths = append(paths, r.Config.Kafka.Data)
	}
	for _, s := range r.Sinks {
		if w, ok := s.Sink.(interface{ Writes() []string }); ok && len(w.Writes()) > 0 {
			paths = append(paths, filepath.Dir(w.Writes()[0]))
		}
	}
	slices.Sort(paths)
	for _, p := range slices.Compact(paths) {
		if room, err := disk.Of(disk.There(p)); err == nil { // else the writer tells
			all = append(all, DiskSum{p, room})
		}
	}
	return all
}

// notice compares sources with how they were at the last look.
func (w *watching) notice(sources []SourceSum, now time.Time) {
	if w.sources == nil {
		w.sources = map[string]*lately{}
	}
	for _, s := range sources {
		l := w.sources[s.Name]
		if l == nil {
			l = &lately{}
			w.sources[s.Name] = l
		}
		if s.Records > l.records {
			l.records, l.last = s.Records, now
		}
		switch {
		case s.Fault == "":
			l.failed = time.Time{}
		case l.failed.IsZero():
			l.failed = now
		}
	}
}

// sources are the sources of the configuration, as they are now.
func (r *Run) sources() (all []SourceSum) {
	for i := range r.Sources {
		s := SourceSum{Name: fileSource(i, len(r.Sources)), Kind: "file"}
		if i < len(r.files) {
			s.Records, s.Ended = r.files[i].brought.Load(), r.files[i].over()
		}
		if f, ok := r.Sources[i].(*file.Source); ok {
			if c := f.Counts().Snapshot(); c.Failing > 0 {
				s.Fault = r.shown(c.First + ": " + c.Fault)
			}
		}
		all = append(all, s)
	}
	partitions := r.counts.Snapshot()
	for _, f := range r.Feeds {
		s := SourceSum{Name: f.Stream.Name(), Kind: "stream"}
		if err := r.counts.Fault(s.Name); err != nil {
			s.Fault = r.shown(err.Error())
		} else if t, ok := f.Stream.(feed.Troubled); ok {
			if err := t.Trouble(); err != nil {
				s.Fault = r.shown(err.Error())
			}
		}
		lag, known := int64(0), true
		for _, p := range partitions {
			if p.Source != s.Name {
				continue
			}
			s.Records += p.Records
			for _, n := range p.Letters {
				s.Records += n
			}
			if !p.Owned {
				continue
			}
			s.Owned++
			if n := p.Lag(); n < 0 {
				known = false
			} else {
				lag += n
			}
			if s.Fault == "" && p.Fault != nil {
				s.Fault = r.shown(p.Fault.Error())
			}
		}
		if known && s.Owned > 0 {
			s.Lag = &lag
		}
		all = append(all, s)
	}
	return all
}

// fileSource names a source of files.
func fileSource(i, of int) string {
	if of == 1 {
		return "files"
	}
	return "files " + strconv.Itoa(i+1)
}

// maxShown is how many characters of an error the status has.
const maxShown = 300

// shown is an error in one line, without secrets.
func (r *Run) shown(text string) string {
	if r.Config != nil {
		text = r.Config.Secrets.Hide(text)
	}
	return alert.OneLine(text, maxShown)
}
