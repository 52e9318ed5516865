package feed

import (
	"testing"
	"time"
)

// Of a backlog no partition is carried more than a minute ahead of the slowest one that has something to give.
func TestABacklogIsReadEvenly(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	for name, c := range map[string]struct {
		own   time.Time
		other lane
		may   bool
	}{
		"far ahead":                         {ago(time.Hour), lane{at: ago(2 * time.Hour), holds: true, moved: now}, false},
		"half a minute ahead":               {ago(time.Hour), lane{at: ago(time.Hour + 30*time.Second), holds: true, moved: now}, true},
		"behind":                            {ago(2 * time.Hour), lane{at: ago(time.Hour), holds: true, moved: now}, true},
		"the other fetches":                 {ago(time.Hour), lane{at: ago(2 * time.Hour), seen: ago(time.Second), moved: now}, false},
		"the other has nothing to give":     {ago(time.Hour), lane{at: ago(2 * time.Hour), seen: ago(11 * time.Second), moved: now}, true},
		"the other's times mean nothing":    {ago(time.Hour), lane{at: ago(2 * time.Hour), holds: true, moved: ago(2 * time.Minute)}, true},
		"the other has no times":            {ago(time.Hour), lane{holds: true, moved: now}, true},
		"no backlog":                        {ago(30 * time.Second), lane{at: ago(2 * time.Hour), holds: true, moved: now}, true},
		"of a time to come":                 {now.Add(time.Hour), lane{at: ago(2 * time.Hour), holds: true, moved: now}, true},
		"without a time":                    {time.Time{}, lane{at: ago(2 * time.Hour), holds: true, moved: now}, true},
		"the other is being opened":         {ago(time.Hour), lane{began: ago(time.Second)}, false},
		"the other does not begin":          {ago(time.Hour), lane{began: ago(6 * time.Second)}, true},
		"the other is exactly a minute off": {ago(time.Hour), lane{at: ago(time.Hour + time.Minute), holds: true, moved: now}, true},
	} {
		p := &pace{all: map[int32]*lane{1: &c.other}}
		p.next(0, c.own, now)
		if got := p.may(0, now); got != c.may {
			t.Errorf("%s: %v", name, got)
		}
		p.leave(1)
		if !p.may(0, now) {
			t.Errorf("%s: it waits for one that is not carried", name)
		}
	}
}

// Two partitions with a backlog of hours end together, whatever each costs.
func TestPartitionsOfABacklogStayTogether(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	p, at := &pace{}, []time.Time{now.Add(-3 * time.Hour), now.Add(-5 * time.Hour)}
	steps := []time.Duration{10 * time.Second, 7 * time.Second}
	for n := 0; at[0].Before(now.Add(-ahead)) || at[1].Before(now.Add(-ahead)); n++ {
		if n > 10_000 {
			t.Fatal("they come to no end")
		}
		for i := range at {
			p.next(int32(i), at[i], now)
		}
		for i := range at {
			if p.may(int32(i), now) {
				at[i] = at[i].Add(steps[i])
			}
		}
		backlog := at[0].Before(now.Add(-ahead)) && at[1].Before(now.Add(-ahead))
		if lead := at[0].Sub(at[1]); backlog && n > 1100 && (lead > ahead+10*time.Second || lead < -ahead-10*time.Second) {
			t.Fatalf("after %d steps one leads by %s", n, lead)
		}
	}
}
