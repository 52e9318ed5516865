package app

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// hearts are those of the loops that do the work. Each turns its own, so that a loop that hangs is seen from outside. What waits for Kafka
// or a destination does not hang: a new start would not help it.
type hearts struct {
	mu  sync.Mutex
	all map[*heart]bool
}

// heart is of one loop.
type heart struct {
	of    *hearts
	name  string
	since atomic.Int64 // the turn under way has begun; 0: none is
}

// hangsAfter is how long a turn may take. Rules that are read again take seconds, and a batch of records parts of one.
const hangsAfter = 3 * time.Minute

// epoch is where hearts count from: steps of the clock on the wall do not touch them.
var epoch = time.Now()

func sinceEpoch(at time.Duration) int64 { return int64(at) + 1 }

// heart makes a heart. It beats from its first turn on.
func (h *hearts) heart(name string) *heart {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.all == nil {
		h.all = map[*heart]bool{}
	}
	one := &heart{of: h, name: name}
	h.all[one] = true
	return one
}

// turns notes that a turn begins.
func (h *heart) turns() { h.since.Store(sinceEpoch(time.Since(epoch))) }

// rests notes that no turn is under way.
func (h *heart) rests() { h.since.Store(0) }

// stops takes the heart away: its loop has ended.
func (h *heart) stops() {
	h.of.mu.Lock()
	defer h.of.mu.Unlock()
	delete(h.of.all, h)
}

// hang says which loop hangs at a time since the epoch, nil where none does.
func (h *hearts) hang(now time.Duration) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	for one := range h.all {
		if since := one.since.Load(); since != 0 && sinceEpoch(now)-since > int64(hangsAfter) {
			return fmt.Errorf("%s hangs: its turn has taken longer than %v", one.name, hangsAfter)
		}
	}
	return nil
}
