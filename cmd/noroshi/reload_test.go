//go:build unix

package main

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestRulesAreReadAgainAgainAndAgainUnderLoad: while records are written, rules change fifty times: texts of rules that remember, and rules
// that come and go before them. In the end each revision of each alert was told once, and the alerts are those that a replay gives.
func TestRulesAreReadAgainAgainAndAgainUnderLoad(t *testing.T) {
	const reloads = 50
	r := &told{}
	srv := httptest.NewServer(r)
	defer srv.Close()
	dir := t.TempDir()
	remembers(t, dir)
	rules, log := filepath.Join(dir, "rules"), filepath.Join(dir, "signins.ndjson")
	writeFiles(t, dir, map[string]string{"signins.ndjson": "", "secret": secret, "noroshi.yaml": fmt.Sprintf(`sources: [{file: {paths: [signins.ndjson], poll: 10ms}}]
rules: [rules]
sinks: [{name: hook, webhook: {url: "%s", secrets: ["${file:secret}"], allow_private: true, allow_http: true}}]
`, srv.URL)})
	p := &process{args: []string{"run", "--config", filepath.Join(dir, "noroshi.yaml"), "--data", filepath.Join(dir, "data")},
		said: filepath.Join(dir, "stderr")}
	p.start(t)
	defer func() { _ = p.cmd.Process.Kill() }() // it may have ended
	until(t, "it runs", func() bool { return strings.Contains(p.text(), "msg=running") })
	stop, written := make(chan struct{}), make(chan error, 1)
	go func() { written <- writeSignIns(log, stop) }()
	for i := range reloads {
		changeRules(t, rules, i)
		if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		until(t, "rules are loaded again", func() bool { return strings.Count(p.text(), `msg="rules loaded again"`) > i })
	}
	close(stop)
	if err := <-written; err != nil {
		t.Fatal(err)
	}
	want := rememberedBy(t, rules, log)
	until(t, "all alerts are told", func() bool { return r.count() >= len(want) })
	p.end(t)
	if repeats := r.compare(t, want); repeats > 0 {
		t.Errorf("%d revisions were told again", repeats)
	}
	for _, bad := range []string{"level=ERROR", "begins anew", "is dropped"} {
		if strings.Contains(p.text(), bad) {
			t.Errorf("the log says %q", bad)
		}
	}
	t.Logf("%d reloads, %d alerts", reloads, len(want))
	if t.Failed() {
		t.Log(p.text())
	}
}

// writeSignIns writes records until it is stopped.
func writeSignIns(log string, stop <-chan struct{}) error {
	f, err := os.OpenFile(log, os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	random, records := rand.New(rand.NewPCG(7, 7)), 0
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			if records > 2000 {
				return nil
			}
			stop = nil
		case <-tick.C:
		}
		many := 10
		if records > 10_000 {
			many = 1 // the machine is slow
		}
		for range many {
			if _, err := f.WriteString(signInOf(records, random) + "\n"); err != nil {
				return err
			}
			records++
		}
		if stop == nil && records > 2000 {
			return nil
		}
	}
}

// changeRules writes one of the rules with another title, as editors do it, and lets another rule come or go.
func changeRules(t *testing.T, dir string, i int) {
	t.Helper()
	ids := slices.Sorted(maps.Keys(rememberingRules))
	id := ids[i%len(ids)]
	text := fmt.Sprintf("id: %s\ntitle: Title %d\nseverity: %s\n%s\n", id, i, []string{"low", "high"}[i%2], rememberingRules[id])
	file := filepath.Join(dir, id+".yaml")
	if err := os.WriteFile(file+".new", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		t.Fatal(err)
	}
	comes := filepath.Join(dir, "a-first.yaml")
	if i%2 == 1 {
		if err := os.Remove(comes); err != nil {
			t.Fatal(err)
		}
		return
	}
	text = "id: a-first\ntitle: It comes and goes\nseverity: low\nkind: threshold\nwhen: auth.result == \"locked\"\nwithin: 1h\ncount: 2\n"
	if err := os.WriteFile(comes, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
