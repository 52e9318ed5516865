package bus

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// BacklogOf is the backlog of a group that is not for every record: those that wants names count, and no marks of transactions. Each
// record is read once, and only while the group is behind.
func (b *Bus) BacklogOf(t Topic, group string, wants func(*Record) bool) *Backlog {
	l := b.Backlog(t, group)
	l.wants, l.wanted = wants, map[int32]*wanted{}
	return l
}

// wanted holds the records of a partition that wait for a group: those between the group's offset and the end of the last look.
type wanted struct {
	from, to int64
	at       []wantedRecord
}

// wantedRecord is where a record lies and when it was written, in milliseconds.
type wantedRecord struct{ offset, written int64 }

// count gives how many of the records that wait count, and when the oldest of them was written. What one look cannot read in its time
// the next one goes on with; until then nothing is known.
func (l *Backlog) count(ctx context.Context, committed, ends map[int32]int64) (waiting int64, since time.Time, err error) {
	s := span{bus: l.bus, topic: l.topic, from: map[int32]kgo.Offset{}, end: map[int32]int64{}}
	for p, end := range ends {
		w := l.wanted[p]
		if w == nil || committed[p] < w.from || committed[p] > w.to {
			w = &wanted{to: committed[p]}
			l.wanted[p] = w
		}
		w.pass(committed[p])
		if w.to < end {
			s.from[p], s.end[p] = kgo.NewOffset().At(w.to), end
		}
	}
	err = s.read(ctx, func(r Record) error {
		w := l.wanted[r.Partition]
		if w.to = r.Offset + 1; l.wants(&r) {
			w.at = append(w.at, wantedRecord{r.Offset, r.Timestamp.UnixMilli()})
		}
		return ctx.Err()
	})
	if err != nil {
		return 0, since, fmt.Errorf("count what waits: %w", err)
	}
	for p, end := range ends {
		w := l.wanted[p]
		w.to = max(w.to, end)
		if len(w.at) == 0 {
			continue
		}
		waiting += int64(len(w.at))
		if at := time.UnixMilli(w.at[0].written); since.IsZero() || at.Before(since) {
			since = at
		}
	}
	return waiting, since, nil
}

// pass forgets what lies before the group's place.
func (w *wanted) pass(committed int64) {
	n := 0
	for n < len(w.at) && w.at[n].offset < committed {
		n++
	}
	w.from = committed
	if w.at = w.at[n:]; len(w.at) == 0 {
		w.at = nil // so that what it held is given back
	}
}
