package o365

import (
	"context"
	"sync"
	"time"

	"noroshi/ingest/feed"
)

// minute is the span in which the quota is counted, and a little more: what is sent in one minute may arrive in another.
const minute = 62 * time.Second

// longestPause bounds what Retry-After may ask for.
const longestPause = 10 * time.Minute

// limits keep requests within the quota. Each content type has an equal share of it, so that instances which share them keep to it
// together without a word. Of the share a fifth is for who has just begun to read the content type: the one who read it before, and may have
// been killed, can have used up all that is usual within the same minute.
type limits struct {
	share   int // that is usual
	opening int // in the first minute
	pauses  *Pauses
	now     func() time.Time

	mu        sync.Mutex
	sent      map[int32][]time.Time // within the last minute
	began     map[int32]time.Time   // when it was begun to be read
	until     time.Time             // throttled
	pause     time.Duration         // the last one that was not asked for
	throttled map[int32]int64       // answers
}

func newLimits(quota, parts int, p *Pauses, now func() time.Time) *limits {
	share := max(2, quota/parts)
	opening := max(1, share/5)
	return &limits{share: share - opening, opening: opening, pauses: p, now: now, sent: map[int32][]time.Time{}, began: map[int32]time.Time{}, throttled: map[int32]int64{}}
}

// begin says that a content type is begun to be read that somebody has read before.
func (l *limits) begin(partition int32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.began[partition] = l.now()
}

// wait waits until a request may be sent, which counts from then on.
func (l *limits) wait(ctx context.Context, partition int32) error {
	for {
		d := l.take(partition)
		if d <= 0 {
			return ctx.Err()
		}
		if err := feed.Pause(ctx, d); err != nil {
			return err
		}
	}
}

// take takes a request out of the share, or says how long to wait for one.
func (l *limits) take(partition int32) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	if d := l.until.Sub(now); d > 0 {
		return d
	}
	sent, began := l.recent(partition, now), l.began[partition]
	if len(sent) >= l.share {
		return max(time.Millisecond, sent[0].Add(minute).Sub(now))
	}
	if left := began.Add(minute).Sub(now); left > 0 && l.leftOf(sent, began) <= 0 {
		return left
	}
	l.sent[partition] = append(sent, now)
	return 0
}

// leftOf is how many requests of those for the first minute are left.
func (l *limits) leftOf(sent []time.Time, began time.Time) int {
	n := 0
	for _, t := range sent {
		if !t.Before(began) {
			n++
		}
	}
	return l.opening - n
}

// recent are the requests of the last minute.
func (l *limits) recent(partition int32, now time.Time) []time.Time {
	sent := l.sent[partition]
	for len(sent) > 0 && now.Sub(sent[0]) >= minute {
		sent = sent[1:]
	}
	l.sent[partition] = sent
	return sent
}

// throttle notes that the API refused a request because of its quota. Without a time it is waited longer each time.
func (l *limits) throttle(partition int32, after time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	l.throttled[partition]++
	switch {
	case after > 0:
	case now.Before(l.until): // it was on its way already
		return
	default:
		l.pause = min(max(2*l.pause, l.pauses.Throttled), l.pauses.Long)
		after = l.pause
	}
	if until := now.Add(min(after, longestPause)); until.After(l.until) {
		l.until = until
	}
}

// answered notes that the quota is not used up.
func (l *limits) answered() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pause = 0
}

// state is what is left of a share, and until when nothing is sent; zero: it is.
func (l *limits) state(partition int32) (left int64, until time.Time, throttled int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	if until = l.until; !until.After(now) {
		until = time.Time{}
	}
	sent, began := l.recent(partition, now), l.began[partition]
	most := l.share - len(sent)
	if now.Sub(began) < minute {
		most = min(most, l.leftOf(sent, began))
	}
	return int64(max(0, most)), until, l.throttled[partition]
}
