//go:build unix

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"noroshi/internal/bus"
	"noroshi/internal/eventhubstest"
	"noroshi/internal/kafkatest"
)

// zombieFor is how long an instance is stopped: longer than its session in the group lasts.
const zombieFor = 14 * time.Second

// TestTwoInstancesAreKilledAndEachFindingIsToldOnce: two instances share an Apache Kafka and an event hub. They are killed again and again,
// and one is stopped for longer than its session lasts and then goes on. In the end each revision of each alert lies on the topic once,
// and the alerts are those that a replay of the same records gives.
func TestTwoInstancesAreKilledAndEachFindingIsToldOnce(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a minute")
	}
	n := kills(6)
	broker := kafkatest.Apache(t)
	hub := eventhubstest.Start(t, eventhubstest.Config{})
	dir := t.TempDir()
	remembers(t, dir)
	writeFiles(t, dir, map[string]string{"cs": hub.ConnectionString("audit"), "noroshi.yaml": fmt.Sprintf(`kafka: {brokers: ["%s"], partitions: 4}
sources: [{eventhub: {name: audit, connection_string: '${file:cs}'}}]
rules: [rules]
`, broker.Address)})
	log, err := os.Create(filepath.Join(dir, "signins.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	random, records := rand.New(rand.NewPCG(9, 9)), 0
	add := func(long time.Duration) {
		t.Helper()
		for until := time.Now().Add(long); time.Now().Before(until); time.Sleep(20 * time.Millisecond) {
			for range 10 {
				record := signInOf(records, random)
				if _, err := log.WriteString(record + "\n"); err != nil {
					t.Fatal(err)
				}
				if _, err := hub.Append("audit", strconv.Itoa(records%memoryUsers%4), eventhubstest.Event{Body: []byte(record)}); err != nil {
					t.Fatal(err)
				}
				records++
			}
		}
	}
	var all []*process
	for i := range 2 {
		p := &process{args: []string{"run", "--config", filepath.Join(dir, "noroshi.yaml")}, said: filepath.Join(dir, fmt.Sprint("stderr-", i))}
		p.start(t)
		defer func() { _ = p.cmd.Process.Kill() }() // it may have ended
		all = append(all, p)
	}
	to, err := bus.Connect(broker.Config("noroshi.", 4))
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	awaitAlerts(t, to, all, func(*told) bool { return true }) // the topic is there
	add(3 * time.Second)
	for i := range n {
		if i == n/2 {
			if err := all[0].cmd.Process.Signal(syscall.SIGSTOP); err != nil {
				t.Fatal(err)
			}
			add(zombieFor)
			if err := all[0].cmd.Process.Signal(syscall.SIGCONT); err != nil {
				t.Fatal(err)
			}
			add(2 * time.Second)
		}
		p := all[random.IntN(len(all))]
		p.kill(t)
		add(time.Duration(random.IntN(500)) * time.Millisecond)
		p.start(t)
		add(time.Duration(500+random.IntN(2500)) * time.Millisecond)
	}
	want := rememberedBy(t, filepath.Join(dir, "rules"), log.Name())
	awaitAlerts(t, to, all, func(r *told) bool { return len(r.got) >= len(want) })
	time.Sleep(2 * time.Second) // what is told twice may come later
	r := awaitAlerts(t, to, all, func(*told) bool { return true })
	for _, p := range all {
		p.end(t)
	}
	repeats := r.compare(t, want)
	if repeats > 0 {
		t.Errorf("%d revisions were told again", repeats)
	}
	t.Logf("%d kills and a zombie, %d records, %d alerts, %d revisions told again", n, records, len(want), repeats)
	if t.Failed() {
		for _, p := range all {
			t.Log(p.text())
		}
	}
}

// awaitAlerts reads the topic of alerts until there is enough, or for two minutes.
func awaitAlerts(t *testing.T, b *bus.Bus, all []*process, enough func(*told) bool) *told {
	t.Helper()
	var r *told
	var err error
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		r = &told{}
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		err = b.All(ctx, bus.Alerts, func(rec bus.Record) error {
			var a toldAlert
			if err := json.Unmarshal(rec.Value, &a); err != nil {
				return err
			}
			r.add(a)
			return nil
		})
		cancel()
		if err == nil && enough(r) {
			return r
		}
	}
	var said strings.Builder
	for _, p := range all {
		said.WriteString(p.text())
	}
	t.Errorf("there are %d alerts, %v\n%s", len(r.got), err, said.String())
	return r
}
