package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// receivers are five destinations in one server, which fails now and then, and comes and goes.
type receivers struct {
	t       *testing.T
	address string
	srv     *http.Server

	mu     sync.Mutex
	random *rand.Rand
	got    map[string]map[string]int // by sink and id
	known  map[string]bool           // documents of elasticsearch
}

// begin listens where it listened before.
func (r *receivers) begin() {
	var l net.Listener
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		var err error
		if l, err = net.Listen("tcp", r.address); err == nil {
			break
		}
		if time.Now().After(deadline) {
			r.t.Fatal(err)
		}
	}
	r.address = l.Addr().String()
	r.srv = &http.Server{Handler: r, ReadHeaderTimeout: time.Minute}
	go func(s *http.Server) { _ = s.Serve(l) }(r.srv) // it ends when it is closed
}

// restart breaks off what is under way.
func (r *receivers) restart() {
	_ = r.srv.Close() // requests are broken off, which is what this is for
	r.begin()
}

func (r *receivers) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body := req.Body
	if req.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(req.Body)
		if err != nil {
			return
		}
		body = z
	}
	b, err := io.ReadAll(body)
	if err != nil { // a killed process breaks off
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	before, after := r.random.IntN(400) == 0, r.random.IntN(400) == 0
	if before {
		http.Error(w, "not now", http.StatusServiceUnavailable)
		return
	}
	answer := r.take(req, b)
	if after { // it is taken, and nobody hears of it
		http.Error(w, "lost", http.StatusBadGateway)
		return
	}
	_, _ = io.WriteString(w, answer) // the sink finds out
}

// take notes what has arrived, and gives the answer.
func (r *receivers) take(req *http.Request, b []byte) string {
	name := strings.SplitN(strings.TrimPrefix(req.URL.Path, "/"), "/", 2)[0]
	add := func(ids ...string) {
		for _, id := range ids {
			r.got[name][id]++
		}
	}
	switch name {
	case "hook":
		id, _, _ := strings.Cut(req.Header.Get("webhook-id"), "_1")
		add(id)
	case "pager":
		var e struct {
			Key string `json:"dedup_key"`
		}
		r.read(b, &e)
		add(e.Key)
		return `{"status":"success"}`
	case "alerts":
		var all []struct{ Labels map[string]string }
		r.read(b, &all)
		for _, a := range all {
			add(a.Labels["alert_id"])
		}
	case "splunk":
		d := json.NewDecoder(bytes.NewReader(b))
		for d.More() {
			var e struct{ Event struct{ ID string } }
			if err := d.Decode(&e); err != nil {
				r.t.Error(err)
				break
			}
			add(e.Event.ID)
		}
		return `{"text":"Success","code":0}`
	case "elastic":
		return r.bulk(b)
	}
	return "ok"
}

func (r *receivers) read(b []byte, to any) {
	if err := json.Unmarshal(b, to); err != nil {
		r.t.Errorf("%s: %v", b, err)
	}
}

// bulk creates documents; one that there is stays.
func (r *receivers) bulk(b []byte) string {
	var items []string
	errors := false
	lines := bufio.NewScanner(bytes.NewReader(b))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var action struct {
			Create struct {
				ID string `json:"_id"`
			}
		}
		r.read(lines.Bytes(), &action)
		lines.Scan() // the document
		status := http.StatusCreated
		if r.known[action.Create.ID] {
			status, errors = http.StatusConflict, true
		}
		r.known[action.Create.ID] = true
		id, _, _ := strings.Cut(action.Create.ID, "_1")
		r.got["elastic"][id] = 1
		items = append(items, fmt.Sprintf(`{"create":{"status":%d}}`, status))
	}
	return fmt.Sprintf(`{"errors":%t,"items":[%s]}`, errors, strings.Join(items, ","))
}

// counts are how many alerts each sink has got, and how many deliveries came again.
func (r *receivers) counts(file string) (alerts, again map[string]int) {
	alerts, again = map[string]int{}, map[string]int{}
	b, _ := os.ReadFile(file) // it comes with the first alert
	inFile := map[string]int{}
	for line := range bytes.Lines(b) {
		var a struct{ ID string }
		if json.Unmarshal(line, &a) == nil {
			inFile[a.ID]++
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.got["file"] = inFile
	for name, ids := range r.got {
		alerts[name] = len(ids)
		for _, n := range ids {
			again[name] += n - 1
		}
	}
	return alerts, again
}

// forwarded is a record of an account of its own that sets forwarding to a stranger.
func forwarded(n int) string {
	return fmt.Sprintf(`{"CreationTime":"2026-01-02T03:04:05","Id":"f-%d","Operation":"Set-Mailbox","OrganizationId":"t-1","RecordType":1,"UserType":0,"UserId":"user%d@contoso.example","Workload":"Exchange","ClientIP":"198.51.100.7","Parameters":[{"Name":"ForwardingSmtpAddress","Value":"drop%d@mail.example.net"}]}`, n, n, n)
}

const sixSinks = `sources: [{file: {paths: [audit.ndjson], poll: 10ms}}]
sinks:
  - {name: file, file: {path: alerts.ndjson}}
  - {name: hook, webhook: {url: "http://ADDRESS/hook", secrets: ["${file:secret}"], allow_private: true, allow_http: true}}
  - {name: pager, pagerduty: {url: "http://ADDRESS/pager", routing_key: "${file:key}", allow_private: true, allow_http: true}}
  - {name: alerts, alertmanager: {url: "http://ADDRESS/alerts", allow_private: true, allow_http: true}}
  - {name: splunk, splunk: {url: "http://ADDRESS/splunk", token: "${file:key}", allow_private: true, allow_http: true}}
  - {name: elastic, elasticsearch: {url: "http://ADDRESS/elastic", api_key: "${file:key}", allow_private: true, allow_http: true}}
`

// TestKilledAgainAndAgainSixSinksGetEverything: noroshi run, whose broker is in the process, is killed again and again, and destinations
// fail, restart, and take what they seem to refuse. In the end each of six sinks has every alert.
func TestKilledAgainAndAgainSixSinksGetEverything(t *testing.T) {
	all, n := often(400, 10_000), often(2, 25)
	if testing.Short() {
		t.Skip("it kills processes")
	}
	r := &receivers{t: t, address: "127.0.0.1:0", random: rand.New(rand.NewPCG(6, 6)), known: map[string]bool{}, got: map[string]map[string]int{}}
	for _, name := range []string{"hook", "pager", "alerts", "splunk", "elastic", "file"} {
		r.got[name] = map[string]int{}
	}
	r.begin()
	defer func() { r.srv.Close() }()
	dir := t.TempDir()
	writeFiles(t, dir, map[string]string{"audit.ndjson": "", "secret": secret, "key": "R0utingKey0123456789abcdefABCDEF", "noroshi.yaml": strings.ReplaceAll(sixSinks, "ADDRESS", r.address)})
	f, err := os.OpenFile(filepath.Join(dir, "audit.ndjson"), os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p := &process{args: []string{"run", "--config", filepath.Join(dir, "noroshi.yaml"), "--data", filepath.Join(dir, "data")}, said: filepath.Join(dir, "stderr")}
	file := filepath.Join(dir, "alerts.ndjson")
	written, began := 0, time.Now()
	for kill := range n {
		p.start(t)
		for end := all * (kill + 1) / n; written < end; written++ {
			if _, err := f.WriteString(forwarded(written) + "\n"); err != nil {
				t.Fatal(err)
			}
		}
		some := written * (1 + kill%3) / 4
		comesTo(t, p, "some sinks have got some alerts", 20*time.Millisecond, func() bool {
			alerts, _ := r.counts(file)
			return alerts["hook"] >= some || alerts["splunk"] >= some
		})
		r.restart()
		p.kill(t)
	}
	p.start(t)
	comesTo(t, p, "each sink has every alert", 100*time.Millisecond, func() bool {
		alerts, _ := r.counts(file)
		for _, have := range alerts {
			if have < all {
				return false
			}
		}
		return true
	})
	p.end(t)
	alerts, again := r.counts(file)
	for name, have := range alerts {
		if have != all {
			t.Errorf("%s has %d alerts, want %d", name, have, all)
		}
	}
	t.Logf("%d alerts, %d kills and restarts in %v: each sink has %v; again came %v", all, n, time.Since(began).Round(time.Second), alerts, again)
}
