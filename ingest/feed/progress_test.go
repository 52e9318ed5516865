package feed

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A partition has come to the message stored last; where that is the last there is, to shortly before that was asked. It never goes back,
// and tells nothing while it is another instance's, has a fault, or says nothing itself.
func TestHowFarAPartitionHasCome(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	stored := func(p *Partition, n int64, enqueued, at time.Time) {
		p.committed(NewTally(), &Position{Sequence: n, Enqueued: enqueued}, at)
	}
	for name, c := range map[string]struct {
		do   func(p *Partition)
		want time.Time
		not  bool // it does not tell
	}{
		"nothing was said":                {do: func(*Partition) {}, not: true},
		"a message is stored":             {do: func(p *Partition) { stored(p, 5, ago(time.Hour), now) }, want: ago(time.Hour)},
		"an older one behind it":          {do: func(p *Partition) { stored(p, 5, ago(time.Hour), now); stored(p, 6, ago(2*time.Hour), now) }, want: ago(time.Hour)},
		"one of the future":               {do: func(p *Partition) { stored(p, 5, now.Add(time.Hour), now) }, want: now},
		"nothing waits":                   {do: func(p *Partition) { p.saw(State{First: 0, Last: 4}, now) }, want: ago(time.Minute)},
		"something waits":                 {do: func(p *Partition) { p.saw(State{First: 0, Last: 9}, now) }, want: time.Time{}},
		"it is empty":                     {do: func(p *Partition) { p.saw(State{First: 5, Last: 4}, now) }, want: ago(time.Minute)},
		"all of it is known up to a time": {do: func(p *Partition) { p.saw(State{First: 0, Last: 4, Through: ago(2 * time.Hour)}, now) }, want: ago(2 * time.Hour)},
		"it has said nothing lately":      {do: func(p *Partition) { p.saw(State{First: 0, Last: 4}, ago(3*time.Minute)) }, not: true},
		"it has a fault":                  {do: func(p *Partition) { p.saw(State{First: 0, Last: 4}, now); p.restarted("stream", errors.New("away")) }, not: true},
		"it is another's":                 {do: func(p *Partition) { p.saw(State{First: 0, Last: 4}, now); p.own(false) }, not: true},
		"it was read on from there": {do: func(p *Partition) {
			p.at(Position{Sequence: 4, Enqueued: ago(time.Hour)})
			p.saw(State{First: 0, Last: 9}, now)
		},
			want: ago(time.Hour)},
	} {
		var all Counts
		p := all.partition("audit", 3)
		p.own(true)
		p.at(Position{Sequence: 4})
		c.do(p)
		got := all.Progress(now)
		if c.not {
			if len(got) > 0 {
				t.Errorf("%s: it tells %v", name, got)
			}
			continue
		}
		for i := range got {
			got[i].Shown = nil
		}
		if diff := cmp.Diff([]Progress{{Source: "audit", Partition: 3, At: c.want}}, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// What is stored of each dataset is told once; times ahead of their arrival count as soon after it.
func TestWhatAPartitionHasShown(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)
	var all Counts
	p := all.partition("audit", 0)
	p.own(true)
	signin := Dataset{"t-1", "entra.signin"}
	one, two := NewTally(), NewTally()
	one.Record(signin, at, at.Add(time.Minute))
	one.Record(signin, at.Add(-time.Hour), at.Add(time.Minute))
	two.Record(signin, at.Add(24*time.Hour), at.Add(time.Minute))
	two.Record(Dataset{"t-2", "entra.signin"}, at, at)
	p.committed(one, &Position{}, at)
	p.committed(two, &Position{Sequence: 1}, at)
	want := map[Dataset]*Span{signin: {at.Add(-time.Hour), at.Add(6 * time.Minute)}, {"t-2", "entra.signin"}: {at, at}}
	if diff := cmp.Diff(want, all.Progress(at)[0].Shown); diff != "" {
		t.Error(diff)
	}
	if again := all.Progress(at)[0].Shown; len(again) > 0 {
		t.Errorf("it is told again: %v", again)
	}
	if d := all.Snapshot()[0].Delays["entra.signin"]; d.Records != 4 || d.Longest != (61*time.Minute).Milliseconds() {
		t.Errorf("the delay of the dataset is %v", d)
	}
}
