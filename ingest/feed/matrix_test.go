package feed_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"noroshi/ingest/eventhub"
	"noroshi/ingest/feed"
	"noroshi/internal/bus"
	"noroshi/internal/eventhubstest"
	"noroshi/internal/kafkatest"
)

const partitions = 4

// messages are how many each partition gets: few by default, many where NOROSHI_SOAK is set.
func messages() int {
	if os.Getenv("NOROSHI_SOAK") != "" {
		return 25_000
	}
	return 1500
}

func carrier(t *testing.T, s *eventhubstest.Server, b *bus.Bus, counts *feed.Counts) *feed.Feed {
	t.Helper()
	stream, err := eventhub.New(eventhub.Config{Name: "audit", ConnectionString: s.ConnectionString("audit"), Hub: "audit", Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stream.Close(context.Background()) })
	return &feed.Feed{Stream: stream, Bus: b, Counts: counts, Log: slog.New(slog.DiscardHandler),
		Prepare: func(partition int32) feed.Prepare {
			return func(to []bus.Record, m feed.Message, tally *feed.Tally) []bus.Record {
				tally.Record(feed.Dataset{Name: "test"}, time.Time{}, time.Time{})
				return append(to, bus.Record{Topic: bus.Events, Key: strconv.AppendInt(nil, int64(partition), 10), Value: m.Body})
			}
		},
		Missed: func(int32, feed.Gap) []bus.Record { t.Error("messages are said to be missed"); return nil },
		TooLarge: func(r bus.Record, _ error) (bus.Record, bool) {
			t.Error("a record is said to be too large")
			return r, false
		},
		Room: func(context.Context) error { return nil }}
}

// Two instances fight for each partition and restart at random, transactions are abandoned, connections are cut: readers of what
// is committed see each message once and in order.
func TestExactlyOnce(t *testing.T) {
	kafkatest.Each(t, 2, func(t *testing.T, b *bus.Bus) {
		each := messages()
		s := eventhubstest.Start(t, eventhubstest.Config{})
		if err := b.EnsureCheckpoints(t.Context(), bus.CheckpointsOf("audit"), partitions); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		defer wg.Wait()
		defer cancel()
		wg.Go(func() { fill(ctx, t, s, each) })
		wg.Go(func() {
			for look := time.Tick(170 * time.Millisecond); ctx.Err() == nil; <-look {
				s.Cut()
			}
		})
		var deaths, tried atomic.Int64
		counts := [2]feed.Counts{}
		for i := range counts {
			for p := range int32(partitions) {
				f := carrier(t, s, b, &counts[i])
				rnd := rand.New(rand.NewPCG(uint64(p), uint64(i))) // the seeds tell what died when, as far as the machine repeats itself
				f.Abandon(func() bool {
					if rnd.IntN(60) != 0 && tried.Add(1)%50 != 0 { // now and then at random, and often enough for certain
						return false
					}
					deaths.Add(1)
					return true
				})
				wg.Go(func() { restarting(ctx, f, p, rand.New(rand.NewPCG(uint64(i), uint64(p)))) })
			}
		}
		once(t, b, each)
		cancel()
		wg.Wait()
		var aborted, restarts int64
		for i := range counts {
			for _, c := range counts[i].Snapshot() {
				aborted += c.Aborted
				for _, n := range c.Restarts {
					restarts += n
				}
			}
		}
		t.Logf("%d messages; %d transactions abandoned, %d did not commit, %d restarts by faults", each*partitions, deaths.Load(), aborted, restarts)
		if deaths.Load() == 0 || restarts == 0 {
			t.Error("nothing went wrong, so nothing is shown")
		}
	})
}

func restarting(ctx context.Context, f *feed.Feed, p int32, rnd *rand.Rand) {
	for ctx.Err() == nil {
		run, stop := context.WithTimeout(ctx, time.Duration(200+rnd.IntN(800))*time.Millisecond)
		f.Carry(run, p)
		stop()
		select {
		case <-ctx.Done():
		case <-time.After(time.Duration(rnd.IntN(60)) * time.Millisecond):
		}
	}
}

// fill adds five messages to each partition every 8 ms.
func fill(ctx context.Context, t *testing.T, s *eventhubstest.Server, each int) {
	look := time.Tick(8 * time.Millisecond)
	for i := 0; i < each; i += 5 {
		for p := range partitions {
			var some []eventhubstest.Event
			for n := i; n < min(i+5, each); n++ {
				some = append(some, eventhubstest.Event{Body: fmt.Appendf(nil, "%d", n)})
			}
			if _, err := s.Append("audit", strconv.Itoa(p), some...); err != nil {
				t.Error(err)
				return
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-look:
		}
	}
}

// once reads until all is there, and says what is double or out of order.
func once(t *testing.T, b *bus.Bus, each int) {
	t.Helper()
	r, err := b.Reader(bus.Member{Topic: bus.Events, Group: "once", Instance: "once"})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
	defer cancel()
	next := map[string]int{}
	for done := 0; done < partitions*each; {
		got, err := r.Poll(ctx, 1000)
		if err != nil {
			t.Fatalf("%d of %d messages: %v; %v", done, partitions*each, err, next)
		}
		for _, rec := range got {
			key := string(rec.Key)
			if n, _ := strconv.Atoi(string(rec.Value)); n != next[key] {
				t.Fatalf("partition %s: message %d where %d should be", key, n, next[key])
			}
			next[key]++
			done++
		}
	}
	if err := r.Commit(ctx); err != nil {
		t.Error(err)
	}
}
