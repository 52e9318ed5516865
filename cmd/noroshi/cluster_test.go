//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"noroshi/internal/eventhubstest"
	"noroshi/internal/kafkatest"
)

// TestCluster is make cluster: three brokers, one process that reads, three that evaluate and two that deliver. While a take-over and sign-ins
// are read, one process of each role and one broker are killed. The take-over is found, and each alert that a replay gives is delivered.
func TestCluster(t *testing.T) {
	if os.Getenv("NOROSHI_CLUSTER") == "" {
		t.Skip("it starts nine processes; make cluster runs it")
	}
	brokers := kafkatest.ApacheOf(t, 3)
	hub := eventhubstest.Start(t, eventhubstest.Config{})
	r := &clusterTold{}
	srv := httptest.NewServer(r)
	defer srv.Close()
	dir := t.TempDir()
	remembers(t, dir)
	var addresses []string
	for _, b := range brokers {
		addresses = append(addresses, strconv.Quote(b.Address))
	}
	writeFiles(t, dir, map[string]string{"cs": hub.ConnectionString("audit"), "takeover": takeover(t), "hook": secret,
		"noroshi.yaml": fmt.Sprintf(`kafka: {brokers: [%s], partitions: 6}
sources:
  - eventhub: {name: audit, connection_string: '${file:cs}'}
  - eventhub: {name: takeover, connection_string: '${file:takeover}'}
rules: [rules]
lateness: {entra.*: {keep: 5d}} # records are of the last day
sinks: [{name: hook, webhook: {url: "%s", secrets: ['${file:hook}'], allow_private: true, allow_http: true}}]
`, strings.Join(addresses, ", "), srv.URL)})
	all := map[string][]*process{}
	for _, role := range []string{"ingest", "detect", "detect", "detect", "deliver", "deliver"} {
		p := &process{args: []string{"run", "--config", filepath.Join(dir, "noroshi.yaml"), "--role", role}, said: filepath.Join(dir, fmt.Sprint("stderr-", role, len(all[role])))}
		p.start(t)
		defer func() { _ = p.cmd.Process.Kill() }() // it may have ended
		all[role] = append(all[role], p)
		t.Cleanup(func() {
			if t.Failed() {
				t.Logf("%s: %s", p.said, p.tail())
			}
		})
	}
	for _, some := range all {
		for _, p := range some {
			until(t, "it runs", func() bool { return strings.Contains(p.text(), "msg=running") })
		}
	}
	random := rand.New(rand.NewPCG(3, 3))
	var log strings.Builder
	add := func(from, to int) {
		t.Helper()
		for i := from; i < to; i++ {
			record := signInOf(i, random)
			log.WriteString(record + "\n")
			if _, err := hub.Append("audit", strconv.Itoa(i%memoryUsers%4), eventhubstest.Event{Body: []byte(record)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	const part = 400
	add(0, part)
	for n, what := range []string{"ingest", "detect", "deliver"} {
		all[what][0].kill(t)
		add((n+1)*part, (n+2)*part)
		if what == "ingest" { // the others go on without the one that was killed
			all[what][0].start(t)
		}
	}
	brokers[0].Kill()
	add(4*part, 5*part)
	brokers[0].Start(t)
	add(5*part, 6*part)
	writeFiles(t, dir, map[string]string{"signins.ndjson": log.String()})
	want := rememberedBy(t, filepath.Join(dir, "rules"), filepath.Join(dir, "signins.ndjson"))
	until(t, "all alerts are delivered", func() bool { return r.others.count() >= len(want) })
	until(t, "the take-over is found", func() bool {
		return r.tells("inbox-rule-hides-mail", "inbox-rule-after-suspect-sign-in", "mailbox-forwarding-outside")
	})
	for role, some := range all {
		for i, p := range some {
			if i > 0 || role == "ingest" {
				p.end(t)
			}
		}
	}
	repeats := r.others.compare(t, want)
	t.Logf("%d alerts, %d told again with the same id; the take-over gave %v", len(want), repeats, r.rules)
}

// takeover serves the records of the demonstration as of now, and gives how to connect to them.
func takeover(t *testing.T) string {
	t.Helper()
	records, err := os.ReadFile("../../cli/demo/takeover.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	writeFiles(t, dir, map[string]string{"takeover.ndjson": strings.ReplaceAll(string(records), "203.0.113.66", "198.51.100.66")}) // the sign-ins have the others
	serve := noroshi("dev", "eventhub", "--records", filepath.Join(dir, "takeover.ndjson"), "--now", "--listen", freeAddress(t))
	out, err := serve.StdoutPipe()
	if err == nil {
		err = serve.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(serve) })
	text := make([]byte, 4096)
	n, err := out.Read(text)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(text[:n]))
}

func stop(c *exec.Cmd) {
	_ = c.Process.Kill() // it may have ended
	_ = c.Wait()         // it was killed
}

// takeoverFrom is the address that takes over; rules by address tell it without the account.
const takeoverFrom = `"198.51.100.`

// clusterTold knows alerts of the account that is taken over from others.
type clusterTold struct {
	others told

	mu    sync.Mutex
	rules map[string]int
}

func (c *clusterTold) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	var page struct {
		Data struct {
			Account string
			Rule    struct{ ID string }
		}
	}
	if err == nil {
		err = json.Unmarshal(body, &page)
	}
	if err != nil || page.Data.Account != "taro@contoso.example" && !bytes.Contains(body, []byte(takeoverFrom)) {
		req.Body = io.NopCloser(bytes.NewReader(body))
		c.others.ServeHTTP(w, req)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.rules == nil {
		c.rules = map[string]int{}
	}
	c.rules[page.Data.Rule.ID]++
	w.WriteHeader(http.StatusNoContent)
}

// tells reports whether alerts of all of these rules have come.
func (c *clusterTold) tells(rules ...string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, one := range rules {
		if c.rules[one] == 0 {
			return false
		}
	}
	return true
}
