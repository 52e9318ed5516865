package app

import (
	"maps"
	"sync"
	"time"

	"noroshi/detector"
)

// repeats are what sessions have seen of partitions that have moved: they stay known where the next session is in this process, too.
type repeats struct {
	mu   sync.Mutex
	free map[int32]rested
}

// rested is what was seen of a partition that no session has at the moment.
type rested struct {
	recent *detector.Recent
	since  time.Time
}

// give leaves what a session has seen to the next one.
func (r *repeats) give(partition int32, recent *detector.Recent) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.free == nil {
		r.free = map[int32]rested{}
	}
	r.free[partition] = rested{recent, time.Now()}
}

// take gives what was seen of a partition, nothing where that was long ago: others may have had the partition since.
func (r *repeats) take(partition int32) *detector.Recent {
	r.mu.Lock()
	defer r.mu.Unlock()
	one, ok := r.free[partition]
	delete(r.free, partition)
	if !ok || time.Since(one.since) >= detector.RecentSpan {
		return &detector.Recent{}
	}
	return one.recent
}

// forget forgets what sessions have left long ago.
func (r *repeats) forget(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	maps.DeleteFunc(r.free, func(_ int32, one rested) bool { return now.Sub(one.since) >= detector.RecentSpan })
}
