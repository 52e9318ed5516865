package sinks

import (
	"math/bits"
	"time"
)

// The bounds of a breaker.
const (
	breakerRow    = 5  // so many faults in a row open it,
	breakerLooks  = 20 // or half of the last so many attempts
	breakerShare  = breakerLooks / 2
	leastWhenOpen = 20 * time.Second // the shortest wait while it is open
)

// breaker keeps a runner from asking a destination that fails too often: while it is open one message is tried at a time, after longer
// waits. The first that succeeds closes it.
type breaker struct {
	faults uint32 // of the last attempts, a bit each; the last one is the lowest
	looks  int
	open   bool
}

// note takes over how an attempt has ended.
func (b *breaker) note(failed bool) {
	switch {
	case !failed && b.open:
		*b = breaker{}
		return
	case failed:
		b.faults = b.faults<<1 | 1
	default:
		b.faults <<= 1
	}
	b.faults &= 1<<breakerLooks - 1
	b.looks = min(b.looks+1, breakerLooks)
	row := b.faults&(1<<breakerRow-1) == 1<<breakerRow-1
	if failed && (row || b.looks == breakerLooks && bits.OnesCount32(b.faults) >= breakerShare) {
		b.open = true
	}
}

// wait is how long to wait after a fault, at least so long.
func (b *breaker) wait(least time.Duration) time.Duration {
	if b.open {
		return max(least, leastWhenOpen)
	}
	return least
}
