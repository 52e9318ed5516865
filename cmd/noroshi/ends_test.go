//go:build unix

package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// ending is a process that is to end.
type ending struct {
	*exec.Cmd
	said  spoken // on stderr; complete once it has ended
	ended chan error
}

// spoken is text that is read while it grows.
type spoken struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *spoken) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

func (s *spoken) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// begin starts a process, which does not survive the test.
func begin(t *testing.T, c *exec.Cmd) *ending {
	t.Helper()
	e := &ending{Cmd: c, ended: make(chan error, 1)}
	c.Stderr = &e.said
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { e.ended <- c.Wait() }()
	t.Cleanup(func() { _ = c.Process.Kill() }) // it may have ended
	return e
}

// signal sends a signal and gives the exit code, if the process ends within so long.
func (e *ending) signal(t *testing.T, s os.Signal, within time.Duration) (code int) {
	t.Helper()
	if err := e.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
	return e.code(t, within)
}

func (e *ending) code(t *testing.T, within time.Duration) int {
	t.Helper()
	began := time.Now()
	select {
	case err := <-e.ended:
		t.Logf("ended after %v", time.Since(began).Round(10*time.Millisecond))
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return exit.ExitCode()
		}
		if err != nil {
			t.Fatal(err)
		}
		return 0
	case <-time.After(within):
		_ = e.Process.Kill()
		<-e.ended
		t.Fatalf("still there after %v:\n%s", within, e.said.String())
	}
	return -1
}

// soon is within how much time what has nothing to finish ends on a machine that has much to do.
const soon = 20 * time.Second

// fifo makes a pipe with a name.
func fifo(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestWaitingForInputEndsOnTheFirstSignal, at stdin and at a pipe with a name.
func TestWaitingForInputEndsOnTheFirstSignal(t *testing.T) {
	text := []byte(strings.Repeat(audit(0), 400)) // more than a pipe holds: what is written has been read
	for name, args := range map[string][]string{
		"replay":      {"replay", "-"},
		"decode":      {"decode", "--json", "-"},
		"explain":     {"explain", "--rule", "mailbox-forwarding-outside", "-"},
		"the dev hub": {"dev", "eventhub", "--listen", "127.0.0.1:0", "--records", "-"},
	} {
		for place, s := range map[string]os.Signal{"stdin": os.Interrupt, "a pipe": syscall.SIGTERM} {
			t.Run(name+" at "+place, func(t *testing.T) {
				c := noroshi(args...)
				pipe, err := c.StdinPipe()
				if err != nil {
					t.Fatal(err)
				}
				path := ""
				if place != "stdin" {
					path = fifo(t, "records")
					c.Args[len(c.Args)-1] = path
				}
				e := begin(t, c)
				if path != "" { // it opens when the other side does
					f, err := os.OpenFile(path, os.O_WRONLY, 0)
					if err != nil {
						t.Fatal(err)
					}
					defer f.Close()
					pipe = f
				}
				if _, err := pipe.Write(text); err != nil {
					t.Fatal(err)
				}
				if code := e.signal(t, s, soon); code != 1 || !strings.HasSuffix(e.said.String(), "noroshi: interrupted\n") {
					t.Errorf("exit code %d, %s", code, e.said.String())
				}
			})
		}
	}
}

// TestPipesAndDevicesAreRefusedWithTheirPlace: check and run neither wait for them nor read without end.
func TestPipesAndDevicesAreRefusedWithTheirPlace(t *testing.T) {
	pipe := fifo(t, "pipe")
	t.Setenv("NOROSHI_TEST_SECRET", secret)
	for name, one := range map[string]struct{ text, want string }{
		"a secret": {`sources: [{file: {paths: [x]}}]
sinks: [{name: hook, webhook: {url: "https://soc.example.com", secrets: ["${file:PATH}"]}}]
`, ":2:"},
		"certificates of a sink": {`sources: [{file: {paths: [x]}}]
sinks: [{name: hook, webhook: {url: "https://soc.example.com", secrets: ["${env:NOROSHI_TEST_SECRET}"], ca_file: PATH}}]
`, ":2:"},
		"certificates of Kafka": {"kafka: {brokers: ['127.0.0.1:9'], ca_file: PATH}\nsources: [{file: {paths: [x]}}]\n", ":1:"},
		"certificates of a hub": {"sources:\n  - eventhub: {namespace: n.example.com, hub: h, credential: {kind: default}, ca_file: PATH}\n", ":2:"},
		"a token file":          {"sources:\n  - eventhub: {namespace: n.example.com, hub: h, credential: {kind: workload_identity, token_file: PATH}}\n", ":2:"},
		"a rule":                {"rules: [PATH]\nsources: [{file: {paths: [x]}}]\n", "PATH: "},
		"a list":                {"lists: {vip: {file: PATH}}\nsources: [{file: {paths: [x]}}]\n", ":1:"},
		"the configuration":     {"", "PATH: "},
	} {
		for _, path := range []string{pipe, "/dev/zero"} {
			conf := path
			if one.text != "" {
				conf = filepath.Join(t.TempDir(), "noroshi.yaml")
				if err := os.WriteFile(conf, []byte(strings.ReplaceAll(one.text, "PATH", path)), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			for _, command := range []string{"check", "run"} {
				c := noroshi(command, "--config", conf)
				var out bytes.Buffer
				c.Stdout = &out
				e := begin(t, c)
				code := e.code(t, soon)
				said := out.String() + e.said.String()
				if want := strings.ReplaceAll(one.want, "PATH", path); code != 1 || !strings.Contains(said, want) || !strings.Contains(said, "it is not a plain file") {
					t.Errorf("%s as %s, %s: exit code %d, %s", name, path, command, code, said)
				}
			}
		}
	}
}
