//go:build unix

package main

import (
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"noroshi/internal/eventhubstest"
	"noroshi/internal/kafkatest"
)

// TestThreeProcessesFindWhatOneFinds: one process reads an event hub, one evaluates, one delivers. Each has what its role needs and no more.
// What comes to the webhook is what a replay of the same records gives, each revision once.
func TestThreeProcessesFindWhatOneFinds(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts a Kafka and three processes")
	}
	broker := kafkatest.Apache(t)
	hub := eventhubstest.Start(t, eventhubstest.Config{})
	r := &told{}
	srv := httptest.NewServer(r)
	defer srv.Close()
	dir := t.TempDir()
	remembers(t, dir)
	writeFiles(t, dir, map[string]string{"all.yaml": fmt.Sprintf(`kafka: {brokers: ["%s"], partitions: 4}
sources: [{eventhub: {name: audit, connection_string: '${env:NOROSHI_TEST_HUB}'}}]
rules: [rules]
lateness: {entra.*: {keep: 5d}} # records are of the last day
sinks: [{name: hook, webhook: {url: "%s", secrets: ['${env:NOROSHI_TEST_HOOK}'], allow_private: true, allow_http: true}}]
`, broker.Address, srv.URL)})
	var all []*process
	for _, one := range []struct{ role, secret string }{
		{"ingest", "NOROSHI_TEST_HUB=" + hub.ConnectionString("audit")}, {"detect", "NOROSHI_TEST_NONE="}, {"deliver", "NOROSHI_TEST_HOOK=" + secret},
	} {
		p := &process{args: []string{"run", "--config", filepath.Join(dir, "all.yaml"), "--role", one.role}, said: filepath.Join(dir, "stderr-"+one.role),
			environment: []string{one.secret}}
		p.start(t)
		defer func() { _ = p.cmd.Process.Kill() }() // it may have ended
		all = append(all, p)
		until(t, "it runs", func() bool { return strings.Contains(p.text(), "msg=running roles=["+one.role+"]") })
	}
	log, err := os.Create(filepath.Join(dir, "signins.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	random := rand.New(rand.NewPCG(3, 3))
	for i := range often(1500, 15_000) { // of less time than neighbours are kept: partitions of a hub are not read evenly
		record := signInOf(i, random)
		if _, err := log.WriteString(record + "\n"); err != nil {
			t.Fatal(err)
		}
		if _, err := hub.Append("audit", strconv.Itoa(i%memoryUsers%4), eventhubstest.Event{Body: []byte(record)}); err != nil {
			t.Fatal(err)
		}
	}
	want := rememberedBy(t, filepath.Join(dir, "rules"), log.Name())
	until(t, "all alerts are delivered", func() bool { return r.count() >= len(want) })
	status := func() string {
		out, _ := noroshi("status", "--config", filepath.Join(dir, "all.yaml")).Output() // what it lacks is in what it prints
		return string(out)
	}
	until(t, "the status shows the roles", func() bool {
		said := status()
		return strings.Contains(said, " (ingest): running") && strings.Contains(said, " (detect): running") && strings.Contains(said, " (deliver): running") &&
			!strings.Contains(said, "no running instance")
	})
	all[2].end(t)
	until(t, "the status tells which role nobody has", func() bool {
		return strings.Contains(status(), "no running instance has the role deliver: alerts are not delivered")
	})
	all[0].end(t)
	all[1].end(t)
	if repeats := r.compare(t, want); repeats > 0 {
		t.Errorf("%d revisions were told again", repeats)
	}
	t.Logf("%d alerts", len(want))
	if t.Failed() {
		for _, p := range all {
			t.Log(p.text())
		}
	}
}
