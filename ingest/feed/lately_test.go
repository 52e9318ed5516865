package feed_test

import (
	"sync/atomic"
	"testing"
	"time"

	"noroshi/ingest/feed"
	"noroshi/internal/bus"
	"noroshi/internal/kafkatest"
)

// What a partition has shown is told again by whoever reads on: it is stored with the position, so that no end comes between them. What was
// shown long before is not in the position any more.
func TestWhatWasShownOutlivesACrash(t *testing.T) {
	for name, atLeastOnce := range map[string]bool{"exactly once": false, "at least once": true} {
		t.Run(name, func(t *testing.T) {
			b := kafkatest.Start(t, 1)
			began := time.Now()
			var passed atomic.Int64
			now := func() time.Time { return began.Add(time.Duration(passed.Load())) }
			signins, mail := feed.Dataset{Tenant: "t-1", Name: "entra.signin"}, feed.Dataset{Tenant: "t-2", Name: "defender.email_events"}
			show := func(of feed.Dataset, at time.Time) feed.Prepare {
				return func(to []bus.Record, m feed.Message, tally *feed.Tally) []bus.Record {
					tally.Record(of, at, at)
					return append(to, bus.Record{Topic: bus.Events, Key: []byte("k"), Value: m.Body})
				}
			}
			life := func(n int64, prepare feed.Prepare) *feed.Feed {
				s := &scripted{last: n}
				for i := range n + 1 {
					s.messages = append(s.messages, message(i))
				}
				f := scriptedFeed(b, s, prepare)
				f.Now, f.AtLeastOnce = now, atLeastOnce
				return f
			}
			stored := func(n int64, prepare feed.Prepare) {
				t.Helper()
				f := life(n, prepare)
				run(t, f, func() bool { s := f.Counts.Snapshot(); return len(s) > 0 && s[0].Messages >= 1 })
			}
			told := func(n int64) map[feed.Dataset]*feed.Span {
				t.Helper()
				f := life(n, nil)
				var all []feed.Progress
				run(t, f, func() bool {
					if s := f.Counts.Snapshot(); len(s) == 0 || s[0].Sequence < n || !s[0].Looked {
						return false
					}
					all = f.Counts.Progress(now())
					return len(all) > 0
				})
				return all[0].Shown
			}
			early, late := began.Add(-time.Hour).Truncate(time.Millisecond), began.Add(-time.Minute).Truncate(time.Millisecond)
			stored(0, show(signins, early))
			stored(1, show(signins, late))
			got := told(1)
			if len(got) != 1 || got[signins] == nil || !got[signins].First.Equal(early) || !got[signins].Last.Equal(late) {
				t.Errorf("told is %v", got)
			}
			if passed.Add(int64(30 * time.Second)); len(told(1)) != 1 {
				t.Error("it is not told again")
			}
			stored(2, show(mail, late))
			if got := told(2); len(got) != 2 || got[mail] == nil {
				t.Errorf("told are %v", got)
			}
			f := life(4, nil) // of one life: the second message comes when the first is old
			f.Prepare = func(int32) feed.Prepare {
				return func(to []bus.Record, m feed.Message, tally *feed.Tally) []bus.Record {
					if m.Sequence == 4 {
						passed.Add(int64(2 * time.Minute))
					}
					return show(mail, late)(to, m, tally)
				}
			}
			run(t, f, func() bool { s := f.Counts.Snapshot(); return len(s) > 0 && s[0].Messages >= 2 })
			if got := told(4); len(got) != 1 || got[mail] == nil {
				t.Errorf("after two minutes told are %v", got)
			}
		})
	}
}
