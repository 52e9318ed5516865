package app

import (
	"log/slog"
	"sync"
	"time"

	"noroshi/internal/decode"
)

// members are the names of the members of the first records of no known kind, whichever source brings them.
type members struct {
	mu   sync.Mutex
	kept decode.Members
}

func (m *members) add(rec []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.kept.Add(rec)
}

func (m *members) names() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.kept.Names()
}

// example is the first record of a kind that is read, but not wholly: where it lay and what it lacks.
type example struct {
	mu   sync.Mutex
	text string
}

func (e *example) add(origin, what string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.text == "" {
		e.text = origin + ": " + what
	}
}

func (e *example) String() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.text
}

// lacking counts the record at hand, which came from an origin, where it is not UTF-8 and where an audit record inside it cannot be
// read. What tells the count tells the example, so the example comes first.
func (r *Run) lacking(reader *decode.Reader, origin []byte, notUTF8, partial func()) {
	if what := reader.Encoding(); what != "" {
		r.notUTF8.add(string(origin), what)
		notUTF8()
	}
	if what := reader.Partial(); what != "" {
		r.partial.add(string(origin), what)
		partial()
	}
}

// A warning about records that are read in vain, or not wholly, comes at once, then after this time, then after twice as long, and
// so on up to the longest.
const (
	warnFirst   = time.Minute
	warnLongest = time.Hour
)

// warning is about a count that grows.
type warning struct {
	told int64     // the count of which it has warned
	next time.Time // not before
	wait time.Duration
}

// due reports whether there are more than at the last warning and its time has come. Then the caller warns.
func (w *warning) due(now time.Time, n int64) bool {
	if n <= w.told || now.Before(w.next) {
		return false
	}
	w.wait = min(max(warnFirst, 2*w.wait), warnLongest)
	w.told, w.next = n, now.Add(w.wait)
	return true
}

// warnings are about records that are read in vain, or not wholly.
type warnings struct{ unknown, notUTF8, partial warning }

func (w *warnings) warn(r *Run, now time.Time) {
	all := r.stored()
	of := slog.Int64("records", all.records)
	if w.unknown.due(now, all.unknown) {
		r.Log.Warn("records are of no known kind; no rule can match", slog.Int64("unknown", all.unknown), of, slog.Any("keys", r.members.names()))
	}
	if w.notUTF8.due(now, all.notUTF8) {
		r.Log.Warn("records are not UTF-8", slog.String("reason", string(decode.ReasonEncoding)), slog.Int64("not_utf8", all.notUTF8), of,
			slog.String("first", r.notUTF8.String()))
	}
	if w.partial.due(now, all.partial) {
		r.Log.Warn("records can be read only partly", slog.String("reason", string(decode.ReasonInside)), slog.Int64("partial", all.partial), of,
			slog.String("first", r.partial.String()))
	}
}
