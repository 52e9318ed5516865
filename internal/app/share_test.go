package app

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"testing"
	"time"

	"noroshi/detector"
	"noroshi/ingest/eventhub"
	"noroshi/ingest/feed"
	"noroshi/internal/bus"
	"noroshi/internal/config"
	"noroshi/internal/eventhubstest"
	"noroshi/internal/identify"
	"noroshi/internal/kafkatest"
	"noroshi/rules"
)

// Two instances on one Apache Kafka share an event hub and the work behind it; when one ends the other has all, and each record
// is stored once and evaluated.
func TestTwoInstancesShareTheWork(t *testing.T) {
	broker := kafkatest.Apache(t)
	hub := eventhubstest.Start(t, eventhubstest.Config{})
	set, ps := rules.Load(rules.Options{Library: true})
	if len(ps) > 0 {
		t.Fatal(ps)
	}
	instance := func() (r *Run, end func()) {
		stream, err := eventhub.New(eventhub.Config{Name: "audit", ConnectionString: hub.ConnectionString("audit"), Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		conf := config.Default()
		conf.Kafka.Brokers = []string{broker.Address}
		r = &Run{Config: conf, Compile: func([][]byte) *detector.Set { return detector.New(set, detector.Options{}) }, Feeds: []Feed{{Stream: stream}}, Sessions: 1, Log: slog.New(slog.DiscardHandler)}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- r.Run(ctx) }()
		return r, func() {
			t.Helper()
			cancel()
			if err := <-done; err != nil {
				t.Errorf("run: %v", err)
			}
			_ = stream.Close(context.WithoutCancel(ctx)) // the server ends with the test
		}
	}
	owned := func(r *Run) (n int) {
		for _, s := range r.counts.Snapshot() {
			if s.Owned {
				n++
			}
		}
		return n
	}
	n := 0
	add := func() {
		for range 50 {
			if _, err := hub.Append("audit", strconv.Itoa(n%4), eventhubstest.Event{Body: []byte(sound(fmt.Sprint(n)))}); err != nil {
				t.Fatal(err)
			}
			n++
		}
	}
	evaluated := func(all ...*Run) (events int64) {
		for _, r := range all {
			events += r.detected.events.Load() + r.detected.duplicates.Load()
		}
		return events
	}
	a, endA := instance()
	add()
	eventuallyWithin(t, "one instance has all", func() bool { return owned(a) == 4 })
	b, endB := instance()
	eventuallyWithin(t, "two instances have two each", func() bool { add(); return owned(a) == 2 && owned(b) == 2 })
	eventuallyWithin(t, "all is evaluated", func() bool { return evaluated(a, b) >= int64(n) })
	endA()
	eventuallyWithin(t, "the other has all", func() bool { add(); return owned(b) == 4 })
	eventuallyWithin(t, "all is evaluated", func() bool { return evaluated(a, b) >= int64(n) })
	to, err := bus.Connect(broker.Config("noroshi.", 4))
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	var seen map[string]int
	eventuallyWithin(t, "all is stored", func() bool { // what a session has given up is evaluated twice, so that does not tell
		seen = map[string]int{}
		if err := to.All(t.Context(), bus.Events, func(r bus.Record) error {
			if !isTick(&r) {
				seen[r.Header(identify.HeaderID)]++
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return len(seen) == n
	})
	endB()
	if b.stored().records == 0 || a.stored().records == 0 {
		t.Error("one of them did nothing")
	}
	for i := range n {
		if seen[fmt.Sprint(i)] != 1 {
			t.Errorf("record %d is stored %d times", i, seen[fmt.Sprint(i)])
		}
	}
}

// eventuallyWithin waits for what a Kafka needs time for.
func eventuallyWithin(t *testing.T, what string, done func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for !done() {
		if feed.Pause(ctx, 50*time.Millisecond) != nil {
			t.Fatalf("it does not come to that: %s", what)
		}
	}
}
