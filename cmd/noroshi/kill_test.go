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
	"strings"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// child is what the test binary is when it runs as noroshi.
const child = "NOROSHI_TEST_CHILD"

// noroshi is a command of this binary as a process of its own.
func noroshi(args ...string) *exec.Cmd {
	c := exec.Command(os.Args[0], args...)
	c.Env = append(os.Environ(), child+"=1")
	return c
}

const secret = "whsec_a2lsbC10ZXN0LXNlY3JldC0wMTIzNDU2Nzg5YWJjZGVm"

// receiver counts what arrives, by alert id.
type receiver struct {
	t      *testing.T
	verify *standardwebhooks.Webhook
	mu     sync.Mutex
	got    map[string]int
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err == nil {
		err = r.verify.Verify(body, req.Header)
	}
	if err != nil { // a killed process breaks off in the middle of a request
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	id, _, _ := strings.Cut(req.Header.Get("webhook-id"), "_1")
	r.mu.Lock()
	defer r.mu.Unlock()
	r.got[id]++
	w.WriteHeader(http.StatusNoContent)
}

func (r *receiver) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.got)
}

// audit makes a record; every tenth sets forwarding to a stranger.
func audit(i int) string {
	op, to := "Set-Mailbox", "hanako@contoso.example"
	if i%10 == 0 {
		to = fmt.Sprintf("drop%d@mail.example.net", i)
	}
	return fmt.Sprintf(`{"CreationTime":"2026-01-02T%02d:%02d:%02d","Id":"k-%d","Operation":"%s","RecordType":1,"OrganizationId":"t-1","ResultStatus":"True","UserType":0,"UserId":"user%d@contoso.example","Workload":"Exchange","Parameters":[{"Name":"ForwardingSmtpAddress","Value":"smtp:%s"}]}`+"\n",
		i/3600%24, i/60%60, i%60, i, op, i%37, to)
}

// TestKilledAgainAndAgainNothingIsLost: noroshi run is killed 30 times while records are written; in the end every alert that a
// replay gives has arrived, and what arrived twice has the same id.
func TestKilledAgainAndAgainNothingIsLost(t *testing.T) {
	const kills = 30
	verify, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	r := &receiver{t: t, verify: verify, got: map[string]int{}}
	srv := httptest.NewServer(r)
	defer srv.Close()
	dir := t.TempDir()
	log := filepath.Join(dir, "audit.ndjson")
	conf := filepath.Join(dir, "noroshi.yaml")
	writeFiles(t, dir, map[string]string{"secret": secret, "noroshi.yaml": fmt.Sprintf(`sources: [{file: {paths: [audit.ndjson], poll: 10ms}}]
sinks: [{name: hook, webhook: {url: "%s", secrets: ["${file:secret}"], allow_private: true, allow_http: true}}]
`, srv.URL), "audit.ndjson": ""})
	f, err := os.OpenFile(log, os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p := &process{args: []string{"run", "--config", conf, "--data", filepath.Join(dir, "data")}, said: filepath.Join(dir, "stderr")}
	n, random := 0, rand.New(rand.NewPCG(7, 7))
	for range kills {
		p.start(t)
		until := time.Now().Add(time.Duration(100+random.IntN(500)) * time.Millisecond)
		for time.Now().Before(until) {
			for range 10 {
				if _, err := f.WriteString(audit(n)); err != nil {
					t.Fatal(err)
				}
				n++
			}
			time.Sleep(10 * time.Millisecond)
		}
		p.kill(t)
	}
	want := replayed(t, log)
	p.start(t)
	for deadline := time.Now().Add(time.Minute); (r.count() < len(want) || !strings.Contains(p.text(), "msg=running")) && time.Now().Before(deadline); {
		time.Sleep(20 * time.Millisecond)
	}
	p.end(t)
	deliveries := 0
	for id, times := range r.got {
		deliveries += times
		if !want[id] {
			t.Errorf("%s arrived and no replay gives it", id)
		}
	}
	for id := range want {
		if r.got[id] == 0 {
			t.Errorf("%s is missing", id)
		}
	}
	t.Logf("%d kills, %d records, %d alerts, 0 missing, %d deliveries", kills, n, len(want), deliveries)
	if t.Failed() {
		t.Log(p.text())
	}
}

// replayed are the ids that a replay gives.
func replayed(t *testing.T, path string) map[string]bool {
	t.Helper()
	c := noroshi("replay", "--json", path)
	out, err := c.Output()
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	for line := range bytes.Lines(out) {
		var a struct{ ID string }
		if err := json.Unmarshal(line, &a); err != nil {
			t.Fatal(err)
		}
		ids[a.ID] = true
	}
	if len(ids) < 50 {
		t.Fatalf("only %d alerts: too few to prove anything", len(ids))
	}
	return ids
}
