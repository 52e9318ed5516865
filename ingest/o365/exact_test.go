package o365_test

import (
	"testing"
	"time"

	"noroshi/ingest/feed"
	"noroshi/ingest/o365"
	"noroshi/internal/bus"
	"noroshi/internal/kafkatest"
	"noroshi/internal/o365test"
)

// Blobs of two days, pages of them, late ones, a blob twice in one listing: each record is stored once, also over a restart.
func TestBlobsAreReadOnce(t *testing.T) {
	s := o365test.Start(t, o365test.Config{PageSize: 3})
	b := kafkatest.Start(t, 2)
	now := time.Now()
	n := 0
	add := func(age time.Duration, visible time.Time) {
		s.Add(o365test.Blob{Content: exchange, Created: now.Add(-age), Visible: visible, Body: records(n, 10)})
		n += 10
	}
	for _, age := range []time.Duration{time.Minute, 30 * time.Hour, 40 * time.Hour, 41 * time.Hour} {
		add(age, time.Time{})
	}
	for range 7 {
		add(time.Minute, time.Time{})
	}
	s.Fail(o365test.Repeats, o365test.Repeats, o365test.Repeats)
	counts := &feed.Counts{}
	c := o365.Of(s, exchange).Quick()
	c.Since = now.Add(-2 * 24 * time.Hour)
	f, _ := carrier(t, c, b, counts)
	carriedUntil(t, f, "all records are stored", func() bool { return len(lie(t, b, bus.Events)) >= n })
	once(t, lie(t, b, bus.Events), n)
	add(23*time.Hour, time.Time{}) // while nobody looks
	add(3*time.Hour, time.Now().Add(500*time.Millisecond))
	f, stream := carrier(t, c, b, counts)
	carriedUntil(t, f, "late blobs are found", func() bool {
		c := stream.Counts()
		return len(lie(t, b, bus.Events)) >= n && len(c) == 1 && c[0].Late > 0
	})
	once(t, lie(t, b, bus.Events), n)
	if st := s.Stats(); st.Nameless > 0 {
		t.Errorf("%d of %d requests say nothing of who asks", st.Nameless, st.Requests)
	}
}
