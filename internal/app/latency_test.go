package app

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"noroshi/detector"
	"noroshi/ingest"
	"noroshi/internal/config"
	"noroshi/internal/kafkatest"
	"noroshi/rules"
	"noroshi/sinks"
	"noroshi/sinks/remote"
	"noroshi/sinks/webhook"
)

// steady is a source that delivers so many records a second, in batches of five milliseconds.
type steady struct {
	perSecond int
	last      int
	done      chan struct{}
}

func (s *steady) Run(ctx context.Context, _ map[string][]byte, deliver ingest.Deliver) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for n := 0; n < s.last; {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		var b ingest.Batch
		for range s.perSecond / 200 {
			op, to := "FileAccessed", ""
			if n%200 == 0 { // 25 alerts a second
				op, to = "Set-Mailbox", "drop@mail.example.net"
			}
			b.Records = append(b.Records, ingest.Raw{File: "steady", Line: n, Bytes: []byte(fmt.Sprintf(
				`{"CreationTime":"2026-01-02T03:04:05","Id":"s-%d","Operation":"%s","OrganizationId":"t-1","RecordType":1,"UserType":0,"UserId":"user%d@contoso.example","Workload":"Exchange","ClientIP":"198.51.100.7","Parameters":[{"Name":"ForwardingSmtpAddress","Value":"%s"}],"Padding":"%0400d"}`, n, op, n%97, to, n))})
			n++
		}
		if err := deliver(ctx, b); err != nil {
			return err
		}
	}
	close(s.done)
	return nil
}

// byRecord is a rule whose key is not the account, so that its alerts come over signals.
const byRecord = `id: by-record
title: A second step
severity: low
when: event.action == "Set-Mailbox"
by: [event.id]
repeat: 1m
`

// BenchmarkLatency is the time from a record's arrival on Kafka to the webhook's request, at 5,000 events a second: of rules whose key is
// the account, and over signals.
func BenchmarkLatency(b *testing.B) {
	b.Run("embedded", func(b *testing.B) { latency(b, func(*config.Config) {}) })
	for how, transactions := range map[string]bool{"exactly-once": true, "at-least-once": false} {
		b.Run("apache-"+how, func(b *testing.B) {
			latency(b, func(c *config.Config) {
				c.Kafka.Brokers, c.Kafka.Transactions = []string{kafkatest.Apache(b).Address}, transactions
			})
		})
	}
}

func latency(b *testing.B, on func(*config.Config)) {
	for b.Loop() {
		var mu sync.Mutex
		waits := map[bool][]time.Duration{} // by: over signals
		srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			at := time.Now()
			body, _ := io.ReadAll(r.Body)
			var m struct {
				Data struct {
					Rule  struct{ ID string }
					Times struct{ Enqueued time.Time }
				}
			}
			if err := json.Unmarshal(body, &m); err != nil {
				b.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			over := m.Data.Rule.ID == "by-record"
			waits[over] = append(waits[over], at.Sub(m.Data.Times.Enqueued))
		}))
		path := filepath.Join(b.TempDir(), "by-record.yaml")
		if err := os.WriteFile(path, []byte(byRecord), 0o600); err != nil {
			b.Fatal(err)
		}
		set, ps := rules.Load(rules.Options{Paths: []string{path}, Library: true})
		if len(ps) > 0 {
			b.Fatal(ps[0].Format())
		}
		conf := config.Default()
		conf.Kafka.Data = b.TempDir()
		on(conf)
		sink, err := webhook.New(webhook.Config{Config: remote.Config{URL: srv.URL, AllowHTTP: true, Reach: remote.Reach{AllowPrivate: true}}, Secrets: []remote.Secret{remote.Fixed("whsec_bGF0ZW5jeS1zZWNyZXQtMDEyMzQ1Njc4OWFiY2RlZg==")}}, sinks.Env{Now: time.Now, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			b.Fatal(err)
		}
		source := &steady{perSecond: 5000, last: 50_000, done: make(chan struct{})}
		run := &Run{Config: conf, Compile: func(sample [][]byte) *detector.Set { return detector.New(set, detector.Options{Sample: sample}) }, Sources: []ingest.Source{source}, Sinks: []NamedSink{{Name: "hook", Sink: sink}}, Log: slog.New(slog.DiscardHandler)}
		ctx, stop := context.WithCancel(b.Context())
		ended := make(chan error, 1)
		go func() { ended <- run.Run(ctx) }()
		<-source.done
		for waiting := true; waiting; time.Sleep(10 * time.Millisecond) {
			mu.Lock()
			waiting = min(len(waits[false]), len(waits[true])) < 250
			mu.Unlock()
		}
		stop()
		if err := <-ended; err != nil {
			b.Fatal(err)
		}
		srv.Close()
		for over, unit := range map[bool]string{false: "", true: "-signals"} {
			all := waits[over][125:] // in the first five seconds the groups are joined, and memory is read
			slices.Sort(all)
			b.ReportMetric(float64(all[len(all)/2].Microseconds())/1000, "ms-p50"+unit)
			b.ReportMetric(float64(all[len(all)*99/100].Microseconds())/1000, "ms-p99"+unit)
			b.ReportMetric(float64(len(all)), "alerts"+unit)
		}
	}
}
