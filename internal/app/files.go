package app

import (
	"encoding/json"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"noroshi/ingest/feed"
	"noroshi/ingest/file"
)

// files is what a source of files has brought, and how far it has come.
type files struct {
	brought atomic.Int64 // records, and other lines

	name  string
	looks func() file.Looks // nil: it does not say
	fails func() bool

	mu    sync.Mutex
	fresh map[feed.Dataset]*feed.Span // shown since it was asked
	known map[feed.Dataset]feed.Span  // all that has been shown, as it is stored
	event reached
	last  time.Time // the latest event of turn
	turn  int
	ended bool // nothing more comes
}

// reached is the latest event of a source of files, and when it was read. It is stored with the positions.
type reached struct {
	Event time.Time `json:"event"`
	Read  time.Time `json:"read"`
}

// keyReached is the beginning of the keys under which that is stored.
const keyReached = "reached/"

// later is what has been reached when a batch is stored.
func (f *files) later(s *shown, now time.Time) reached {
	f.mu.Lock()
	defer f.mu.Unlock()
	if s.last.After(f.event.Event) {
		return reached{s.last, now}
	}
	return f.event
}

// restore takes what was stored.
func (f *files) restore(row []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if json.Unmarshal(row, &f.event) != nil {
		f.event = reached{} // until something is read
	}
}

// brings is what a source of files has shown of a dataset. It is stored with the records that show it, so that no end comes between them.
type brings struct {
	Tenant  string    `json:"tenant"`
	Dataset string    `json:"dataset"`
	First   time.Time `json:"first"`
	Last    time.Time `json:"last"`
}

// keyBrings is the beginning of the keys under which that is stored.
const keyBrings = "shown/"

func (f *files) keyOf(of feed.Dataset) string {
	return f.keysOf() + of.Tenant + "\x00" + of.Name
}

func (f *files) keysOf() string { return keyBrings + f.name + "\x00" }

// rows gives what a batch adds to what is stored.
func (f *files) rows(s *shown, each func(key string, row any)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	more := 0
	for of, span := range s.all {
		was, have := f.known[of]
		if !have {
			if len(f.known)+more >= mostShown {
				continue // it is counted where it is told
			}
			more++
		}
		now := was
		if now.Plus(span); now != was {
			each(f.keyOf(of), brings{of.Tenant, of.Name, now.First, now.Last})
		}
	}
}

// recall takes what was stored of what the source has shown: it is told again.
func (f *files) recall(stored map[string][]byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for key, row := range stored {
		if one := (brings{}); strings.HasPrefix(key, f.keysOf()) && json.Unmarshal(row, &one) == nil {
			f.show(feed.Dataset{Tenant: one.Tenant, Name: one.Dataset}, &feed.Span{First: one.First, Last: one.Last})
		}
	}
}

func (f *files) show(of feed.Dataset, span *feed.Span) {
	if f.fresh == nil {
		f.fresh = map[feed.Dataset]*feed.Span{}
	}
	if f.known == nil {
		f.known = map[feed.Dataset]feed.Span{}
	}
	if f.fresh[of] == nil {
		f.fresh[of] = new(feed.Span)
	}
	f.fresh[of].Plus(span)
	all, have := f.known[of]
	if all.Plus(span); have || len(f.known) < mostShown {
		f.known[of] = all
	}
}

// followFiles makes what is noted of each source of files.
func (r *Run) followFiles(k *kafka) {
	on := ""
	if k.embedded == nil { // other instances may have files, too
		host, err := os.Hostname()
		if err != nil {
			host = "unknown"
		}
		on = "@" + host
	}
	r.files = make([]files, len(r.Sources))
	for i, s := range r.Sources {
		r.files[i].name = fileSource(i, len(r.Sources)) + on
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
func (f *files) take(s *shown, now time.Time) {
	event := f.later(s, now)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.event = event
	for of, span := range s.all {
		f.show(of, span)
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

// over reports whether the source has ended by itself.
func (f *files) over() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.ended
}

// tell gives how far the files have come. At their ends time passes from the latest event on, as it does on the wall: so a log that is
// written now has come as far as it was looked at, but for its delay, and one of last year, which is copied piece by piece, does not come
// to today between two pieces. Within the only file that is read they have come to its latest event.
func (f *files) tell(now time.Time) (p feed.Progress, tells bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fails != nil && f.fails() {
		return feed.Progress{}, false
	}
	l := f.looking()
	if !l.Whole.IsZero() && !f.event.Event.IsZero() {
		p.At = f.event.Event.Add(max(0, l.Whole.Sub(f.event.Read)))
	}
	if l.Alone && l.Turn == f.turn && f.last.After(p.At) {
		p.At = f.last
	}
	if f.ended || p.At.After(now) {
		p.At = now
	}
	p.Shown, f.fresh = f.fresh, nil
	return p, true
}
