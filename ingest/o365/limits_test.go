package o365

import (
	"context"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"noroshi/internal/o365test"
)

// inMemory sends requests to a server without a network.
type inMemory struct{ to http.Handler }

func (m inMemory) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	m.to.ServeHTTP(w, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return w.Result(), nil
}

// Blobs of four content types are read at more than 10,000 an hour, two at a time of each, and in no minute are there more requests than the
// quota has.
func TestTheQuotaIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := o365test.New(o365test.Config{Quota: -1, Delay: 400 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		const blobs, quota = 2500, 400 // a small one, so that it is used up
		c := Of(s, Contents[:4]...)
		c.Transport, c.Quota = inMemory{s}, quota
		began := time.Now()
		for i := range blobs {
			s.Add(o365test.Blob{Content: Contents[i%4], Created: began.Add(-time.Duration(i%50) * time.Hour), Body: []byte(`[{"Id":"1"}]`)})
		}
		stream, err := New(c)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
		defer cancel()
		var all sync.WaitGroup
		for p := range int32(4) {
			all.Go(func() {
				cursor, err := stream.OpenWith(ctx, p, nil, nil)
				if err != nil {
					t.Error(err)
					return
				}
				defer cursor.Close(ctx)
				for read := 0; read < blobs/4; {
					got, err := cursor.Next(ctx)
					if err != nil {
						t.Errorf("%d of %d blobs are read: %v", read, blobs/4, err)
						return
					}
					for _, m := range got {
						read += len(m.Rows)
					}
				}
			})
		}
		all.Wait()
		n := s.Stats()
		t.Logf("%d requests in %v, at most %d a minute, %d at a time", n.Requests, time.Since(began), n.Peak, n.InFlight)
		if n.Peak > quota || n.InFlight > 8 || n.Peak < quota/2 {
			t.Errorf("at most %d requests a minute and %d at a time; the quota is %d", n.Peak, n.InFlight, quota)
		}
	})
}

// Who is throttled waits: as long as it is told, else longer each time; and every request of the tenant does.
func TestThrottlingHoldsAllRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimits(2000, 4, &usualPauses, time.Now)
		for i, one := range []struct {
			after, want time.Duration
		}{{0, 10 * time.Second}, {0, 20 * time.Second}, {0, 40 * time.Second}, {0, 80 * time.Second}, {0, 2 * time.Minute}, {0, 2 * time.Minute}, {7 * time.Second, 7 * time.Second}, {time.Hour, 10 * time.Minute}} {
			l.throttle(1, one.after)
			l.throttle(1, 0) // of a request that was on its way
			began := time.Now()
			if err := l.wait(t.Context(), int32(i%4)); err != nil {
				t.Fatal(err)
			}
			if got := time.Since(began); got != one.want {
				t.Errorf("refusal %d: it waits %v, expected %v", i, got, one.want)
			}
		}
		l.answered()
		l.throttle(1, 0)
		if _, until, _ := l.state(0); time.Until(until) != 10*time.Second {
			t.Errorf("after an answer it waits %v", time.Until(until))
		}
	})
}

// A 403 or 429 that stands for the quota is waited for and no fault of the content type; one that stands for a right is.
func TestRefusalsAreToldApart(t *testing.T) {
	for fault, waits := range map[o365test.Fault]time.Duration{o365test.Throttled403: 10 * time.Second, o365test.Throttled429: time.Second} {
		synctest.Test(t, func(t *testing.T) {
			s, err := o365test.New(o365test.Config{})
			if err != nil {
				t.Fatal(err)
			}
			c := Of(s, Contents[1])
			c.Transport = inMemory{s}
			stream, err := New(c)
			if err != nil {
				t.Fatal(err)
			}
			s.Fail(fault)
			began := time.Now()
			if err := stream.client.subscribe(t.Context(), 1, Contents[1]); err != nil || time.Since(began) != waits {
				t.Errorf("%s: %v after %v; expected %v", fault, err, time.Since(began), waits)
			}
		})
	}
}

// However often who reads a content type changes, at most once a minute, and whatever they do: no minute has more requests than the quota.
func TestTheQuotaIsKeptByWhoComesNext(t *testing.T) {
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 16))
		now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		const quota = 400
		var sent []time.Time // one content type has a quarter
		for range 20 {
			l := newLimits(quota, 4, &usualPauses, func() time.Time { return now }) // a process that knows nothing of the one before
			l.begin(1)
			for ends := now.Add(minute + time.Duration(r.Int64N(int64(3*time.Minute)))); now.Before(ends); {
				d := l.take(1)
				if d == 0 {
					sent = append(sent, now)
					d = time.Duration(r.Int64N(int64(time.Second)))
				}
				now = now.Add(d)
			}
		}
		for i, j := 0, 0; j < len(sent); j++ {
			for sent[j].Sub(sent[i]) >= time.Minute {
				i++
			}
			if n := j - i + 1; n > quota/4 {
				t.Fatalf("seed %d: %d requests in the minute before %v", seed, n, sent[j])
			}
		}
		if len(sent) < 20*quota/4*8/10 {
			t.Errorf("seed %d: only %d requests are sent", seed, len(sent))
		}
	}
}
