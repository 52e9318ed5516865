package app

import (
	"context"
	"errors"
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
	awaitRead  = 5 * time.Second  // for the files to be read again
	awaitHeld  = 15 * time.Second // while records are held; a rebalance waits for half a minute
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

// open reports whether it may still be worth to wait for versions.
func (a *awaited) open(versions []string, now time.Time) bool {
	return now.Before(a.first(versions, now).Add(awaitMost))
}

// await has the files read again where something is of versions of rules that a session does not have, and waits for them while another
// instance that runs has other rules. It reports whether they are known now.
func (d *detection) await(ctx context.Context, r *Run, versions []string, known func(*ruling) bool, most time.Duration) bool {
	if d.kafka.embedded != nil || r.Read == nil {
		return false
	}
	began := time.Now()
	until := r.awaited.first(versions, began).Add(awaitMost)
	if began.After(until) {
		return known(r.ruling.Load())
	}
	reads := r.reloads.reads.Load()
	select {
	case r.reloads.missing <- struct{}{}:
	default: // somebody has asked
	}
	var looked time.Time
	for told := false; ; {
		now := time.Now()
		if known(r.ruling.Load()) {
			return true
		}
		read := r.reloads.reads.Load() > reads || now.Sub(began) > awaitRead
		if read && now.Sub(looked) > awaitRead {
			looked = now
			r.lookAround(ctx, d.kafka)
		}
		switch {
		case now.After(until), now.Sub(began) > most, read && !r.changing():
			return known(r.ruling.Load()) // they may have come just now, and be the reason why nobody has others
		case read && !told:
			told = true
			r.Log.Warn("a partition waits for rules that another instance has and this one does not", slog.Any("rules", versions), slog.Time("until", until))
		}
		if feed.Pause(ctx, awaitEvery) != nil {
			return false
		}
	}
}

// awaitMemory waits for the rules of memory that a session does not know, until the session has them. It is stage.Session.Await.
func (d *detection) awaitMemory(s *session) func(ctx context.Context, unknown [][]byte) bool {
	return func(ctx context.Context, unknown [][]byte) bool {
		versions := versionsOf(unknown)
		known := func(u *ruling) bool { return slices.ContainsFunc(unknown, u.set.Knows) }
		if !d.await(ctx, s.run, versions, known, awaitMost) {
			s.run.Log.Warn("there is memory of rules that this instance does not have", slog.Any("rules", versions))
			return false
		}
		for !known(s.ruling.Load()) { // it turns to them within a second, between two commits
			if feed.Pause(ctx, awaitEvery) != nil {
				return false
			}
		}
		return true
	}
}

// errRules ends a session, so that what it has read comes again to one that has other rules.
var errRules = errors.New("a signal is of rules that this instance has not had; it comes again")

// awaitSignal waits for the rules of a signal, not longer than partitions may be held. An error means that the signal is to come again.
func (d *detection) awaitSignal(ctx context.Context, r *Run, versions []string, known func(*ruling) bool) error {
	if d.await(ctx, r, versions, known, awaitHeld) || ctx.Err() == nil && r.awaited.open(versions, time.Now()) && r.changing() {
		return errRules
	}
	return nil
}

// versionsOf are the rules of keys, with their versions.
func versionsOf(keys [][]byte) []string {
	all := map[string]bool{}
	for _, k := range keys {
		all[detector.VersionOf(k)] = true
	}
	return slices.Sorted(maps.Keys(all))
}
