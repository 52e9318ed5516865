package webhook

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"noroshi/sinks"
	"noroshi/sinks/sinktest"
)

// counterparts are foreign receivers, beside the repository.
const counterparts = "../../../shared/counterparts"

// TestForeignReceivers posts to receivers that verify with the published libraries for JavaScript and Python.
func TestForeignReceivers(t *testing.T) {
	for _, name := range []string{"webhook", "webhook-py"} {
		t.Run(name, func(t *testing.T) {
			folder := filepath.Join(counterparts, name)
			if _, err := os.Stat(folder); err != nil {
				t.Skip("the foreign receivers are not beside this checkout")
			}
			dir, port := t.TempDir(), freePort(t)
			command := func(what string, args ...string) {
				t.Helper()
				c := exec.Command(filepath.Join(folder, what), args...)
				c.Env = append(os.Environ(), "SECRETS="+newSecret)
				var out bytes.Buffer
				c.Stdout, c.Stderr = &out, &out
				if err := c.Run(); err != nil {
					t.Fatalf("%s: %v\n%s", what, err, out.String())
				}
			}
			command("start", port, dir)
			defer command("stop", port, dir)
			url := "http://127.0.0.1:" + port + "/"
			genuine := sink(t, url, func(c *Config) { c.Secrets = secretsOf(oldSecret, newSecret) })
			if err := genuine.Send(t.Context(), []sinks.Message{sinktest.Message(1)}); err != nil {
				t.Errorf("genuine, during rotation: %v", err)
			}
			if err := sink(t, url, nil).Send(t.Context(), []sinks.Message{sinktest.Message(2)}); err == nil || !strings.Contains(err.Error(), "401") {
				t.Errorf("with the wrong secret: %v", err)
			}
			if name == "webhook" {
				down(t, genuine, url)
			}
			b, err := os.ReadFile(filepath.Join(dir, "received"))
			if err != nil {
				t.Fatal(err)
			}
			var first struct{ ID, Body string }
			if err := json.Unmarshal(bytes.SplitN(b, []byte("\n"), 2)[0], &first); err != nil || !strings.Contains(first.Body, string(sinktest.Message(1).Body)) || first.ID != sinktest.Message(1).ID+"_1" {
				t.Errorf("it received %s, %v", first.Body, err)
			}
		})
	}
}

// down makes the receiver fail once.
func down(t *testing.T, s *Sink, url string) {
	t.Helper()
	res, err := http.Post(url+"fault", "application/json", strings.NewReader(`{"status":503,"times":1,"retry_after":"2"}`))
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	err = s.Send(t.Context(), []sinks.Message{sinktest.Message(3)})
	var f *sinks.Fault
	if !errors.As(err, &f) || f.RetryAfter.Seconds() != 2 {
		t.Errorf("a receiver that is down: %T %v", err, err)
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return fmt.Sprint(l.Addr().(*net.TCPAddr).Port)
}
