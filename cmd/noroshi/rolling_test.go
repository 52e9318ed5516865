//go:build unix

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"noroshi/internal/bus"
	"noroshi/internal/eventhubstest"
	"noroshi/internal/kafkatest"
)

const rolling = `id: guessing
title: Four wrong passwords
severity: low
kind: threshold
when: auth.result == "wrong_credential"%s
within: 1h
count: 4
`

// TestRulesChangeOnOneInstanceAfterTheOther: one instance has the new rules and their memory when a second one, which has the old rules
// still, takes some of its partitions over. That one waits, is given the rules, and goes on with the memory: nothing is forgotten. Nor is
// anything lost when the second is killed for good and the first is ended while their group waits for it.
func TestRulesChangeOnOneInstanceAfterTheOther(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts a Kafka and two processes")
	}
	broker := kafkatest.Apache(t)
	hub := eventhubstest.Start(t, eventhubstest.Config{})
	dir := t.TempDir()
	files := map[string]string{"cs": hub.ConnectionString("audit")}
	for i, more := range []string{` && source.ip != ""`, ""} {
		name := fmt.Sprint("instance", i)
		files[name+".yaml"] = fmt.Sprintf(`kafka: {brokers: ["%s"], partitions: 4}
sources: [{eventhub: {name: audit, connection_string: '${file:cs}'}}]
rules: [%s]
`, broker.Address, name)
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
		files[name+"/guessing.yaml"] = fmt.Sprintf(rolling, more)
	}
	writeFiles(t, dir, files)
	n, began := 0, time.Now().UTC().Add(-10*time.Minute) // older ones would be forgotten as soon as the hub is idle
	add := func(each int) {
		t.Helper()
		for range each * memoryUsers {
			at := began.Add(time.Duration(n) * time.Second).Format(time.RFC3339)
			record := fmt.Sprintf(`{"time":"%[1]s","category":"SignInLogs","tenantId":"t-1","properties":{"id":"s-%[2]d","createdDateTime":"%[1]s","userPrincipalName":"user%[3]d@contoso.example","userId":"u-%[3]d","ipAddress":"203.0.113.4","status":{"errorCode":50126},"appId":"a-1","appDisplayName":"Mail","isInteractive":true}}`,
				at, n, n%memoryUsers)
			if _, err := hub.Append("audit", strconv.Itoa(n%memoryUsers%4), eventhubstest.Event{Body: []byte(record)}); err != nil {
				t.Fatal(err)
			}
			n++
		}
	}
	var all []*process
	start := func(i int) *process {
		p := &process{args: []string{"run", "--config", filepath.Join(dir, fmt.Sprintf("instance%d.yaml", i))}, said: filepath.Join(dir, fmt.Sprint("stderr-", i))}
		p.start(t)
		t.Cleanup(func() { _ = p.cmd.Process.Kill() }) // it may have ended
		all = append(all, p)
		return p
	}
	t.Cleanup(func() {
		for _, p := range all {
			if t.Failed() {
				t.Log(p.text())
			}
		}
	})
	first := start(0)
	until(t, "the first runs", func() bool { return strings.Contains(first.text(), "msg=running") })
	add(3)
	evaluated := func() bool {
		out, _ := noroshi("status", "--config", filepath.Join(dir, "instance0.yaml")).Output() // it may not be there yet
		m := regexp.MustCompile(` (\d+) events`).FindSubmatch(out)
		if m == nil {
			return false
		}
		events, err := strconv.Atoi(string(m[1])) // more where a session began anew
		return err == nil && events >= n
	}
	until(t, "all is evaluated", evaluated)
	second := start(1)
	until(t, "the second waits for rules", func() bool {
		return strings.Contains(second.text(), "a partition waits for rules that another instance has")
	})
	if err := os.WriteFile(filepath.Join(dir, "instance1/guessing.yaml"), []byte(files["instance0/guessing.yaml"]), 0o600); err != nil {
		t.Fatal(err)
	}
	until(t, "the second has the rules", func() bool { return strings.Contains(second.text(), `msg="rules loaded again"`) })
	add(1)
	to, err := bus.Connect(broker.Config("noroshi.", 4))
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	told := func(count int) func() bool {
		return func() bool {
			told, mark := map[string]bool{}, fmt.Appendf(nil, `"count":%d`, count)
			err := to.All(t.Context(), bus.Alerts, func(r bus.Record) error {
				if bytes.Contains(r.Value, []byte(`"rule":{"id":"guessing"`)) && bytes.Contains(r.Value, mark) {
					told[string(r.Key)] = true
				}
				return nil
			})
			return err == nil && len(told) == memoryUsers
		}
	}
	until(t, "each account is told", told(4))
	endsWhileTheGroupWaits(t, to, first, second, func() { add(4) })
	ended := first.text()
	first.start(t)
	untilWithin(t, 3*time.Minute, "each account is told with what came at the end", told(8)) // the transactions of the dead one end first
	first.end(t)
	if strings.Contains(first.text()+second.text()+ended, "is dropped") {
		t.Error("memory was dropped")
	}
}

// endsWhileTheGroupWaits kills one instance for good, whose place in the group is kept for as long as its session lasts. Somebody joins the
// group, which waits for the dead one, and the other instance is ended meanwhile, with records that are not stored. It ends by itself.
func endsWhileTheGroupWaits(t *testing.T, b *bus.Bus, ends, dies *process, add func()) {
	t.Helper()
	dies.kill(t)
	var over atomic.Bool
	joined, err := b.Flow(bus.Step{Topic: bus.Events, Group: "detector", State: bus.DetectorState, Instance: "stranger", Exactly: true,
		Take: func(context.Context, int32, bus.Stored) error { over.Store(true); return nil }, Left: func([]int32) {}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, leave := context.WithCancel(t.Context())
	left := make(chan struct{})
	go func() {
		defer close(left)
		for ctx.Err() == nil {
			_, _ = joined.Poll(ctx, 1) // it stores nothing
		}
		joined.Quit(t.Context())
	}()
	until(t, "the group waits for the one that is dead", func() bool {
		_, sharing, err := b.Sharing(t.Context(), "detector")
		return over.Load() || err == nil && sharing
	})
	add()
	backlog, since := b.Backlog(bus.Events, "detector"), time.Now()
	until(t, "the other one stores nothing", func() bool { // it has heard that the group shares out, and waits, too
		if waiting, _, err := backlog.Look(t.Context()); err != nil || waiting == 0 {
			since = time.Now()
		}
		return over.Load() || time.Since(since) > 2*time.Second
	})
	if over.Load() {
		t.Log("the machine is slow: the group does not wait any more")
	}
	ends.end(t)
	leave()
	<-left
}
