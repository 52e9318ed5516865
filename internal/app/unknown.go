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

// The warning about records of no known kind comes at once, then after this time, then after twice as long, and so on up to
// the longest.
const (
	blindFirst   = time.Minute
	blindLongest = time.Hour
)

// blind warns of records of no known kind.
type blind struct {
	warned int64     // records of which it has warned
	next   time.Time // not before
	wait   time.Duration
}

// warn warns if there are more records than at the last warning and its time has come.
func (b *blind) warn(log *slog.Logger, now time.Time, all totals, keys []string) {
	if all.unknown <= b.warned || now.Before(b.next) {
		return
	}
	b.wait = min(max(blindFirst, 2*b.wait), blindLongest)
	b.warned, b.next = all.unknown, now.Add(b.wait)
	log.Warn("records are of no known kind; no rule can match", slog.Int64("unknown", all.unknown), slog.Int64("records", all.records), slog.Any("keys", keys))
}
