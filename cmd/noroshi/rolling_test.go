//go:build unix

package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
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
// still, takes some of its partitions over. That one waits, is given the rules, and goes on with the memory: nothing is forgotten.
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
	until(t, "each account is told", func() bool {
		told := map[string]bool{}
		err := to.All(t.Context(), bus.Alerts, func(r bus.Record) error {
			if bytes.Contains(r.Value, []byte(`"rule":{"id":"guessing"`)) && bytes.Contains(r.Value, []byte(`"count":4`)) {
				told[string(r.Key)] = true
			}
			return nil
		})
		return err == nil && len(told) == memoryUsers
	})
	for _, p := range all {
		p.end(t)
		if strings.Contains(p.text(), "is dropped") {
			t.Error("memory was dropped")
		}
	}
}
