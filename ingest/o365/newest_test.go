package o365

import (
	"strings"
	"testing"
	"time"

	"noroshi/ingest/feed"
)

// What of the past expires while it is read backwards is told and counted as lost, like what expires on the way forward.
func TestAPastThatExpiresIsTold(t *testing.T) {
	now := second(time.Now())
	for name, one := range map[string]struct {
		p    place
		want []string // the spans that are lost, from and to
	}{
		"days of it":           {place{Floor: now.Add(-13 * day), Reached: now.Add(-6 * day), Back: now.Add(-8 * day)}, []string{now.Add(-13*day).Format(time.RFC3339) + " to " + now.Add(-8*day).Format(time.RFC3339)}},
		"all that can be":      {place{Floor: now.Add(-13 * day), Reached: now.Add(-6 * day)}, nil},
		"nothing of it so far": {place{Floor: now.Add(-13 * day), Reached: now.Add(-5 * day), Back: now.Add(-6 * day)}, nil},
	} {
		s, err := New(asks(t, &answering{}).config)
		if err != nil {
			t.Fatal(err)
		}
		c, err := s.cursor(1, &feed.Position{Offset: one.p.text()}, nil)
		if err != nil {
			t.Fatal(err)
		}
		all := c.expire()
		if lost := s.Counts()[0].Lost; len(all) != len(one.want) || int(lost) != len(one.want) {
			t.Errorf("%s: %d messages, %d counted as lost; expected %d", name, len(all), lost, len(one.want))
			continue
		}
		for i, m := range all {
			if m.Refused == nil || !strings.Contains(m.Lost, one.want[i]) {
				t.Errorf("%s: told %q, expected %q", name, m.Lost, one.want[i])
			}
		}
		c.Close(t.Context())
	}
}
