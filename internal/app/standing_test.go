package app

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"noroshi/detector"
	"noroshi/internal/clock"
)

// A source holds up what waits for it from the first moment; a clock is told once, each of its datasets once.
func TestWhatASourceHoldsUpIsToldAtOnce(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)
	c := clock.New()
	at := now.Add(-time.Minute).UnixNano()
	c.Take(&clock.Tick{Made: at, Sources: []clock.Source{{Name: "hub/0", Progress: at, Shown: []clock.Shown{{Tenant: "t", Dataset: "d", First: at, Last: at}}}}}, now)
	c.Of("t", []string{"d", "d", "e"})
	c.Of("t", []string{"e", "d"})
	needs := []detector.Waiting{{Rule: "r", Tenant: "t", Datasets: []string{"e"}, Events: 2, Since: now}}
	for _, behind := range []time.Duration{time.Minute, time.Hour} {
		var s standing
		s.stand(0, c, func() []detector.Waiting { return needs }, now.Add(behind-time.Minute))
		var to Status
		s.stand(1, c, func() []detector.Waiting {
			return []detector.Waiting{{Rule: "r", Tenant: "t", Datasets: []string{"d"}, Events: 1, Since: now.Add(-time.Hour)}}
		}, now.Add(behind-time.Minute))
		s.tell(&to)
		if diff := cmp.Diff([]NeedSum{{Rule: "r", Tenant: "t", Events: 3, Datasets: []string{"d", "e"}, Since: now.Add(-time.Hour)}}, to.Needs); diff != "" {
			t.Errorf("%s behind: %s", behind, diff)
		}
		if len(to.Clocks) != 1 || to.Clocks[0].Holds != 1 {
			t.Errorf("%s behind: %+v", behind, to.Clocks)
		}
		var want []WaitSum
		if behind == time.Hour {
			want = []WaitSum{{Tenant: "t", Datasets: []string{"d", "e"}, Since: now.Add(-time.Minute), Source: "hub/0"}}
		}
		if diff := cmp.Diff(want, to.Waits); diff != "" {
			t.Errorf("%s behind: %s", behind, diff)
		}
	}
}

// Of instances that were killed or have ended nothing is told that somebody has said something newer of.
func TestTheNewestReportTellsOfSources(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)
	report := func(ago time.Duration, progress, holds int, ended bool) Status {
		return Status{At: at.Add(-ago), Ended: ended, Clocks: []ClockSum{{Source: "files", Progress: at.Add(time.Duration(progress)), Ticked: at.Add(-ago), Holds: holds}}}
	}
	for name, c := range map[string]struct {
		all  []Status
		want int
	}{
		"one that runs, after one that was killed":                {[]Status{report(0, 1, 0, false), report(time.Minute, 9, 5, false)}, 1},
		"one that has ended, after one that was killed":           {[]Status{report(0, 2, 0, true), report(time.Minute, 9, 5, false)}, 2},
		"one that runs, after one that has ended":                 {[]Status{report(0, 3, 0, false), report(5*time.Second, 9, 5, true)}, 3},
		"one that has said nothing yet, after one that has ended": {[]Status{{At: at}, report(time.Minute, 4, 0, true)}, 4},
	} {
		got := Clocks(c.all)
		if len(got) != 1 || !got[0].Progress.Equal(at.Add(time.Duration(c.want))) || got[0].Holds != 0 {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
