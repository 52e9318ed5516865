package app

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"noroshi/detector"
	"noroshi/ingest"
	"noroshi/ingest/file"
	"noroshi/internal/config"
	"noroshi/internal/kafkatest"
	"noroshi/rules"
)

// counting is a rule that holds a key for each account.
const counting = `id: counting
title: Many failures
severity: low
kind: threshold
when: event.action == "UserLoginFailed"
within: 30d
count: 10
`

// BenchmarkRestore is the time from the start of a process until it has read the memory of 500,000 keys, on the embedded Kafka with its
// own start, and on an Apache Kafka.
func BenchmarkRestore(b *testing.B) {
	b.Run("embedded", func(b *testing.B) { restore(b, func(*config.Config) {}) })
	b.Run("apache", func(b *testing.B) {
		address := kafkatest.Apache(b).Address
		restore(b, func(c *config.Config) { c.Kafka.Brokers = []string{address} })
	})
}

func restore(b *testing.B, on func(*config.Config)) {
	const keys = 500_000
	path := writeFailures(b, keys)
	rule := filepath.Join(b.TempDir(), "counting.yaml")
	if err := os.WriteFile(rule, []byte(counting), 0o600); err != nil {
		b.Fatal(err)
	}
	set, ps := rules.Load(rules.Options{Paths: []string{rule}})
	if len(ps) > 0 {
		b.Fatal(ps[0].Format())
	}
	conf := config.Default()
	conf.Kafka.Data = b.TempDir()
	on(conf)
	run := func(until func(*Run) bool, sources ...ingest.Source) time.Duration {
		r := &Run{Config: conf, Compile: func([][]byte) *detector.Set { return detector.New(set, detector.Options{}) }, Sources: sources, Log: slog.New(slog.DiscardHandler)}
		ctx, stop := context.WithCancel(b.Context())
		ended := make(chan error, 1)
		began := time.Now()
		go func() { ended <- r.Run(ctx) }()
		for !until(r) {
			select {
			case err := <-ended:
				b.Fatal(err)
			case <-time.After(time.Millisecond):
			}
		}
		took := time.Since(began)
		stop()
		if err := <-ended; err != nil {
			b.Fatal(err)
		}
		return took
	}
	src, err := file.New(file.Config{Paths: []string{path}, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	run(func(r *Run) bool { return r.detected.events.Load() >= keys }, src)
	var took time.Duration
	for b.Loop() {
		took += run(func(r *Run) bool { return r.detected.stage.Restored.Load() >= keys })
	}
	b.ReportMetric(took.Seconds()/float64(b.N), "s/restore")
	b.ReportMetric(0, "ns/op") // it says nothing beside
}

// writeFailures writes a failed sign-in of each of n accounts, in ten tenants.
func writeFailures(b *testing.B, n int) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "failures.ndjson")
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	w := bufio.NewWriter(f)
	at := time.Now().UTC().Add(-time.Hour).Format("2006-01-02T15:04:05")
	for i := range n {
		fmt.Fprintf(w, `{"CreationTime":"%s","Id":"7d1f8e53-24a1-4e0b-8f0c-%012d","Operation":"UserLoginFailed","OrganizationId":"aaaabbbb-0000-cccc-1111-dddd2222%04d","RecordType":15,"UserType":0,"Workload":"AzureActiveDirectory","ClientIP":"198.51.100.7","UserId":"user%d@contoso.example"}`+"\n", at, i, i%10, i)
	}
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	return path
}
