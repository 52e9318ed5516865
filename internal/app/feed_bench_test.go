package app

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"noroshi/ingest/eventhub"
	"noroshi/ingest/feed"
	"noroshi/internal/bus"
	"noroshi/internal/config"
	"noroshi/internal/eventhubstest"
	"noroshi/internal/identify"
	"noroshi/internal/kafkatest"
)

// padded is a record of 1.5 KB; those of a hundred accounts take turns.
func padded(id string) []byte {
	return []byte(strings.NewReplacer(`"taro@`, `"taro`+id[max(0, len(id)-2):]+`@`, `[]`, `[{"Name":"Identity","Value":"`+strings.Repeat("x", 1250)+`"}]`).Replace(sound(id)))
}

// carried runs a feed from a hub onto an embedded Kafka until the benchmark ends.
func carried(b *testing.B, hub *eventhubstest.Server, prepare func(*Run, int32) feed.Prepare) (*bus.Bus, *feed.Counts) {
	b.Helper()
	to := kafkatest.Start(b, 4)
	stream, err := eventhub.New(eventhub.Config{Name: "audit", ConnectionString: hub.ConnectionString("audit"), Now: time.Now})
	if err != nil {
		b.Fatal(err)
	}
	r := &Run{Config: config.Default(), Log: slog.New(slog.DiscardHandler)}
	f := &feed.Feed{Stream: stream, Bus: to, Counts: &r.counts, Log: r.Log, Room: func(context.Context) error { return nil }, TooLarge: identify.SetAside,
		Missed:  func(int32, feed.Gap) []bus.Record { return nil },
		Prepare: func(p int32) feed.Prepare { return prepare(r, p) }}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		f.Run(ctx, context.WithoutCancel(ctx))
	}()
	b.Cleanup(func() {
		cancel()
		<-done
		_ = stream.Close(context.Background()) // the server ends with the benchmark
	})
	return to, &r.counts
}

func identified(r *Run, p int32) feed.Prepare {
	return newPreparing(r, "audit", p, nil, NewAgain(IdentityOptions(r.Config)).identify.Reader).prepare
}

func bare(_ *Run, p int32) feed.Prepare {
	key := strconv.AppendInt(nil, int64(p), 10)
	return func(to []bus.Record, m feed.Message, t *feed.Tally) []bus.Record {
		t.Record(feed.Dataset{Name: "bare"}, time.Time{}, time.Time{})
		return append(to, bus.Record{Topic: bus.Events, Key: key, Value: m.Body})
	}
}

// BenchmarkFeed carries messages of one record of 1.5 KB in four partitions, with the records' identity and, for comparison,
// without a look at them.
func BenchmarkFeed(b *testing.B) {
	for name, prepare := range map[string]func(*Run, int32) feed.Prepare{"identified": identified, "bare": bare} {
		b.Run(name, func(b *testing.B) {
			hub := eventhubstest.Start(b, eventhubstest.Config{})
			const partitions, block = 4, 100
			for i := 0; i < b.N; i += block {
				all := make([]eventhubstest.Event, min(block, b.N-i))
				for n := range all {
					all[n].Body = padded(strconv.Itoa(i + n))
				}
				if _, err := hub.Append("audit", strconv.Itoa(i/block%partitions), all...); err != nil {
					b.Fatal(err)
				}
			}
			b.SetBytes(int64(len(padded("100000"))))
			b.ReportAllocs()
			b.ResetTimer()
			_, counts := carried(b, hub, prepare)
			for done := int64(0); done < int64(b.N); {
				time.Sleep(time.Millisecond)
				done = 0
				for _, s := range counts.Snapshot() {
					done += s.Messages
				}
			}
			b.StopTimer()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
		})
	}
}

// BenchmarkFeedLatency stores 5,000 records a second in a hub and measures how long each takes until a reader of what is
// committed has it.
func BenchmarkFeedLatency(b *testing.B) {
	const rate, seconds, every = 5000, 10, 4 * time.Millisecond
	hub := eventhubstest.Start(b, eventhubstest.Config{})
	to, counts := carried(b, hub, identified)
	for len(counts.Snapshot()) < 4 {
		time.Sleep(time.Millisecond)
	}
	reader, err := to.Reader(bus.Member{Topic: bus.Events, Group: "latency", Instance: "latency"})
	if err != nil {
		b.Fatal(err)
	}
	defer reader.Close()
	const n = rate * seconds
	stored := make([]time.Time, n)
	go func() {
		i := 0
		for range time.Tick(every) {
			for range rate * int(every/time.Millisecond) / 1000 {
				if i == n {
					return
				}
				stored[i] = time.Now()
				if _, err := hub.Append("audit", strconv.Itoa(i%4), eventhubstest.Event{Body: padded(strconv.Itoa(i))}); err != nil {
					b.Error(err)
					return
				}
				i++
			}
		}
	}()
	var waits []time.Duration
	for len(waits) < n {
		got, err := reader.Poll(b.Context(), 1000)
		if err != nil {
			b.Fatal(err)
		}
		now := time.Now()
		for _, r := range got {
			i, err := strconv.Atoi(r.Header(identify.HeaderID))
			if err != nil {
				b.Fatal(fmt.Errorf("read id: %w", err))
			}
			waits = append(waits, now.Sub(stored[i]))
		}
	}
	slices.Sort(waits)
	for name, at := range map[string]int{"p50-ms": n / 2, "p99-ms": n * 99 / 100} {
		b.ReportMetric(float64(waits[at].Microseconds())/1000, name)
	}
}
