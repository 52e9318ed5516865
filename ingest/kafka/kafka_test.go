package kafka_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"noroshi/ingest/feed"
	"noroshi/ingest/kafka"
	"noroshi/internal/bus"
	"noroshi/internal/kafkatest"
)

func carry(t *testing.T, s *kafka.Stream, to *bus.Bus, counts *feed.Counts) (end func()) {
	t.Helper()
	f := &feed.Feed{Stream: s, Bus: to, Counts: counts, Log: slog.New(slog.DiscardHandler), Room: func(context.Context) error { return nil },
		Prepare: func(int32) feed.Prepare {
			return func(to []bus.Record, m feed.Message, tally *feed.Tally) []bus.Record {
				tally.Record(feed.Dataset{Name: "test"}, time.Time{}, time.Time{})
				return append(to, bus.Record{Topic: bus.Events, Key: []byte("k"), Value: m.Body})
			}
		},
		Missed: func(int32, feed.Gap) []bus.Record { t.Error("records are said to be missed"); return nil },
		TooLarge: func(r bus.Record, _ error) (bus.Record, bool) {
			t.Error("a record is said to be too large")
			return r, false
		}}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		f.Run(ctx, context.WithoutCancel(ctx))
	}()
	return func() {
		t.Helper()
		cancel()
		<-done
	}
}

// A topic of the same Kafka is carried onto ours once and in order over restarts, although transactions leave holes in its
// offsets and hide records that were given up.
func TestATopicIsCarriedOnce(t *testing.T) {
	kafkatest.Each(t, 1, func(t *testing.T, b *bus.Bus) {
		// The topic alerts stands for any topic that has one partition.
		source := bus.CheckpointsOf("source")
		if err := b.EnsureCheckpoints(t.Context(), source, 1); err != nil {
			t.Fatal(err)
		}
		const all, a = 300, 100
		n := 0
		write := func(count int) {
			t.Helper()
			tx, err := b.Transactor(t.Context(), source, 0, false)
			if err != nil {
				t.Fatal(err)
			}
			defer tx.Close(t.Context())
			for end := n + count; n < end; n++ {
				for _, commit := range []bool{false, true} {
					value := fmt.Sprint(n)
					if !commit {
						value = "given up"
					}
					if err := tx.Stage(t.Context(), []bus.Record{{Topic: bus.Alerts, Key: []byte("k"), Value: []byte(value)}}, bus.Record{Key: []byte("k")}); err != nil {
						t.Fatal(err)
					}
					end := tx.Commit
					if !commit {
						end = tx.Abort
					}
					if err := end(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		stream, err := kafka.New(kafka.Config{Topic: string(bus.Alerts)}, b)
		if err != nil {
			t.Fatal(err)
		}
		for range all / a {
			var counts feed.Counts
			end := carry(t, stream, b, &counts)
			write(a)
			// The mark behind the last record is read, too: nothing is said to wait, or to be missed when retention has deleted it.
			last := func() int64 {
				_, last, err := b.Bounds(t.Context(), bus.Alerts, 0)
				if err != nil {
					t.Fatal(err)
				}
				return last
			}
			deadline, cancel := context.WithTimeout(t.Context(), time.Minute)
			look := time.NewTicker(20 * time.Millisecond)
			for s := counts.Snapshot(); len(s) == 0 || s[0].Messages < a || s[0].Sequence < last(); s = counts.Snapshot() {
				select {
				case <-deadline.Done():
					t.Fatalf("only %+v", s)
				case <-look.C:
				}
			}
			look.Stop()
			cancel()
			end()
			if s := counts.Snapshot()[0]; s.Lag() != 0 || s.Missed != 0 || s.Messages != a {
				t.Errorf("counted are %+v", s)
			}
		}
		r, err := b.Reader(bus.Member{Topic: bus.Events, Group: "once", Instance: "once"})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		for next := 0; next < all; {
			got, err := r.Poll(ctx, all)
			if err != nil {
				t.Fatalf("%d of %d records: %v", next, all, err)
			}
			for _, rec := range got {
				if string(rec.Value) != fmt.Sprint(next) {
					t.Fatalf("record %q where %d should be", rec.Value, next)
				}
				next++
			}
		}
	})
}
