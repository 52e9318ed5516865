package app

import (
	"testing"
	"time"

	"noroshi/detector"
	"noroshi/ingest/feed"
)

func TestKeysAreCountedByStage(t *testing.T) {
	var k keyCounts
	events, signals := detector.Upstream{Topic: detector.UpEvents, Partition: 1}, detector.Upstream{Topic: detector.UpSignals, Partition: 1}
	k.note(events, 3)
	k.note(detector.Upstream{Topic: detector.UpEvents, Partition: 2}, 4)
	k.note(signals, 5)
	k.note(events, 2)
	if e, s := k.sum(detector.UpEvents), k.sum(detector.UpSignals); e != 6 || s != 5 {
		t.Errorf("%d and %d keys", e, s)
	}
	k.note(signals, 0) // the partition is another's
	if n := k.sum(detector.UpSignals); n != 0 || len(k.all) != 2 {
		t.Errorf("%d keys, of %d partitions", n, len(k.all))
	}
}

func TestTheAgeIsThatOfWhatIsBehind(t *testing.T) {
	now := time.Unix(1e9, 0)
	for name, one := range map[string]struct {
		enqueued time.Time
		lag      int64
		want     int64
	}{
		"nothing waits": {now.Add(-time.Hour), 0, 0}, "others wait": {now.Add(-time.Hour), 3, 3600}, "nothing came yet": {time.Time{}, 3, 0},
		"the hub's clock is ahead": {now.Add(time.Hour), 3, 0},
	} {
		if got := ageOf(&feed.Snapshot{Enqueued: one.enqueued}, one.lag, now); got != one.want {
			t.Errorf("%s: %d", name, got)
		}
	}
}
