package app

import (
	"sync"
	"time"

	"noroshi/detector"
	"noroshi/ingest/feed"
	"noroshi/internal/stage"
	"noroshi/internal/telemetry"
)

// workTimes are where it is told how long work of a stage takes.
var workTimes = map[stage.Work]*telemetry.Instrument{stage.Committing: telemetry.CommitTime, stage.Restoring: telemetry.RestoreTime}

var started = time.Now()

// sinceStart is a clock that never goes back.
func sinceStart() time.Duration { return time.Since(started) }

// keyCounts are how many keys the memory of each partition has.
type keyCounts struct {
	mu  sync.Mutex
	all map[detector.Upstream]int
}

func (k *keyCounts) note(of detector.Upstream, keys int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.all == nil {
		k.all = map[detector.Upstream]int{}
	}
	if k.all[of] = keys; keys == 0 {
		delete(k.all, of)
	}
}

// sum is how many keys the memories of a stage have.
func (k *keyCounts) sum(topic byte) (n int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for of, keys := range k.all {
		if of.Topic == topic {
			n += int64(keys)
		}
	}
	return n
}

// observeStages tells of the stages of the detector, where this instance has them.
func (r *Run) observeStages(o *telemetry.Observer) {
	if !r.has(Detect) {
		return
	}
	for _, s := range []struct {
		name  string
		topic byte
		of    *stage.Counts
	}{{detectorGroup, detector.UpEvents, &r.detected.stage}, {signalsGroup, detector.UpSignals, &r.detected.signals.stage}} {
		o.Observe(telemetry.StageTaken, s.of.Taken.Load(), s.name)
		o.Observe(telemetry.StageCommits, s.of.Commits.Load(), s.name)
		o.Observe(telemetry.StageRefused, s.of.Refused.Load(), s.name)
		o.Observe(telemetry.StageStale, s.of.Stale.Load(), s.name)
		o.Observe(telemetry.StageKeys, r.detected.keys.sum(s.topic), s.name)
	}
}

// ageOf is how old the message is that was stored last, in seconds, while others wait.
func ageOf(p *feed.Snapshot, lag int64, now time.Time) int64 {
	if lag == 0 || p.Enqueued.IsZero() {
		return 0
	}
	return int64(max(0, now.Sub(p.Enqueued)) / time.Second)
}
