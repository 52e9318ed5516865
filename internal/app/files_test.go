package app

import (
	"encoding/json"
	"testing"
	"time"

	"noroshi/ingest/feed"
	"noroshi/ingest/file"
)

// At the ends of files time passes from the latest event on; in the only file that is read it comes to its latest event; also over a restart.
func TestHowFarFilesHaveCome(t *testing.T) {
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	old := time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	for name, c := range map[string]struct {
		event, read time.Time
		looks       file.Looks
		ended       bool
		fails       bool
		want        time.Time
		not         bool
	}{
		"a log that is written now":             {event: ago(time.Minute), read: ago(50 * time.Second), looks: file.Looks{Whole: now, Turn: 7}, want: ago(10 * time.Second)},
		"a log that has been quiet for an hour": {event: ago(time.Hour), read: ago(time.Hour), looks: file.Looks{Whole: now, Turn: 7}, want: now},
		"one of last winter, read just now":     {event: old, read: now, looks: file.Looks{Whole: now, Turn: 7}, want: old},
		"and a minute later":                    {event: old, read: ago(time.Minute), looks: file.Looks{Whole: now, Turn: 7}, want: old.Add(time.Minute)},
		"of several, not at their ends":         {event: old, read: now, looks: file.Looks{Turn: 1}, want: time.Time{}},
		"the only one, not at its end":          {event: old, read: now, looks: file.Looks{Turn: 1, Alone: true}, want: old},
		"one of next year":                      {event: now.Add(time.Hour), read: now, looks: file.Looks{Whole: now, Turn: 7}, want: now},
		"nothing was read":                      {looks: file.Looks{Whole: now, Turn: 7}, want: time.Time{}},
		"it has ended":                          {event: old, read: now, looks: file.Looks{Whole: now, Turn: 7}, ended: true, want: now},
		"one cannot be read":                    {event: old, read: now, looks: file.Looks{Whole: now, Turn: 7}, fails: true, not: true},
	} {
		f := &files{looks: func() file.Looks { return c.looks }, fails: func() bool { return c.fails }, ended: c.ended}
		if !c.event.IsZero() {
			var s shown
			s.add(feed.Dataset{Tenant: "t-1", Name: "entra.signin"}, c.event)
			s.add(feed.Dataset{Tenant: "t-1", Name: "entra.signin"}, c.event.Add(-time.Hour))
			f.take(&s, c.read)
		}
		got, tells := f.tell(now)
		if tells == c.not || !got.At.Equal(c.want) {
			t.Errorf("%s: %s, %v; want %s", name, got.At, tells, c.want)
		}
		if c.not || c.event.IsZero() {
			continue
		}
		if span := got.Shown[feed.Dataset{Tenant: "t-1", Name: "entra.signin"}]; !span.First.Equal(c.event.Add(-time.Hour)) || !span.Last.Equal(c.event) {
			t.Errorf("%s: it has shown %v", name, span)
		}
		row, err := json.Marshal(f.later(&shown{}, now))
		if err != nil {
			t.Fatal(err)
		}
		again := &files{looks: func() file.Looks { return file.Looks{Whole: c.looks.Whole, Turn: 2} }, ended: c.ended}
		again.restore(row)
		if got, _ := again.tell(now); !c.looks.Alone && !got.At.Equal(c.want) {
			t.Errorf("%s: after a restart %s; want %s", name, got.At, c.want)
		}
	}
}
