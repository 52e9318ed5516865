package app

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"noroshi/detector"
	"noroshi/internal/bus"
	"noroshi/internal/config"
	"noroshi/rules"
	"noroshi/sinks"
	"noroshi/sinks/remote"
	"noroshi/sinks/sinktest"
	"noroshi/sinks/splunk"
)

// BenchmarkBulkDelivery is how many alerts a second go from the topic of the embedded broker to a bulk sink, with a result for each. With
// -cpu 1 broker, sink and receiver share one core.
func BenchmarkBulkDelivery(b *testing.B) {
	const alerts = 50_000
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // that it comes is enough
		_, _ = io.WriteString(w, `{"text":"Success","code":0}`)
	}))
	defer srv.Close()
	set, ps := rules.Load(rules.Options{Library: true})
	if len(ps) > 0 {
		b.Fatal(ps[0].Format())
	}
	for b.Loop() {
		b.StopTimer()
		conf := config.Default()
		conf.Kafka.Data = b.TempDir()
		sink, err := splunk.New(splunk.Config{Config: remote.Config{URL: srv.URL, AllowHTTP: true, Reach: remote.Reach{AllowPrivate: true}}, Token: remote.Fixed("token"), Source: "noroshi", SourceType: "noroshi:alert"}, sinks.Env{Now: time.Now, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			b.Fatal(err)
		}
		run := &Run{Config: conf, Roles: []Role{Deliver}, Compile: func(sample [][]byte) *detector.Set { return detector.New(set, detector.Options{Sample: sample}) },
			Sinks: []NamedSink{{Name: "bulk", Sink: sink, Answer: &sinks.Answer{}}}, Log: slog.New(slog.DiscardHandler)}
		ctx, stop := context.WithCancel(b.Context())
		ended := make(chan error, 1)
		go func() { ended <- run.Run(ctx) }()
		fill(b, conf.Kafka.Data, alerts)
		b.StartTimer()
		began, before := time.Now(), run.runners[0].Counts().Sent
		for run.runners[0].Counts().Sent < alerts {
			time.Sleep(5 * time.Millisecond)
		}
		b.ReportMetric(float64(alerts-before)/time.Since(began).Seconds(), "alerts/s")
		b.StopTimer()
		stop()
		if err := <-ended; err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

// fill puts alerts on the topic of a run that has just been started.
func fill(b *testing.B, data string, alerts int) {
	var kafka *bus.Bus
	for kafka == nil {
		if c, err := bus.FromData(data, slog.New(slog.DiscardHandler)); err == nil {
			if kafka, err = bus.Connect(c); err != nil {
				b.Fatal(err)
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
	defer kafka.Close()
	if err := kafka.Await(b.Context()); err != nil {
		b.Fatal(err)
	}
	w, err := kafka.Writer()
	if err != nil {
		b.Fatal(err)
	}
	defer w.Close()
	var all []bus.Record
	for n := range alerts {
		all = append(all, alertRecord([]byte(fmt.Sprint("key ", n%997)), sinktest.Alert(n)))
	}
	if err := w.Write(b.Context(), all); err != nil {
		b.Fatal(err)
	}
}
