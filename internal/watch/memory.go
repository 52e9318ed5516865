package watch

import (
	"maps"
	"slices"
	"time"
)

// Memory is what the watch has learned and told. It is stored as JSON, and belongs to one goroutine.
type Memory struct {
	Since    time.Time            `json:"since"` // when it began
	Sources  map[string]*Rhythm   `json:"sources"`
	Datasets map[string]time.Time `json:"datasets"` // when they came first
	Counts   map[string]int64     `json:"letters"`  // dead letters by instance, as they were seen last
	Grown    []Grown              `json:"grown"`    // in the last hour
	Episodes map[string]*Episode  `json:"episodes"` // by rule and whom they are about

	unseen map[string]bool // sources that nobody shows at this moment
}

// mostKept bounds each of these.
const mostKept = 1000

// Rhythm is how a source usually comes.
type Rhythm struct {
	Since time.Time                `json:"since"` // when it was learned first
	Last  time.Time                `json:"last"`  // the last record that is known
	Gaps  map[string]time.Duration `json:"gaps"`  // the longest pause that ended on each day of the last two weeks
}

// Grown are dead letters that came by a moment.
type Grown struct {
	At time.Time `json:"at"`
	N  int64     `json:"n"`
}

// Episode is something that was found, from its beginning until it is forgotten.
type Episode struct {
	Found
	Begun    time.Time `json:"begun"`
	Seen     time.Time `json:"seen"`           // when it was found last
	Ended    time.Time `json:"ended,omitzero"` // when it was told as over; zero: it goes on
	Revision int       `json:"revision"`
	Told     bool      `json:"told"`           // this revision is stored
	Over     bool      `json:"over,omitempty"` // the last revision says that it is over
	Today    string    `json:"today,omitempty"`
	Revised  int       `json:"revised,omitempty"` // how often it was revised on that day
}

// Day names an episode beside its rule and whom it is about: two instances that begin it in the same day tell the same.
func (e *Episode) Day() string { return e.Begun.UTC().Format(time.DateOnly) }

func (m *Memory) begin(now time.Time) {
	if m.Since.IsZero() {
		m.Since = now
	}
	if m.Sources == nil {
		m.Sources = map[string]*Rhythm{}
	}
	if m.Datasets == nil {
		m.Datasets = map[string]time.Time{}
	}
	if m.Counts == nil {
		m.Counts = map[string]int64{}
	}
	if m.Episodes == nil {
		m.Episodes = map[string]*Episode{}
	}
}

func (m *Memory) rhythm(name string) *Rhythm {
	r := m.Sources[name]
	if r == nil {
		r = &Rhythm{}
		if len(m.Sources) < mostKept {
			m.Sources[name] = r
		}
	}
	return r
}

// rhythmDays is how far back pauses are kept.
const rhythmDays = 14

// heard learns from when the last record came.
func (r *Rhythm) heard(last, now time.Time) {
	if r.Since.IsZero() && !last.IsZero() {
		r.Since = now
	}
	if !last.After(r.Last) {
		return
	}
	if r.Gaps == nil {
		r.Gaps = map[string]time.Duration{}
	}
	if day := last.UTC().Format(time.DateOnly); !r.Last.IsZero() {
		r.Gaps[day] = max(r.Gaps[day], last.Sub(r.Last))
	}
	oldest := last.UTC().AddDate(0, 0, -rhythmDays).Format(time.DateOnly)
	maps.DeleteFunc(r.Gaps, func(day string, _ time.Duration) bool { return day < oldest })
	r.Last = last
}

// longest is the longest pause that is known.
func (r *Rhythm) longest() (most time.Duration) {
	for _, gap := range r.Gaps {
		most = max(most, gap)
	}
	return most
}

// letters is how many dead letters have come within the hour.
func (m *Memory) letters(s *Sight) (n int64) {
	grown := int64(0)
	for _, name := range slices.Sorted(maps.Keys(s.Letters)) {
		now := s.Letters[name]
		was, known := m.Counts[name]
		switch {
		case !known && s.At.Sub(s.Started[name]) >= lettersIn: // when its letters came is not known
			was = now
		case now < was: // it was started again
			was = 0
		}
		grown += now - was
		if known || len(m.Counts) < mostKept {
			m.Counts[name] = now
		}
	}
	if len(m.Counts) >= mostKept { // make room
		maps.DeleteFunc(m.Counts, func(name string, _ int64) bool { _, there := s.Letters[name]; return !there })
	}
	if grown > 0 {
		m.Grown = append(m.Grown, Grown{s.At, grown})
	}
	m.Grown = slices.DeleteFunc(m.Grown, func(g Grown) bool { return s.At.Sub(g.At) >= lettersIn })
	for _, g := range m.Grown {
		n += g.N
	}
	return n
}

// How episodes go on and end.
const (
	overAfter     = 10 * time.Minute // not found for so long it is over
	forgetAfter   = 24 * time.Hour   // after its end; found again before that, it goes on
	mostRevisions = 20               // of one episode within a day; that it goes on after it was told as over is told beyond that
)

// Move moves the episodes to what was found at a moment. What is to be told of them is not told yet then.
func (m *Memory) Move(found []Found, now time.Time) (changed bool) {
	m.begin(now)
	for _, f := range found {
		key := f.Rule + "\x00" + f.Of
		e := m.Episodes[key]
		switch {
		case e == nil:
			if len(m.Episodes) >= mostKept {
				continue
			}
			m.Episodes[key] = &Episode{Found: f, Begun: now, Seen: now, Revision: 1}
			changed = true
			continue
		case e.Once:
		case !e.Ended.IsZero(), f.Level > e.Level:
			changed = e.revise(f, now, false) || changed
			e.Ended = time.Time{}
		}
		e.Seen = now
	}
	for key, e := range m.Episodes {
		quiet := now.Sub(e.Seen)
		switch {
		case e.Rule == SourceFailing && e.Ended.IsZero() && m.unseen[e.Of]: // what nobody sees is not over
		case e.Ended.IsZero() && quiet >= overAfter:
			over := e.Found
			over.Summary = "It is over since " + minute(e.Seen) + ": " + over.Summary
			if over.Severity = "info"; !e.Once {
				changed = e.revise(over, now, true) || changed
			}
			e.Ended = now
		case !e.Ended.IsZero() && now.Sub(e.Ended) >= forgetAfter:
			delete(m.Episodes, key)
			changed = true
		}
	}
	return changed
}

// revise makes the next revision of an episode, as long as there are not too many on one day. One that
// takes back an end is made anyhow.
func (e *Episode) revise(f Found, now time.Time, over bool) bool {
	e.Found = f
	if today := now.UTC().Format(time.DateOnly); today != e.Today {
		e.Today, e.Revised = today, 0
	}
	if e.Revised >= mostRevisions && (over || !e.Over) {
		return false
	}
	e.Revised++
	e.Revision++
	e.Told, e.Over = false, over
	return true
}

// Due are the episodes whose last revision is not stored, in a fixed order.
func (m *Memory) Due() (all []*Episode) {
	for _, key := range slices.Sorted(maps.Keys(m.Episodes)) {
		if e := m.Episodes[key]; !e.Told {
			all = append(all, e)
		}
	}
	return all
}
