package app

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"noroshi/detector"
	"noroshi/internal/bus"
	"noroshi/internal/config"
	"noroshi/internal/deadletter"
	"noroshi/internal/diag"
	"noroshi/internal/kafkatest"
	"noroshi/rules"
)

const spraying = `id: spray
title: One address tries many accounts
severity: high
kind: threshold
when: auth.result == "wrong_credential"
by: [source.ip]
within: 1h
distinct: {of: account, least: %d}
facts: [%s]
`

// compiled is the set of a rule.
func compiled(t *testing.T, text string) *detector.Set {
	t.Helper()
	return compiledAll(t, []string{text})
}

// compiledAll is the set of rules.
func compiledAll(t *testing.T, texts []string) *detector.Set {
	t.Helper()
	dir := t.TempDir()
	for i, text := range texts {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("rule-%d.yaml", i)), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	rs, ps := rules.Load(rules.Options{Paths: []string{dir}})
	if diag.Errors(ps) > 0 {
		t.Fatal(ps[0].Format())
	}
	return detector.New(rs, detector.Options{})
}

// signalsOf are the signals of wrong passwords of some accounts from one address.
func signalsOf(t *testing.T, set *detector.Set, accounts int) (all []bus.Record) {
	t.Helper()
	w, g := set.Worker(), set.Signals(detector.Upstream{Topic: detector.UpEvents, Partition: 1}, 4)
	for n := range accounts {
		rec := fmt.Sprintf(`{"time":"2026-01-02T03:00:00Z","category":"SignInLogs","tenantId":"t-1","properties":{"id":"f-%[1]d","createdDateTime":"2026-01-02T03:00:0%[1]dZ",`+
			`"userPrincipalName":"user%[1]d@contoso.example","userId":"u","ipAddress":"203.0.113.7","status":{"errorCode":50126}}}`, n)
		if err := w.ReadAlone([]byte(rec), time.Time{}); err != nil {
			t.Fatal(err)
		}
		detector.EachHit(w.Match(nil), func(packed []byte) { g.Take(packed) })
		g.Flush(detector.Place{Offset: int64(n), Written: int64(n + 1)}, func(to int32, signal []byte) {
			all = append(all, bus.Record{Topic: bus.Signals, Partition: to, Value: signal})
		})
	}
	return all
}

// TestSignalsThatCannotBeAppliedAreCounted: what is no signal, or one of a newer version, becomes a dead letter; hits of another version
// of a rule count for nothing; what comes again changes nothing; and those behind are applied.
func TestSignalsThatCannotBeAppliedAreCounted(t *testing.T) {
	b := kafkatest.Start(t, 4)
	w, err := b.Writer()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	said := &bytes.Buffer{}
	run := &Run{Config: config.Default(), Log: slog.New(slog.NewTextHandler(said, nil))}
	run.Config.Kafka.Partitions = 4
	set := compiled(t, fmt.Sprintf(spraying, 3, "raw.A"))
	run.ruling.Store(&ruling{set: set})
	sound := signalsOf(t, set, 3)
	other := signalsOf(t, compiled(t, fmt.Sprintf(spraying, 3, "raw.B")), 2)
	newer := bus.Record{Topic: bus.Signals, Partition: 2, Value: append([]byte{99}, sound[0].Value[1:]...)}
	all := slices.Concat([]bus.Record{{Topic: bus.Signals, Partition: 2, Value: []byte("nonsense")}, newer}, other, sound[:2], sound[:2], sound[2:])
	if err := w.Write(t.Context(), all); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- run.detect(ctx, t.Context(), &detection{kafka: &kafka{bus: b}, writer: w, name: &names{}}, place{signalsGroup, 0})
	}()
	c := &run.detected.signals
	counted := []*atomic.Int64{&c.applied, &c.skipped, &c.unknown, &c.unreadable}
	var got []int64
	want := []int64{5, 2, 2, 2} // of the five two have no hit that counts
	for deadline := time.Now().Add(time.Minute); !slices.Equal(got, want) && time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		got = nil
		for _, n := range counted {
			got = append(got, n.Load())
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if !slices.Equal(got, want) {
		t.Errorf("applied, skipped, unknown and unreadable are %v, want %v", got, want)
	}
	alerts, letters := 0, map[string]int{}
	if err := b.All(t.Context(), bus.Alerts, func(bus.Record) error { alerts++; return nil }); err != nil {
		t.Fatal(err)
	}
	if err := b.All(t.Context(), bus.DeadLetters, func(r bus.Record) error {
		l := deadletter.Parse(r)
		again, ok := l.Again()
		if !ok || again.Topic != bus.Signals || again.Partition != 2 {
			t.Errorf("the letter would be tried again as %+v", again)
		}
		letters[l.Reason+": "+l.Detail]++
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if alerts != 1 || letters["signal: not a signal"]+letters["signal: the signal is of a newer format: 110"] != 1 || letters["signal: the signal is of a newer format: 99"] != 1 {
		t.Errorf("%d alerts, dead letters %v", alerts, letters)
	}
	for _, text := range []string{"rule=\"spray ", "run the same version everywhere"} {
		if !strings.Contains(said.String(), text) {
			t.Errorf("the log does not say %q: %s", text, said)
		}
	}
}
