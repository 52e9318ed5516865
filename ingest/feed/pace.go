package feed

import (
	"context"
	"sync"
	"time"
)

// pace keeps the partitions of a stream together that this instance reads: of a backlog none is carried more than a minute ahead of the
// slowest one that has something to give. Else all that the slowest brings would come late.
type pace struct {
	mu  sync.Mutex
	all map[int32]*lane
}

// lane is where one partition is.
type lane struct {
	at       time.Time // when the stream took the message that comes next
	holds    bool      // it is in hand
	seen     time.Time // when one was last
	furthest time.Time
	moved    time.Time // when that was reached
	began    time.Time // when it was begun to be carried, zero once it has given something
}

const (
	// ahead is how far ahead of the slowest a partition may be.
	ahead = time.Minute
	// breath is how long a partition may need for its next messages and still count.
	breath = 10 * time.Second
	// stuck is for how long a partition counts that gives messages and comes no further: their times mean nothing.
	stuck = time.Minute
	// opening is how long others wait for the first message of a partition that has just fallen to this instance.
	opening = 5 * time.Second
	// paceEvery is how often one that waits looks again.
	paceEvery = 50 * time.Millisecond
)

func (p *pace) lane(partition int32) *lane {
	if p.all == nil {
		p.all = map[int32]*lane{}
	}
	if p.all[partition] == nil {
		p.all[partition] = &lane{}
	}
	return p.all[partition]
}

// begin says that a partition is about to be carried.
func (p *pace) begin(partition int32, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lane(partition).began = now
}

// next says which message of a partition is stored next.
func (p *pace) next(partition int32, at, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.lane(partition)
	l.at, l.seen, l.holds, l.began = at, now, true, time.Time{}
	if at.After(l.furthest) {
		l.furthest, l.moved = at, now
	}
}

// rest says that a partition has no message in hand.
func (p *pace) rest(partition int32, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.lane(partition)
	l.holds, l.seen = false, now
}

// leave says that a partition is not carried now.
func (p *pace) leave(partition int32) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.all, partition)
}

// may reports whether a partition may store its next message. What came within the last minute, or has a time that is not known or still to
// come, is no backlog.
func (p *pace) may(partition int32, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	own := p.lane(partition)
	if own.at.IsZero() || own.at.After(now.Add(-ahead)) {
		return true
	}
	for n, l := range p.all {
		if n != partition && l.holdsUp(own.at, now) {
			return false
		}
	}
	return true
}

// holdsUp reports whether others wait for the partition before they store a message of a time.
func (l *lane) holdsUp(at, now time.Time) bool {
	if l.at.IsZero() {
		return !l.began.IsZero() && now.Sub(l.began) < opening
	}
	gives := l.holds || now.Sub(l.seen) < breath
	return gives && now.Sub(l.moved) < stuck && at.After(l.at.Add(ahead))
}

// keep waits until a partition may store its next message.
func (p *pace) keep(ctx context.Context, partition int32, now func() time.Time) error {
	for !p.may(partition, now()) {
		if err := Pause(ctx, paceEvery); err != nil {
			return err
		}
	}
	return nil
}
