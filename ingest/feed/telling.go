package feed

import (
	"context"
	"time"
)

// tellEvery is how often a fault is told that stays.
const tellEvery = time.Minute

// telling says when a fault is to be told: at once, each minute while it lasts, and when it has become another.
type telling struct {
	fault  string
	untold time.Duration
}

func (t *telling) due(fault string) bool {
	if fault == t.fault && t.untold < tellEvery {
		return false
	}
	t.fault, t.untold = fault, 0
	return true
}

// pause waits before the next try.
func (t *telling) pause(ctx context.Context, d time.Duration) error {
	t.untold += d
	return Pause(ctx, d)
}
