package app

import (
	"sync"
	"sync/atomic"

	"noroshi/internal/stage"
)

// signalCounts count what has become of signals.
type signalCounts struct {
	written    atomic.Int64
	applied    atomic.Int64
	skipped    atomic.Int64 // that had been applied before
	unknown    atomic.Int64 // hits in them of rules that this instance does not have
	unreadable atomic.Int64
	stage      stage.Counts

	mu   sync.Mutex
	told map[string]bool // versions of rules that were told to be unknown
	deaf map[int32]int   // partitions that have not heard from so many partitions of events how far the sources have come
}

// hears notes how many partitions of events have not yet told a partition how far the sources have come.
func (c *signalCounts) hears(partition int32, silent int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if silent == 0 {
		delete(c.deaf, partition)
		return
	}
	if c.deaf == nil {
		c.deaf = map[int32]int{}
	}
	c.deaf[partition] = silent
}

// waiting is how many partitions have not heard from all partitions of events.
func (c *signalCounts) waiting() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return int64(len(c.deaf))
}

// maxTold is how many unknown versions of rules are told.
const maxTold = 1000

// missing counts hits of rules that are not here, and reports which of these are to be told.
func (c *signalCounts) missing(rules map[string]int) (news []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for rule, n := range rules {
		c.unknown.Add(int64(n))
		if c.told[rule] || len(c.told) == maxTold {
			continue
		}
		if c.told == nil {
			c.told = map[string]bool{}
		}
		c.told[rule] = true
		news = append(news, rule)
	}
	return news
}

// sum is what has become of signals.
func (c *signalCounts) sum() SignalSum {
	return SignalSum{Written: c.written.Load(), Applied: c.applied.Load(), Skipped: c.skipped.Load(), Unknown: c.unknown.Load(),
		Unreadable: c.unreadable.Load(), Restored: c.stage.Restored.Load(), Rows: c.stage.Rows.Load(), Bytes: c.stage.RowBytes.Load(),
		Waiting: c.waiting()}
}
