package bus

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Backlog tells how much of a topic a group has not done. It belongs to one goroutine.
type Backlog struct {
	bus   *Bus
	topic Topic
	group string
	first map[int32]oldest // of partitions that had something waiting at the last look

	wants  func(*Record) bool // nil: every record counts
	wanted map[int32]*wanted

	looking sync.Mutex // held by the look under way, which may not heed its context
}

// oldest is when the first record behind an offset was written.
type oldest struct {
	committed, end int64
	none           bool // there are only marks of transactions
	at             time.Time
}

// Backlog makes one.
func (b *Bus) Backlog(t Topic, group string) *Backlog {
	return &Backlog{bus: b, topic: t, group: group, first: map[int32]oldest{}}
}

// Look gives how many records wait, and when the oldest of them was written. Marks of transactions between records count as records.
func (l *Backlog) Look(ctx context.Context) (waiting int64, since time.Time, err error) {
	if !l.looking.TryLock() {
		return 0, since, errors.New("the look before has not ended")
	}
	var found struct {
		waiting int64
		since   time.Time
	}
	err = within(ctx, func() (err error) {
		defer l.looking.Unlock()
		found.waiting, found.since, err = l.look(ctx)
		return err
	})
	if err != nil {
		return 0, since, err
	}
	return found.waiting, found.since, nil
}

func (l *Backlog) look(ctx context.Context) (waiting int64, since time.Time, err error) {
	b, name := l.bus, l.bus.name(l.topic)
	starts, err := b.admin.ListStartOffsets(ctx, name)
	var ends kadm.ListedOffsets
	if err == nil {
		ends, err = b.admin.ListCommittedOffsets(ctx, name)
	}
	if err != nil {
		return 0, since, fmt.Errorf("measure %s: %w", name, err)
	}
	have, err := b.admin.FetchOffsets(ctx, b.config.Prefix+l.group)
	if err != nil && !errors.Is(err, kerr.GroupIDNotFound) { // a group that has not committed yet needs all
		return 0, since, fmt.Errorf("ask group %s: %w", l.group, err)
	}
	places, to := map[int32]int64{}, map[int32]int64{}
	for p, e := range ends[name] {
		start, ok := starts.Lookup(name, p)
		if e.Err != nil || !ok || start.Err != nil {
			return 0, since, fmt.Errorf("measure %s: %w", name, errors.Join(e.Err, start.Err))
		}
		committed := start.Offset
		if o, ok := have.Lookup(name, p); ok && o.At > committed {
			committed = o.At
		}
		if committed >= e.Offset {
			delete(l.first, p)
			delete(l.wanted, p)
			continue
		}
		if l.wants != nil {
			places[p], to[p] = committed, e.Offset
			continue
		}
		o, err := l.oldest(ctx, p, committed, e.Offset)
		if err != nil {
			return 0, since, err
		}
		if o.none {
			continue
		}
		waiting += e.Offset - committed
		if since.IsZero() || o.at.Before(since) {
			since = o.at
		}
	}
	if len(to) > 0 {
		return l.count(ctx, places, to)
	}
	return waiting, since, nil
}

var errEnough = errors.New("the first is enough")

// oldest looks at the first record of a partition that waits. It is the same until the group goes on.
func (l *Backlog) oldest(ctx context.Context, partition int32, committed, end int64) (oldest, error) {
	if o, ok := l.first[partition]; ok && o.committed == committed && (!o.none || o.end == end) {
		return o, nil
	}
	o := oldest{committed: committed, end: end, none: true}
	s := span{bus: l.bus, topic: l.topic, from: map[int32]kgo.Offset{partition: kgo.NewOffset().At(committed)}, end: map[int32]int64{partition: end}}
	err := s.read(ctx, func(r Record) error {
		o.none, o.at = false, r.Timestamp
		return errEnough
	})
	if err != nil && !errors.Is(err, errEnough) {
		return o, err
	}
	l.first[partition] = o
	return o, nil
}
