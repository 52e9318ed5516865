package o365_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"noroshi/ingest/feed"
	"noroshi/ingest/o365"
	"noroshi/internal/bus"
	"noroshi/internal/kafkatest"
	"noroshi/internal/o365test"
)

// A blob that is taken away before it was read, and one that fails until it expires, are told as lost. The others are read.
func TestLostBlobsAreTold(t *testing.T) {
	s := o365test.Start(t, o365test.Config{})
	var ahead atomic.Int64 // of our clock
	now := time.Now()
	gone := s.Add(o365test.Blob{Content: exchange, Created: now.Add(-time.Hour), Body: records(10, 1)})
	s.Expire(gone)
	broken := s.Add(o365test.Blob{Content: exchange, Created: now.Add(-2 * time.Minute), Body: records(20, 1)})
	s.Break(broken)
	s.Add(o365test.Blob{Content: exchange, Created: now.Add(-time.Minute), Body: records(0, 1)})
	c := o365.Of(s, exchange).Quick()
	c.Since = now.Add(-3 * time.Hour)
	c.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	got := took(t, s, c, func(all []string) bool {
		if strings.Contains(strings.Join(all, "\n"), "r-0") {
			ahead.Store(int64(7 * 24 * time.Hour)) // the blob that is broken expires
		}
		text := strings.Join(all, "\n")
		return strings.Contains(text, "lost: the blob "+gone) && strings.Contains(text, "lost: the blob "+broken)
	})
	if text := strings.Join(got, "\n"); !strings.Contains(text, "r-0") || strings.Contains(text, "r-10") || strings.Contains(text, "r-20") || strings.Count(text, "lost: the blob ") != 2 {
		t.Errorf("%q", got)
	}
}

// What somebody must change is told as such, and reading goes on when it is changed.
func TestWhatMustBeChangedIsTold(t *testing.T) {
	for name, one := range map[string]struct {
		spoil, mend func(s *o365test.Server, ended *atomic.Bool)
		want        string
	}{
		"a subscription that is disabled": {func(s *o365test.Server, _ *atomic.Bool) { s.Disable(exchange) }, func(s *o365test.Server, _ *atomic.Bool) { s.Enable(exchange) },
			"an administrator has disabled the subscription"},
		"tokens that end for good": {func(_ *o365test.Server, ended *atomic.Bool) { ended.Store(true) }, func(_ *o365test.Server, ended *atomic.Bool) { ended.Store(false) },
			"the token is not taken"},
	} {
		t.Run(name, func(t *testing.T) {
			s := o365test.Start(t, o365test.Config{})
			s.Add(o365test.Blob{Content: exchange, Created: time.Now().Add(-time.Minute), Body: records(0, 3)})
			var ended atomic.Bool
			c := o365.Of(s, exchange).Quick()
			c.Since = time.Now().Add(-time.Hour)
			c.Credential = func() (o365.Token, error) {
				return func(context.Context) (string, error) {
					if ended.Load() {
						return "ended", nil
					}
					return s.Token(), nil
				}, nil
			}
			one.spoil(s, &ended)
			stream, err := o365.New(c)
			if err != nil {
				t.Fatal(err)
			}
			open := func(after *feed.Position) feed.Cursor {
				cursor, err := stream.OpenWith(t.Context(), 1, after, nil)
				if err != nil {
					t.Fatal(err)
				}
				return cursor
			}
			cursor := open(nil)
			first, err := cursor.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if _, err = cursor.Next(t.Context()); !errors.Is(err, feed.ErrDenied) || !strings.Contains(err.Error(), one.want) {
				t.Errorf("it says %v", err)
			}
			cursor.Close(t.Context())
			one.mend(s, &ended)
			cursor = open(&first[0].Position)
			defer cursor.Close(t.Context())
			read := 0
			for read < 3 {
				got, err := cursor.Next(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				for _, m := range got {
					read += strings.Count(string(m.Body), `"Id"`)
				}
			}
		})
	}
}

// With backfill: newest what is new is stored before what is old, and all of it once.
func TestTheNewestOfThePastIsReadFirst(t *testing.T) {
	s := o365test.Start(t, o365test.Config{})
	b := kafkatest.Start(t, 2)
	const blobs = 48
	now := time.Now()
	for i := range blobs { // the first is the newest
		s.Add(o365test.Blob{Content: exchange, Created: now.Add(-time.Duration(i)*time.Hour - time.Minute), Body: records(i, 1)})
	}
	c := o365.Of(s, exchange).Quick()
	c.Newest = true
	c.Since = now.Add(-(blobs + 1) * time.Hour)
	f, stream := carrier(t, c, b, &feed.Counts{})
	carriedUntil(t, f, "all records are stored", func() bool { return len(lie(t, b, bus.Events)) >= blobs && stream.Counts()[0].Backfill == nil })
	all := lie(t, b, bus.Events)
	once(t, all, blobs)
	if all[0] != "r-0" || all[len(all)-1] != "r-47" {
		t.Errorf("they lie in this order: %q", all)
	}
}

// Where the clock is days ahead, whether it is set right or not, what becomes available since is read, and nothing twice.
func TestAClockThatIsAheadHidesNoBlob(t *testing.T) {
	for name, one := range map[string]struct{ newest, stays bool }{"oldest first": {}, "newest first": {newest: true}, "oldest first, it stays": {stays: true}, "newest first, it stays": {newest: true, stays: true}} {
		t.Run(name, func(t *testing.T) {
			s := o365test.Start(t, o365test.Config{})
			var ahead atomic.Int64
			ahead.Store(int64(3 * 24 * time.Hour))
			now := time.Now()
			s.Add(o365test.Blob{Content: exchange, Created: now.Add(-time.Hour), Body: records(0, 1)})
			c := o365.Of(s, exchange).Quick()
			c.Since, c.Newest = now.Add(-3*time.Hour), one.newest
			c.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
			added := false
			got := took(t, s, c, func(all []string) bool {
				if len(all) > 0 && !added {
					added = true
					if !one.stays {
						ahead.Store(0)
					}
					s.Add(o365test.Blob{Content: exchange, Created: time.Now().Add(-time.Second), Body: records(1, 1)})
				}
				return len(all) > 1
			})
			if text := strings.Join(got, " "); text != "r-0 r-1" {
				t.Errorf("%q", text)
			}
		})
	}
}
