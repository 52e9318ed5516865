package o365

import (
	"context"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"noroshi/ingest/feed"
)

// What is listed are times of the API: they go by its clock where ours is off, however far. One time that is made up changes nothing, nor does
// an answer that was long under way.
func TestTheClockIsThatOfTheAPI(t *testing.T) {
	const day, jitter = 24 * time.Hour, 20 * time.Second
	for name, one := range map[string]struct {
		said  []time.Duration // by answers, from our time
		long  bool
		ahead time.Duration
	}{
		"together":                   {said: []time.Duration{0, jitter}},
		"we are ahead":               {said: []time.Duration{-30 * time.Hour}, ahead: 30 * time.Hour},
		"we are behind":              {said: []time.Duration{3 * time.Hour}, ahead: -3 * time.Hour},
		"one that is made up":        {said: []time.Duration{0, 5 * day, 0}},
		"one made up among others":   {said: []time.Duration{-day, 5 * day, -day}, ahead: day},
		"ours was set":               {said: []time.Duration{-day, 0, jitter}},
		"theirs was set":             {said: []time.Duration{0, -day, -day}, ahead: day},
		"nearly together":            {said: []time.Duration{-50 * time.Second}},
		"nearly together again":      {said: []time.Duration{-70 * time.Second, -50 * time.Second}, ahead: 50 * time.Second},
		"an answer that took a long": {said: []time.Duration{-day}, long: true},
	} {
		now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		k := asks(t, &answering{})
		k.config.Now = func() time.Time { return now }
		for _, off := range one.said {
			asked := now
			if one.long {
				asked = now.Add(-time.Minute)
			}
			k.compare(&http.Response{Header: http.Header{"Date": {now.Add(off).Format(http.TimeFormat)}}}, asked)
			k.compare(&http.Response{Header: http.Header{}}, now)
		}
		if got := now.Sub(k.now()); got != one.ahead {
			t.Errorf("%s: it takes its clock to be %v ahead, expected %v", name, got, one.ahead)
		}
	}
}

// A machine whose clock is ahead looks for what is new as often as any other: the first answer says by how much it is off.
func TestAClockAheadDelaysNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began, lists := time.Now(), 0
		a := &answering{answer: func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Date", time.Now().UTC().Format(http.TimeFormat))
			to, _ := time.Parse(listForm, r.URL.Query().Get("endTime"))
			if to.After(time.Now().Add(-90 * time.Second)) {
				lists++
			}
			_, _ = io.WriteString(w, "[]")
		}}
		config := asks(t, a).config
		config.Poll = time.Minute
		config.Now = func() time.Time { return time.Now().Add(40 * time.Minute) }
		s, err := New(config)
		if err != nil {
			t.Fatal(err)
		}
		p := place{Floor: second(began.Add(-day)), Reached: second(began.Add(-2 * time.Minute))}
		c, err := s.OpenWith(t.Context(), 1, &feed.Position{Offset: p.text()}, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close(t.Context())
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Minute)
		defer cancel()
		for ctx.Err() == nil {
			_, _ = c.Next(ctx)
		}
		if lists < 25 {
			t.Errorf("in 30 minutes it looked %d times for what is new, expected once a minute", lists)
		}
	})
}
