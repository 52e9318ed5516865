package app

import (
	"sync"
	"sync/atomic"
	"time"

	"noroshi/ingest/feed"
	"noroshi/ingest/file"
)

// files is what a source of files has brought, and how far it has come.
type files struct {
	brought atomic.Int64 // records, and other lines

	mu    sync.Mutex
	fresh map[feed.Dataset]*feed.Span // shown since it was asked
	last  time.Time                   // the latest event of turn
	turn  int
	ended bool // nothing more comes
	looks func() file.Looks
	fails func() bool
}

// followFiles makes what is noted of each source of files.
func (r *Run) followFiles() {
	r.files = make([]files, len(r.Sources))
	for i, s := range r.Sources {
		if f, ok := s.(*file.Source); ok {
			r.files[i].looks = f.Counts().Looks
			r.files[i].fails = func() bool { return f.Counts().Snapshot().Failing > 0 }
		}
	}
}

// shown are the times of the events of datasets.
type shown struct {
	all  map[feed.Dataset]*feed.Span
	last time.Time
}

// add adds a record. The texts need not outlive the call.
func (s *shown) add(of feed.Dataset, at time.Time) {
	span := s.all[of]
	if span == nil {
		if s.all == nil {
			s.all = map[feed.Dataset]*feed.Span{}
		}
		span = new(feed.Span)
		s.all[of.Clone()] = span
	}
	span.Plus(&feed.Span{First: at, Last: at})
	if at.After(s.last) {
		s.last = at
	}
}

// take takes what has been stored.
func (f *files) take(s *shown) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fresh == nil {
		f.fresh = map[feed.Dataset]*feed.Span{}
	}
	for of, span := range s.all {
		if f.fresh[of] == nil {
			f.fresh[of] = new(feed.Span)
		}
		f.fresh[of].Plus(span)
	}
	if turn := f.looking().Turn; turn != f.turn {
		f.turn, f.last = turn, time.Time{}
	}
	if s.last.After(f.last) {
		f.last = s.last
	}
}

func (f *files) looking() file.Looks {
	if f.looks == nil {
		return file.Looks{}
	}
	return f.looks()
}

// end notes that the source has ended by itself.
func (f *files) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ended = true
}

// tell gives how far the files have come: at their ends to when they were looked at; within the only one that is read to its latest event.
func (f *files) tell(now time.Time) (p feed.Progress, tells bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fails != nil && f.fails() {
		return feed.Progress{}, false
	}
	l := f.looking()
	p.At = l.Whole
	if l.Alone && l.Turn == f.turn && f.last.After(p.At) {
		p.At = f.last
	}
	if f.ended || p.At.After(now) {
		p.At = now
	}
	p.Shown, f.fresh = f.fresh, nil
	return p, true
}
