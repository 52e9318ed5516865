//go:build unix

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A run, whatever it waits for, ends within this time of the first signal, and within the other of the second.
const (
	first  = 20 * time.Second
	second = time.Second
)

// atOnce sends the second signal to a run that is ending. On a machine that has much to do it is tried with up to three runs.
func atOnce(t *testing.T, s syscall.Signal, begin func() *ending) {
	t.Helper()
	var took time.Duration
	for range 3 {
		r := begin()
		notice(t, r, s)
		began := time.Now()
		if code := r.signal(t, s, first); code != 128+int(s) {
			t.Fatalf("exit code %d after the second signal", code)
		}
		if took = time.Since(began); took <= second {
			return
		}
	}
	t.Errorf("ended %v after the second signal, want at most %v", took, second)
}

// watch starts a run in a folder and waits until it is running. The configuration is written first, and what it refers to.
func watch(t *testing.T, dir, conf string, more ...string) *ending {
	t.Helper()
	more = append(more, "noroshi.yaml", conf)
	for i := 0; i < len(more); i += 2 {
		if err := os.WriteFile(filepath.Join(dir, more[i]), []byte(more[i+1]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := noroshi("run", "--config", filepath.Join(dir, "noroshi.yaml"), "--data", filepath.Join(dir, "data"))
	if strings.Contains(conf, "stdout:") {
		if _, err := c.StdoutPipe(); err != nil { // which nobody reads
			t.Fatal(err)
		}
	}
	e := begin(t, c)
	until(t, "it runs", func() bool { return strings.Contains(e.said.String(), "msg=running") })
	return e
}

// write adds records to the log, each of which fires a rule.
func write(t *testing.T, dir string, from, to int) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(dir, "audit.ndjson"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for i := from; i < to; i++ {
		if _, err := f.WriteString(audit(10 * i)); err != nil {
			t.Fatal(err)
		}
	}
}

func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	untilWithin(t, time.Minute, what, holds)
}

func untilWithin(t *testing.T, most time.Duration, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(most); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

// lines are those of a file, each once.
func lines(path string) map[string]bool {
	b, _ := os.ReadFile(path) // it may not be there yet
	all := map[string]bool{}
	for line := range strings.Lines(string(b)) {
		var a struct{ ID string }
		if json.Unmarshal([]byte(line), &a) == nil {
			all[a.ID] = true
		}
	}
	return all
}

const fileSource = "sources: [{file: {paths: [audit.ndjson], poll: 20ms}}]\n"

// TestARunEndsWhateverItWaitsFor: Kafka, a sink, an event hub or a reader of its output that does not answer. What was under way comes
// again at the next start.
func TestARunEndsWhateverItWaitsFor(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes 20 s")
	}
	t.Run("a broker that is held", func(t *testing.T) {
		t.Parallel()
		heldBroker(t)
	})
	t.Run("a webhook that does not answer", func(t *testing.T) {
		t.Parallel()
		silentHook(t)
	})
	t.Run("an event hub that does not answer", func(t *testing.T) {
		t.Parallel()
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close() // connections wait in its queue
		r := watch(t, t.TempDir(), fmt.Sprintf(`sources:
  - eventhub: {connection_string: "${file:key}", hub: audit, endpoint: "%s"}
`, l.Addr()), "key", "Endpoint=sb://n.example.com/;SharedAccessKeyName=n;SharedAccessKey=a2V5")
		time.Sleep(500 * time.Millisecond)
		r.signal(t, syscall.SIGTERM, first)
	})
	t.Run("an output that nobody reads", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		write(t, dir, 0, 500)
		r := watch(t, dir, fileSource+"sinks: [{name: out, stdout: {}}]\n")
		time.Sleep(2 * time.Second) // by then the pipe is full
		if code := r.signal(t, os.Interrupt, first); code != 1 || !strings.Contains(r.said.String(), "delivery has not ended") {
			t.Errorf("exit code %d:\n%s", code, r.said.String())
		}
	})
}

// notice sends a signal and waits until it is noticed: two signals at once are one.
func notice(t *testing.T, r *ending, s os.Signal) {
	t.Helper()
	if err := r.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
	until(t, "it ends", func() bool { return strings.Contains(r.said.String(), "a second signal ends at once") })
}

func silentHook(t *testing.T) {
	release, asked := make(chan struct{}), make(chan string, 100)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		_, _ = io.Copy(io.Discard, req.Body)
		asked <- req.Header.Get("webhook-id")
		<-release
		w.WriteHeader(http.StatusNoContent)
	}))
	defer srv.Close()
	dir := t.TempDir()
	conf := fileSource + fmt.Sprintf(`sinks: [{name: hook, webhook: {url: "%s", secrets: ["${file:key}"], allow_private: true, allow_http: true}}]`+"\n", srv.URL)
	write(t, dir, 0, 1)
	r := watch(t, dir, conf, "key", secret)
	before := <-asked
	r.signal(t, syscall.SIGTERM, first)
	atOnce(t, syscall.SIGINT, func() *ending {
		r := watch(t, dir, conf, "key", secret)
		if again := <-asked; again != before {
			t.Errorf("%s comes again as %s", before, again)
		}
		return r
	})
	close(release)
}

func heldBroker(t *testing.T) {
	base := t.TempDir()
	write(t, base, 0, 0)
	broker := watch(t, base, fileSource)
	defer func() { _ = broker.Process.Signal(syscall.SIGCONT) }()
	var at struct{ Address, User, Password string }
	b, err := os.ReadFile(filepath.Join(base, "data", "broker.json"))
	if err == nil {
		err = json.Unmarshal(b, &at)
	}
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	conf := fmt.Sprintf(`kafka: {brokers: ["%s"], prefix: other., partitions: 1, sasl: {mechanism: scram-sha-512, user: %s, password: "${file:key}"}}
%ssinks: [{name: out, file: {path: alerts.ndjson}}]
`, at.Address, at.User, fileSource)
	out := filepath.Join(dir, "alerts.ndjson")
	write(t, dir, 0, 50)
	r := watch(t, dir, conf, "key", at.Password)
	until(t, "50 alerts", func() bool { return len(lines(out)) == 50 })
	n := 50
	// In the middle of records each stage has something under way: a transaction, alerts, positions.
	hold := func() {
		for before, deadline := len(lines(out)), time.Now().Add(time.Minute); len(lines(out)) < before+50; n += 10 {
			if time.Now().After(deadline) {
				t.Fatal("no alerts come")
			}
			write(t, dir, n, n+10)
		}
		if err := broker.Process.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		write(t, dir, n, n+50)
		n += 50
	}
	hold()
	questionsEnd(t, base)
	if code := r.signal(t, syscall.SIGTERM, first); code != 1 || strings.Contains(r.said.String(), "has not ended") {
		t.Errorf("exit code %d, and something goes on behind the end:\n%s", code, r.said.String())
	}
	atOnce(t, syscall.SIGTERM, func() *ending {
		if err := broker.Process.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		r := watch(t, dir, conf, "key", at.Password)
		until(t, "all alerts", func() bool { return len(lines(out)) == n })
		hold()
		return r
	})
}

// questionsEnd asks a broker that is held, and ends each question by a signal. On a machine that has much to do it is tried three times.
func questionsEnd(t *testing.T, dir string) {
	t.Helper()
	const soon = 4 * time.Second // the client gives up after 10 s
	for _, args := range [][]string{{"status"}, {"dead-letters", "list"}, {"dead-letters", "replay", "--all"}} {
		var took time.Duration
		for range 3 {
			e := begin(t, noroshi(append(args, "--data", filepath.Join(dir, "data"))...))
			time.Sleep(500 * time.Millisecond) // by then it waits
			began := time.Now()
			if code := e.signal(t, os.Interrupt, first); code != 1 || e.said.String() != "noroshi: interrupted\n" {
				t.Errorf("%q: exit code %d, %s", args, code, e.said.String())
			}
			if took = time.Since(began); took <= soon {
				break
			}
		}
		if took > soon {
			t.Errorf("%q ends %v after the signal", args, took)
		}
	}
}
