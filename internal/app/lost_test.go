package app

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"noroshi/detector"
	"noroshi/internal/alert"
	"noroshi/internal/bus"
	"noroshi/internal/clock"
	"noroshi/internal/event"
)

// A rule that has lost its memory and fires again in the same span tells the alert that it has told, by its id, from the first revision on,
// with what came since. No receiver takes it for another finding.
func TestAnAlertAfterMemoryWasLost(t *testing.T) {
	set := compiled(t, `id: guessing
title: Many wrong passwords
severity: high
kind: threshold
when: auth.result == "wrong_credential"
by: [account]
within: 10m
count: 3
`)
	told := func(from, to int) (all []*alert.Alert) {
		m := set.Memory(detector.MemoryOptions{Live: true, Lateness: event.Lateness{}})
		w := set.Worker()
		for n := from; n < to; n++ {
			if err := w.ReadAlone([]byte(signInOf(fmt.Sprint("s-", n), "taro", 50126, time.Duration(n)*time.Second)), time.Time{}); err != nil {
				t.Fatal(err)
			}
			detector.EachHit(w.Match(nil), func(packed []byte) {
				if err := m.Apply(packed, func(a *alert.Alert) { one := *a; all = append(all, &one) }); err != nil {
					t.Fatal(err)
				}
			})
		}
		return all
	}
	before, behind := told(0, 3), told(3, 6)
	if len(before) != 1 || len(behind) != 1 {
		t.Fatalf("told are %d and then %d alerts, expected 1 and 1", len(before), len(behind))
	}
	a, b := before[0], behind[0]
	if a.ID != b.ID || a.DedupKey != b.DedupKey || a.Revision != b.Revision {
		t.Errorf("told is %s, %s, revision %d; then %s, %s, revision %d", a.ID, a.DedupKey, a.Revision, b.ID, b.DedupKey, b.Revision)
	}
	if id := func(a *alert.Alert) string { return a.Evidence[0].ID }; id(a) == id(b) {
		t.Errorf("the evidence is %s both times", id(a))
	}
}

// An old copy of the memory tells no absence of what has come since, and the status counts that it was lost.
func TestAnOldCopyOfTheMemoryTellsNothing(t *testing.T) {
	const rule = `id: no-answer
title: A wrong password and no success
severity: low
kind: absence
when: auth.result == "wrong_credential"
without: {when: auth.result == "success", after: 10m}
needs: [entra.signin]
`
	data := t.TempDir()
	life := func(name string, do func(t *testing.T, x *ticked)) {
		t.Run(name, func(t *testing.T) {
			x := newTickedIn(t, data, rule)
			x.ticks = len(name) * 100 // marks of its own
			defer x.session()()
			do(t, x)
			backlog := x.bus.Backlog(bus.Events, detectorGroup)
			eventuallyWithin(t, "all is stored", func() bool {
				waiting, _, err := backlog.Look(t.Context())
				return err == nil && waiting == 0
			})
		})
	}
	signins := func(to time.Duration) clock.Tick {
		return clock.Tick{Sources: []clock.Source{progress("signins/0", "entra.signin", to, to)}}
	}
	life("asked", func(_ *testing.T, x *ticked) {
		x.record("s-1", "taro", 50126, 0)
		x.tick(signins(time.Minute))
	})
	partitions := filepath.Join(data, "kafka", "partitions")
	old := t.TempDir()
	each := func(do func(name string) error) {
		t.Helper()
		for _, name := range []string{"test.detector-state-0", "test.detector-state-1"} {
			if err := do(name); err != nil {
				t.Fatal(err)
			}
		}
	}
	each(func(name string) error {
		return os.CopyFS(filepath.Join(old, name), os.DirFS(filepath.Join(partitions, name)))
	})
	life("answered", func(_ *testing.T, x *ticked) {
		x.record("s-2", "taro", 0, time.Minute)
		x.tick(signins(2 * time.Minute))
	})
	each(func(name string) error { return os.RemoveAll(filepath.Join(partitions, name)) })
	each(func(name string) error {
		return os.CopyFS(filepath.Join(partitions, name), os.DirFS(filepath.Join(old, name)))
	})
	life("later", func(t *testing.T, x *ticked) {
		x.tick(signins(5 * time.Hour))
		x.tick(signins(6 * time.Hour))
		x.silent("it was answered")
		found := x.run.detected.snapshot()
		if got := x.run.detected.memory(&found).Lost; got != 2 {
			t.Errorf("%d partitions are counted, expected 2", got)
		}
	})
}
