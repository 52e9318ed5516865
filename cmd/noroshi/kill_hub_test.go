package main

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"noroshi/internal/bus"
	"noroshi/internal/eventhubstest"
)

// stored gives the ids of the events of a data folder by their partition of the hub, in the order in which readers of what is
// committed see them.
func stored(t *testing.T, data string) map[string][]string {
	t.Helper()
	e, err := bus.StartEmbedded(bus.EmbeddedOptions{Dir: data, Prefix: "noroshi.", Partitions: 4, Cap: 1 << 30, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	b, err := bus.Connect(e.Config())
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	return eventsOn(t, b)
}

// eventsOn gives the ids of the events on a Kafka by their partition of the hub.
func eventsOn(t *testing.T, b *bus.Bus) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := b.All(ctx, bus.Events, func(r bus.Record) error {
		if r.Header("schema") != "" { // a tick
			return nil
		}
		id := r.Header("id")
		p, _, _ := strings.Cut(id, "/")
		all[p] = append(all[p], id)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

// TestKilledAgainAndAgainEachMessageIsStoredOnce: noroshi run is killed 30 times while it carries an event hub, and the hub's
// connections are cut; in the end each record lies on the topic once, those of an account in order.
func TestKilledAgainAndAgainEachMessageIsStoredOnce(t *testing.T) {
	const kills, partitions = 30, 4
	hub := eventhubstest.Start(t, eventhubstest.Config{})
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	conf := filepath.Join(dir, "noroshi.yaml")
	const text = "sources: [{eventhub: {name: audit, connection_string: '${file:cs}'}}]\n"
	writeFiles(t, dir, map[string]string{"cs": hub.ConnectionString("audit"), "noroshi.yaml": text})
	start := func(conf string) *process {
		p := &process{args: []string{"run", "--config", conf, "--data", data}, said: filepath.Join(dir, "stderr")}
		p.start(t)
		return p
	}
	var sent [partitions]int64
	add := func() {
		for p := range partitions {
			n := sent[p]
			body := fmt.Sprintf(`{"records":[%s,%s]}`, audited(p, n), audited(p, n+1))
			if _, err := hub.Append("audit", strconv.Itoa(p), eventhubstest.Event{Body: []byte(body)}); err != nil {
				t.Fatal(err)
			}
			sent[p] = n + 2
		}
	}
	random := rand.New(rand.NewPCG(11, 11))
	for range kills {
		p := start(conf)
		until := time.Now().Add(time.Duration(100+random.IntN(500)) * time.Millisecond)
		for i := 0; time.Now().Before(until); i++ {
			add()
			if i%20 == 19 {
				hub.Cut()
			}
			time.Sleep(5 * time.Millisecond)
		}
		p.kill(t)
	}
	total := 0
	for p := range partitions {
		total += int(sent[p])
	}
	// What is left is carried by runs that end as they should. They do not wait for the disk: how busy it is, is not theirs to say.
	last := filepath.Join(dir, "last.yaml")
	if err := os.WriteFile(last, []byte(text+"kafka: {sync: false}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var got map[string][]string
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		p := start(last)
		for !strings.Contains(p.text(), "msg=running") && time.Now().Before(deadline) {
			time.Sleep(20 * time.Millisecond)
		}
		time.Sleep(2 * time.Second) // it carries meanwhile; what is left is for the next
		p.end(t)
		got = stored(t, data)
		have := 0
		for _, ids := range got {
			have += len(ids)
		}
		if have >= total {
			break
		}
	}
	for p := range partitions {
		ids := got[strconv.Itoa(p)]
		for n := range sent[p] {
			if int(n) >= len(ids) || ids[n] != fmt.Sprintf("%d/%d", p, n) {
				t.Errorf("partition %d: %d of %d records; at %d stands %q", p, len(ids), sent[p], n, at(ids, int(n)))
				break
			}
		}
		if int64(len(ids)) != sent[p] {
			t.Errorf("partition %d: %d of %d records", p, len(ids), sent[p])
		}
	}
	t.Logf("%d kills, %d records, each once and in order", kills, total)
}

func at(ids []string, n int) string {
	if n >= len(ids) {
		return "nothing"
	}
	return ids[n]
}

// audited is a record of one account for each partition of the hub: one account's records keep their order.
func audited(partition int, n int64) string {
	return fmt.Sprintf(`{"CreationTime":"2026-01-02T%02d:%02d:%02d","Id":"%d/%d","Operation":"Set-Mailbox","RecordType":1,"OrganizationId":"t-1","ResultStatus":"True","UserType":0,"UserId":"user%d@contoso.example","Workload":"Exchange","Parameters":[]}`,
		n/3600%24, n/60%60, n%60, partition, n, partition)
}
