package main

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestTheTakeoverIsFoundWhicheverIsKilled: dev o365 serves the records of a takeover little by little, and a run reads them. Each of the two is
// killed at any moment and started again; in the end that is found what a replay finds.
func TestTheTakeoverIsFoundWhicheverIsKilled(t *testing.T) {
	kills := 4
	if os.Getenv("NOROSHI_SOAK") != "" {
		kills = 40
	}
	dir := t.TempDir()
	records, err := filepath.Abs("../../cli/demo/takeover.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	want := rulesOf(t, noroshiOutput(t, "replay", "--json", records))
	if len(want) < 10 {
		t.Fatalf("a replay finds %v: too little to prove anything", want)
	}
	folder := filepath.Join(dir, "log")
	api := &process{args: []string{"dev", "o365", "--records", records, "--now", "--blob", "2", "--rate", "5", "--listen", freeAddress(t), "--folder", folder}, said: filepath.Join(dir, "api")}
	run := &process{args: []string{"run", "--config", filepath.Join(folder, "mine.yaml"), "--data", filepath.Join(dir, "data")}, said: filepath.Join(dir, "run")}
	// A story that crosses the full hour is told in two alerts by rules that tell one for each hour; the replayed one does not cross it.
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	writeFiles(t, folder, map[string]string{"now": time.Now().UTC().Truncate(time.Hour).Add(-30*time.Minute).Format(time.RFC3339) + "\n"})
	both := []*process{api, run}
	for _, p := range both {
		t.Cleanup(func() {
			if p.cmd != nil {
				_ = p.cmd.Process.Kill() // it may have ended
			}
		})
	}
	api.start(t)
	comesTo(t, api, "it serves", 20*time.Millisecond, func() bool { return strings.Contains(api.text(), "Ctrl-C ends it") })
	made, err := os.ReadFile(filepath.Join(folder, "noroshi.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	writeFiles(t, folder, map[string]string{"mine.yaml": strings.Replace(string(made), "stdout: {}", "file: {path: alerts.ndjson}", 1)})
	random := rand.New(rand.NewPCG(1, 6))
	run.start(t)
	for i := range kills {
		time.Sleep(time.Duration(random.IntN(2000)) * time.Millisecond)
		p := both[i%2]
		p.kill(t)
		time.Sleep(time.Duration(random.IntN(500)) * time.Millisecond)
		p.start(t)
	}
	got := map[string]int{}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log("found less or more than a replay:", cmp.Diff(got, want))
		}
	})
	comesTo(t, run, "all is found", 200*time.Millisecond, func() bool {
		b, err := os.ReadFile(filepath.Join(folder, "alerts.ndjson"))
		if err == nil {
			got = rulesOf(t, string(b))
		}
		return maps.Equal(got, want)
	})
	run.end(t)
	api.end(t)
	t.Logf("%d kills; found is %v", kills, got)
}

// noroshiOutput is what a command prints.
func noroshiOutput(t *testing.T, args ...string) string {
	t.Helper()
	out, err := noroshi(args...).Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// rulesOf says how many alerts each rule has given. A last line that is not whole is left out.
func rulesOf(t *testing.T, text string) map[string]int {
	t.Helper()
	all, rules := map[string]string{}, map[string]int{}
	for line := range strings.Lines(text) {
		var a struct {
			ID   string
			Rule struct{ ID string }
		}
		if !strings.HasSuffix(line, "\n") || json.Unmarshal([]byte(line), &a) != nil {
			continue
		}
		all[a.ID] = a.Rule.ID
	}
	for _, rule := range all {
		rules[rule]++
	}
	return rules
}

// freeAddress is one of loopback that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
