package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
)

var ids = regexp.MustCompile(`"(?i:id)": ?"`)

// inputs writes the inputs of all scripts into a folder.
func inputs(t *testing.T, dir string) (files []string) {
	scripts, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, script := range scripts {
		a, err := txtar.ParseFile(script)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range a.Files {
			if ext := filepath.Ext(f.Name); ext != ".ndjson" && ext != ".json" && ext != ".csv" {
				continue
			}
			name := strings.TrimSuffix(filepath.Base(script), ".txtar") + "-" + strings.ReplaceAll(f.Name, "/", "-")
			data := ids.ReplaceAll(f.Data, []byte("${0}"+name+"-")) // no record is one of another file
			if bytes.HasPrefix(data, []byte(`{"`)) {                // and none begins like another, whose copy run would take it for
				data = append([]byte(`{"Origin":"`+name+`",`), data[1:]...)
			}
			if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
				t.Fatal(err)
			}
			files = append(files, name)
		}
	}
	return files
}

// standing is a rule over alerts of rules that are exact for events in order alone. What it has told of an alert that moved stands.
const standing = "inbox-rule-after-suspect-sign-in"

// alertIDs are the ids of alerts and their summaries, from one object a line.
func alertIDs(t *testing.T, lines []byte) map[string]string {
	ids := map[string]string{}
	for line := range bytes.Lines(lines) {
		var a struct {
			ID      string
			State   string
			Summary string
			Rule    struct{ ID string }
		}
		if err := json.Unmarshal(line, &a); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if a.State != "" || a.Rule.ID == standing {
			continue // nobody is told, or live tells more
		}
		ids[a.ID] = a.Rule.ID + ": " + a.Summary
	}
	return ids
}

// quiet is a rule whose alerts are counted and not delivered.
const quiet = `id: quiet
title: Something happened
severity: low
state: shadow
when: event.action != ""
unless: [{because: Many accounts are left out, owner: soc, until: 2099-12-31, when: account startsWith "t"}]
`

// byRule are counts of which nobody is told.
type byRule struct {
	Shadow  map[string]int `json:"shadow_by_rule"`
	Excused map[string]int `json:"excused_by_rule"`
}

// statusOf is what the run on a data folder counts.
func statusOf(data string) (counts byRule, err error) {
	out, err := noroshi("status", "--json", "--data", data).Output()
	if err != nil {
		return counts, err
	}
	return counts, json.Unmarshal(out, &counts)
}

// TestRunReadsWhatReplayReads: of every input in the scripts, the live way makes the same alerts as replay, counts as many of rules in
// shadow and as many excused ones, and sets as many pieces aside.
func TestRunReadsWhatReplayReads(t *testing.T) {
	dir := t.TempDir()
	logs := filepath.Join(dir, "logs")
	if err := os.Mkdir(logs, 0o700); err != nil {
		t.Fatal(err)
	}
	files := inputs(t, logs)
	if err := os.WriteFile(filepath.Join(dir, "quiet.yaml"), []byte(quiet), 0o600); err != nil {
		t.Fatal(err)
	}
	replay := noroshi(append([]string{"replay", "--json", "--rules", filepath.Join(dir, "quiet.yaml"), "--stats", filepath.Join(dir, "stats")}, files...)...)
	replay.Dir = logs
	out, err := replay.Output()
	if err != nil {
		t.Fatalf("replay: %v", err)
	}
	want := alertIDs(t, out)
	var stats struct {
		Records, Undecodable int
		byRule
	}
	if b, err := os.ReadFile(filepath.Join(dir, "stats")); err != nil || json.Unmarshal(b, &stats) != nil {
		t.Fatalf("stats: %v", err)
	}
	if len(want) < 20 || stats.Undecodable == 0 || stats.Shadow["quiet"] == 0 || stats.Excused["quiet"] == 0 {
		t.Fatalf("too little to compare: %d alerts, %+v", len(want), stats)
	}
	conf := filepath.Join(dir, "noroshi.yaml")
	text := fmt.Sprintf("sources: [{file: {paths: [%q], poll: 20ms}}]\nrules: [quiet.yaml]\nsinks: [{name: out, file: {path: %q}}]\n", filepath.Join(logs, "*"), filepath.Join(dir, "alerts"))
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	run := noroshi("run", "--config", conf, "--data", filepath.Join(dir, "data"))
	run.Stderr = &said
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for deadline := time.Now().Add(time.Minute); len(got) < len(want) && time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		b, _ := os.ReadFile(filepath.Join(dir, "alerts"))
		got = alertIDs(t, b[:bytes.LastIndexByte(b, '\n')+1])
	}
	time.Sleep(12 * time.Second) // for what must not come, and until files whose end may not be whole are taken as they are
	var counted byRule
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Second) {
		if counted, err = statusOf(filepath.Join(dir, "data")); err == nil && cmp.Equal(counted, stats.byRule) || time.Now().After(deadline) {
			break
		}
	}
	if d := cmp.Diff(stats.byRule, counted); d != "" || err != nil {
		t.Errorf("replay and run count apart: %v %s", err, d)
	}
	_ = run.Process.Signal(os.Interrupt)
	if err := run.Wait(); err != nil {
		t.Errorf("run: %v\n%s", err, &said)
	}
	b, _ := os.ReadFile(filepath.Join(dir, "alerts"))
	if d := cmp.Diff(want, alertIDs(t, b)); d != "" {
		t.Errorf("replay and run differ: %s", d)
	}
	if aside := fmt.Sprintf("records=%d dead_letters=%d ", stats.Records-stats.Undecodable, stats.Undecodable); !strings.Contains(said.String(), aside) {
		t.Errorf("replay has %s, run says %s", aside, &said)
	}
}
