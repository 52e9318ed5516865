package app

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"noroshi/ingest"
	"noroshi/ingest/feed"
	"noroshi/ingest/file"
	"noroshi/internal/bus"
	"noroshi/internal/config"
)

// What files have shown is stored with the records that show it: who starts again after a crash tells it, whatever was told before.
func TestWhatFilesHaveShownOutlivesACrash(t *testing.T) {
	conf := config.Default()
	run := &Run{Config: conf, Log: slog.New(slog.DiscardHandler)}
	in := &intake{run: run, identify: NewAgain(IdentityOptions(conf)).identify}
	of, stored := &files{name: "files@a"}, map[string][]byte{}
	for n, at := range []string{"05", "04", "07"} { // each batch is stored, and the last is not noted any more
		m := in.making(ingest.Batch{Key: "file/1/1", Position: []byte("p"), Records: []ingest.Raw{{File: "a", Bytes: fmt.Appendf(nil,
			`{"CreationTime":"2026-01-02T03:%s:00","Id":"%s","Operation":"New-InboxRule","RecordType":1,"OrganizationId":"t-1","UserId":"taro@example.com","Workload":"Exchange"}`, at, at)}}})
		m.of = of
		for part := range m.all {
			for _, r := range part {
				if r.Topic == bus.Checkpoints {
					stored[string(r.Key)] = r.Value
				}
			}
		}
		if n < 2 {
			of.take(&m.shown, time.Now())
		}
	}
	again, other := &files{name: "files@a"}, &files{name: "files@"}
	again.recall(stored)
	other.recall(stored)
	p, _ := again.tell(time.Now())
	minute := func(n int) time.Time { return time.Date(2026, 1, 2, 3, n, 0, 0, time.UTC) }
	want := map[feed.Dataset]*feed.Span{{Tenant: "t-1", Name: "ual.exchange_admin"}: {First: minute(4), Last: minute(7)}}
	if diff := cmp.Diff(want, p.Shown); diff != "" {
		t.Error(diff)
	}
	if p, _ := other.tell(time.Now()); len(p.Shown) > 0 {
		t.Errorf("what others have shown is told: %v", p.Shown)
	}
}

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
