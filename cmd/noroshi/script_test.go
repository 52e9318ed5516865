package main

import (
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	if os.Getenv(child) != "" {
		if dir := os.Getenv(heapDir); dir != "" {
			go watchHeap(dir)
		}
		main()
	}
	testscript.Main(m, map[string]func(){"noroshi": main})
}

// TestScripts are what users see, command by command.
func TestScripts(t *testing.T) {
	commands := map[string]func(*testscript.TestScript, bool, []string){"waitfor": waitFor, "waitstatus": waitStatus, "waitsays": waitSays, "waitfail": waitFail, "feeduntil": feedUntil,
		"latin1": latin1, "mmdb": mmdb, "agree": agree}
	testscript.Run(t, testscript.Params{Dir: "testdata/script", UpdateScripts: os.Getenv("NOROSHI_UPDATE") != "", Cmds: commands})
}

// waitFor waits until a file holds a text: waitfor FILE TEXT.
func waitFor(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: waitfor FILE TEXT")
	}
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if b, err := os.ReadFile(ts.MkAbs(args[0])); err == nil && strings.Contains(string(b), args[1]) {
			return
		}
	}
	ts.Fatalf("%s never holds %q", args[0], args[1])
}

// feedUntil adds a line to a log again and again, with another number in place of NNN each time, until a file holds a text:
// feeduntil FILE TEXT LOG TEMPLATE.
func feedUntil(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 4 {
		ts.Fatalf("usage: feeduntil FILE TEXT LOG TEMPLATE")
	}
	log, err := os.Create(ts.MkAbs(args[2]))
	ts.Check(err)
	defer log.Close()
	line := ts.ReadFile(args[3])
	for n, deadline := 1, time.Now().Add(time.Minute); time.Now().Before(deadline); n, _ = n+1, <-time.After(200*time.Millisecond) {
		_, err := log.WriteString(strings.ReplaceAll(line, "NNN", strconv.Itoa(n)))
		ts.Check(err)
		if b, err := os.ReadFile(ts.MkAbs(args[0])); err == nil && strings.Contains(string(b), args[1]) {
			return
		}
	}
	ts.Fatalf("%s never holds %q", args[0], args[1])
}

// waitStatus waits until the status of a run holds a text: waitstatus DATA TEXT [--json].
func waitStatus(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: waitstatus DATA TEXT [--json]")
	}
	waitSays(ts, neg, append([]string{args[1], "noroshi", "status", "--data", args[0]}, args[2:]...))
}

// waitSays runs a command until it ends well and its output holds a text: waitsays TEXT COMMAND ARGUMENT....
func waitSays(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: waitsays TEXT COMMAND ARGUMENT...")
	}
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		if err := ts.Exec(args[1], args[2:]...); err == nil && strings.Contains(ts.ReadFile("stdout"), args[0]) {
			return
		}
	}
	ts.Fatalf("%s never says %q", strings.Join(args[1:], " "), args[0])
}

// waitFail runs a command until it fails and its output holds a text: waitfail TEXT COMMAND ARGUMENT....
func waitFail(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: waitfail TEXT COMMAND ARGUMENT...")
	}
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		if err := ts.Exec(args[1], args[2:]...); err != nil && strings.Contains(ts.ReadFile("stdout"), args[0]) {
			return
		}
	}
	ts.Fatalf("%s never fails with %q", strings.Join(args[1:], " "), args[0])
}

// latin1 writes a file, which is UTF-8, again as ISO 8859-1: latin1 FILE.
func latin1(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: latin1 FILE")
	}
	var b []byte
	for _, c := range ts.ReadFile(args[0]) {
		b = append(b, byte(c))
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b, 0o600))
}

// agree compares the alerts of two files, each in its last revision, but for what differs between a run and a replay: agree FILE FILE.
func agree(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: agree FILE FILE")
	}
	var all [2]map[string]map[string]any
	for i, name := range args {
		all[i] = map[string]map[string]any{}
		for line := range strings.Lines(ts.ReadFile(name)) {
			var a map[string]any
			if err := json.Unmarshal([]byte(line), &a); err != nil {
				ts.Fatalf("%s: %v", name, err)
			}
			for _, key := range []string{"revision", "late", "times"} {
				delete(a, key)
			}
			all[i][a["id"].(string)] = a // the last one stays
		}
	}
	if d := cmp.Diff(all[0], all[1]); d != "" || len(all[0]) == 0 {
		ts.Fatalf("%d alerts; they differ:\n%s", len(all[0]), d)
	}
}
