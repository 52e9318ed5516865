package app

import (
	"sync"
	"sync/atomic"
	"time"

	"noroshi/internal/clock"
)

// standing is how the clocks of this instance's partitions of events stand, for the status.
type standing struct {
	unread  atomic.Int64     // ticks of a version that is not known here
	unshown atomic.Int64     // datasets of tenants that were too many to tell of
	wall    func() time.Time // nil: the clock on the wall

	mu  sync.Mutex
	all map[int32]*stood
}

// stood is how those of one partition stood at a moment.
type stood struct {
	at      time.Time
	sources []clock.Standing
	waits   []clock.Wait
	refused int64
	ahead   time.Duration
}

func (s *standing) now() time.Time {
	if s.wall == nil {
		return time.Now()
	}
	return s.wall()
}

// standEvery is how often a partition says how its clocks stand.
const standEvery = 4 * time.Second

// stand notes how the clocks of a partition stand now.
func (s *standing) stand(partition int32, c *clock.Clocks, now time.Time) {
	s.mu.Lock()
	was := s.all[partition]
	s.mu.Unlock()
	if was != nil && now.Sub(was.at) < standEvery {
		return
	}
	one := &stood{at: now, sources: c.Sources(), waits: c.Waits(), refused: c.Refused, ahead: c.Ahead}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all = map[int32]*stood{}
	}
	s.all[partition] = one
}

// left forgets a partition that is another instance's now.
func (s *standing) left(partition int32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.all, partition)
}
