package feed_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"noroshi/ingest/feed"
	"noroshi/ingest/o365"
	"noroshi/internal/bus"
	"noroshi/internal/kafkatest"
	"noroshi/internal/o365test"
)

// blobsOfAll is how many blobs the matrix has: few by default, many where NOROSHI_SOAK is set. A blob has 25 records.
func blobsOfAll() int {
	if os.Getenv("NOROSHI_SOAK") != "" {
		return 2000
	}
	return 120
}

// onBrokers runs a test on the embedded broker, and on Apache Kafka in the long form.
func onBrokers(t *testing.T, test func(t *testing.T, b *bus.Bus)) {
	if os.Getenv("NOROSHI_SOAK") != "" {
		kafkatest.Each(t, 2, test)
		return
	}
	test(t, kafkatest.Start(t, 2))
}

// Every tenth answer is a fault, two instances fight for each content type and restart at random, transactions are abandoned, blobs come
// late: readers of what is committed see each record once, and no dead letter.
func TestExactlyOnceOfBlobs(t *testing.T) {
	onBrokers(t, func(t *testing.T, b *bus.Bus) {
		s := o365test.Start(t, o365test.Config{PageSize: 20, Every: 10, Quota: -1})
		blobs := blobsOfAll()
		now := time.Now()
		for i := range blobs {
			one := o365test.Blob{Content: o365.Contents[i%4], Created: now.Add(-time.Duration(i) * 9 * time.Hour / time.Duration(blobs)), Body: recordsFrom(i*25, 25)}
			if i%20 == 7 { // some within the last day
				one.Created = now.Add(-time.Duration(i%9) * time.Hour)
				one.Visible = now.Add(time.Duration(500+i) * time.Millisecond)
			}
			s.Add(one)
		}
		if err := b.EnsureCheckpoints(t.Context(), bus.CheckpointsOf("o365"), len(o365.Contents)); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		defer wg.Wait()
		defer cancel()
		var deaths, tried atomic.Int64
		counts := [2]feed.Counts{}
		for i := range counts {
			for p := range int32(4) {
				one := blobCarrier(t, s, b, &counts[i])
				random := rand.New(rand.NewPCG(uint64(p), uint64(i)))
				one.Abandon(func() bool {
					if random.IntN(60) != 0 && tried.Add(1)%50 != 0 {
						return false
					}
					deaths.Add(1)
					return true
				})
				wg.Go(func() {
					for ctx.Err() == nil {
						run, stop := context.WithTimeout(ctx, time.Duration(500+random.IntN(2000))*time.Millisecond)
						one.CarryAgain(run, p, time.Second) // who is put out by the other lets it work for a while
						stop()
						select {
						case <-ctx.Done():
						case <-time.After(time.Duration(random.IntN(1500)) * time.Millisecond):
						}
					}
				})
			}
		}
		want := blobs * 25
		seen := map[string]int{}
		r, err := b.Reader(bus.Member{Topic: bus.Events, Group: "once", Instance: "once"})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		within, free := context.WithTimeout(ctx, 4*time.Minute)
		defer free()
		for len(seen) < want {
			got, err := r.Poll(within, 1000)
			if err != nil {
				t.Fatalf("%d of %d records: %v", len(seen), want, err)
			}
			for _, rec := range got {
				if seen[string(rec.Value)]++; seen[string(rec.Value)] > 1 {
					t.Fatalf("%s is there twice", rec.Value)
				}
			}
		}
		time.Sleep(300 * time.Millisecond) // what comes now would be twice there
		cancel()
		wg.Wait()
		if n := len(lying(t, b, bus.Events)); n != want {
			t.Errorf("%d records, expected %d", n, want)
		}
		if letters := lying(t, b, bus.DeadLetters); len(letters) > 0 {
			t.Errorf("%d dead letters: %.300q", len(letters), letters)
		}
		var restarts int64
		for i := range counts {
			for _, c := range counts[i].Snapshot() {
				for _, n := range c.Restarts {
					restarts += n
				}
			}
		}
		n := s.Stats()
		t.Logf("%d records in %d blobs; %d requests, %d faults; %d transactions abandoned, %d restarts by faults", want, blobs, n.Requests, n.Faults, deaths.Load(), restarts)
		if deaths.Load() == 0 || n.Faults == 0 {
			t.Error("nothing went wrong, so nothing is shown")
		}
	})
}

func lying(t *testing.T, b *bus.Bus, topic bus.Topic) (all []string) {
	t.Helper()
	if err := b.All(t.Context(), topic, func(r bus.Record) error { all = append(all, string(r.Value)); return nil }); err != nil {
		t.Fatal(err)
	}
	return all
}

// recordsFrom is a list of so many records, numbered from a number on.
func recordsFrom(from, n int) []byte {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf(`{"Id":"r-%d"}`, from+i))
	}
	return []byte("[" + strings.Join(all, ",") + "]")
}

// blobCarrier carries the log of a tenant; each record of it becomes one.
func blobCarrier(t *testing.T, s *o365test.Server, b *bus.Bus, counts *feed.Counts) *feed.Feed {
	t.Helper()
	stream, err := o365.New(o365.Config{Name: "o365", Tenant: s.Tenant(), Content: o365.Contents[:4], Host: "manage.office.com", Now: time.Now, Poll: 50 * time.Millisecond, Quota: 1_000_000,
		Pauses: &o365.Pauses{First: 2 * time.Millisecond, Most: 20 * time.Millisecond, Throttled: 5 * time.Millisecond, Long: 20 * time.Millisecond, Again: 50 * time.Millisecond},
		Credential: func() (o365.Token, error) {
			return func(context.Context) (string, error) { return s.Token(), nil }, nil
		},
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: s.Roots(), MinVersion: tls.VersionTLS12}, MaxIdleConnsPerHost: 8,
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, s.Addr())
			}}})
	if err != nil {
		t.Fatal(err)
	}
	return &feed.Feed{Stream: stream, Bus: b, Counts: counts, Log: slog.New(slog.DiscardHandler),
		Prepare: func(int32) feed.Prepare {
			return func(to []bus.Record, m feed.Message, tally *feed.Tally) []bus.Record {
				if m.Refused != nil || m.Lost != "" {
					return append(to, bus.Record{Topic: bus.DeadLetters, Value: fmt.Append(nil, m.Part, m.Refused)})
				}
				for _, one := range strings.Split(strings.Trim(string(m.Body), "[]"), ",") {
					to = append(to, bus.Record{Topic: bus.Events, Key: []byte(m.Part), Value: []byte(one)})
				}
				return to
			}
		},
		Missed: func(int32, feed.Gap) []bus.Record { t.Error("messages are said to be missed"); return nil },
		TooLarge: func(r bus.Record, _ error) (bus.Record, bool) {
			t.Error("a record is said to be too large")
			return r, false
		},
		Room: func(context.Context) error { return nil }}
}
