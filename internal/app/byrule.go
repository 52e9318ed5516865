package app

import (
	"maps"
	"sync"
)

// byRule counts by the id of a rule.
type byRule struct {
	mu    sync.Mutex
	count map[string]int64
}

func (b *byRule) add(rule string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.count == nil {
		b.count = map[string]int64{}
	}
	b.count[rule]++
}

// snapshot is a copy of the counts, nil where there are none.
func (b *byRule) snapshot() map[string]int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.count)
}
