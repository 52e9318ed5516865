package app

import (
	"context"
	"log/slog"
	"strconv"
	"testing"
	"time"

	"noroshi/detector"
	"noroshi/ingest/eventhub"
	"noroshi/internal/bus"
	"noroshi/internal/config"
	"noroshi/internal/eventhubstest"
	"noroshi/internal/kafkatest"
	"noroshi/rules"
)

// BenchmarkIdle is what a run writes while nothing comes, with 32 partitions of an event hub and 12 of the events, exactly once on an Apache
// Kafka: ticks, clocks, positions, and commits of the detector. Offsets are counted, so the ends of transactions are, too.
func BenchmarkIdle(b *testing.B) {
	const partitions, hubPartitions, settle, span = 12, 32, 20 * time.Second, 30 * time.Second
	broker := kafkatest.Apache(b)
	hub := eventhubstest.Start(b, eventhubstest.Config{Hubs: []eventhubstest.Hub{{Name: "audit", Partitions: hubPartitions}}})
	set, ps := rules.Load(rules.Options{Library: true})
	if len(ps) > 0 {
		b.Fatal(ps[0].Format())
	}
	stream, err := eventhub.New(eventhub.Config{Name: "audit", ConnectionString: hub.ConnectionString("audit"), Now: time.Now})
	if err != nil {
		b.Fatal(err)
	}
	conf := config.Default()
	conf.Kafka.Brokers, conf.Kafka.Partitions = []string{broker.Address}, partitions
	r := &Run{Config: conf, Compile: func([][]byte) *detector.Set { return detector.New(set, detector.Options{}) }, Feeds: []Feed{{Stream: stream}}, Log: slog.New(slog.DiscardHandler)}
	ctx, stop := context.WithCancel(b.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	for p := range hubPartitions {
		if _, err := hub.Append("audit", strconv.Itoa(p), eventhubstest.Event{Body: []byte(sound(strconv.Itoa(p)))}); err != nil {
			b.Fatal(err)
		}
	}
	for r.detected.events.Load()+r.detected.duplicates.Load() < hubPartitions {
		time.Sleep(10 * time.Millisecond)
	}
	k, err := bus.Connect(broker.Config(conf.Kafka.Prefix, partitions))
	if err != nil {
		b.Fatal(err)
	}
	defer k.Close()
	topics := []bus.Topic{bus.Events, bus.DetectorState, bus.Signals, bus.SignalsState, bus.Checkpoints, bus.Status}
	for b.Loop() {
		time.Sleep(settle)
		before, commits := ends(b, k, topics), r.detected.stage.Commits.Load()
		time.Sleep(span)
		for t, n := range ends(b, k, topics) {
			b.ReportMetric(float64(n-before[t])/span.Seconds(), string(t)+"/s")
		}
		b.ReportMetric(float64(r.detected.stage.Commits.Load()-commits)/span.Seconds()*5, "commits/5s")
	}
	b.ReportMetric(0, "ns/op") // it says nothing beside
	stop()
	if err := <-ended; err != nil {
		b.Fatal(err)
	}
	_ = stream.Close(context.Background()) // the server ends with the benchmark
}

// ends are how many records and ends of transactions topics hold.
func ends(b *testing.B, k *bus.Bus, topics []bus.Topic) map[bus.Topic]int64 {
	b.Helper()
	all := map[bus.Topic]int64{}
	for _, t := range topics {
		n, err := k.Partitions(b.Context(), t)
		if err != nil {
			b.Logf("%s: %v", t, err)
			continue
		}
		for p := range n {
			_, last, err := k.Bounds(b.Context(), t, int32(p))
			if err != nil {
				b.Fatal(err)
			}
			all[t] += last
		}
	}
	return all
}
