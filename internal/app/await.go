package app

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"noroshi/detector"
	"noroshi/ingest/feed"
)

// How long a partition waits for rules of which it has memory: where rules are changed on one instance after the other, it may come from
// one that has them already.
const (
	awaitMost  = time.Minute
	awaitRead  = 5 * time.Second // for the files to be read again
	awaitEvery = 200 * time.Millisecond
)

// awaited are the versions of rules that there is memory of and that are not there, and since when that is known.
type awaited struct {
	mu    sync.Mutex
	since map[string]time.Time
}

// first is when a version was missed first.
func (a *awaited) first(versions []string, now time.Time) time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.since == nil {
		a.since = map[string]time.Time{}
	}
	first := now
	for _, v := range versions {
		if _, known := a.since[v]; !known {
			a.since[v] = now
		}
		if a.since[v].Before(first) {
			first = a.since[v]
		}
	}
	return first
}

// await is what a session does when a partition has memory of rules that it does not have: it has the files read again, and waits while
// another instance that runs has other rules. It reports whether some of them are there now.
func (d *detection) await(s *session) func(ctx context.Context, unknown [][]byte) bool {
	return func(ctx context.Context, unknown [][]byte) bool {
		r := s.run
		if d.kafka.embedded != nil || r.Read == nil {
			return false
		}
		versions := versionsOf(unknown)
		began := time.Now()
		until := r.awaited.first(versions, began).Add(awaitMost)
		reads := r.reloads.reads.Load()
		select {
		case r.reloads.missing <- struct{}{}:
		default: // somebody has asked
		}
		told := false
		for looked := (time.Time{}); ; {
			now := time.Now()
			if knowsOne(s.ruling.Load(), unknown) {
				return true
			}
			read := r.reloads.reads.Load() > reads || now.Sub(began) > awaitRead
			if read && now.Sub(looked) > awaitRead {
				looked = now
				r.lookAround(ctx, d.kafka)
			}
			switch {
			case now.After(until), read && !r.changing() && !knowsOne(r.ruling.Load(), unknown):
				r.Log.Warn("there is memory of rules that this instance does not have", slog.Any("rules", versions))
				return false
			case read && !told:
				told = true
				r.Log.Warn("a partition waits for rules that another instance has and this one does not", slog.Any("rules", versions), slog.Time("until", until))
			}
			if feed.Pause(ctx, awaitEvery) != nil {
				return false
			}
		}
	}
}

func knowsOne(u *ruling, keys [][]byte) bool {
	return slices.ContainsFunc(keys, u.set.Knows)
}

// versionsOf are the rules of keys, with their versions.
func versionsOf(keys [][]byte) []string {
	all := map[string]bool{}
	for _, k := range keys {
		all[detector.VersionOf(k)] = true
	}
	return slices.Sorted(maps.Keys(all))
}
