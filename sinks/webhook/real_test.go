package webhook

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"noroshi/sinks"
	"noroshi/sinks/sinktest"
)

// TestForeignReceivers posts to receivers that verify with the published libraries for JavaScript and Python.
func TestForeignReceivers(t *testing.T) {
	for _, name := range []string{"webhook", "webhook-py"} {
		t.Run(name, func(t *testing.T) {
			port, dir := sinktest.Counterpart(t, name, "SECRETS="+newSecret)
			address := fmt.Sprintf("http://127.0.0.1:%d/", port)
			genuine := sink(t, address, func(c *Config) { c.Secrets = secretsOf(oldSecret, newSecret) })
			if err := genuine.Send(t.Context(), []sinks.Message{sinktest.Message(1)}); err != nil {
				t.Errorf("genuine, during rotation: %v", err)
			}
			if err := sink(t, address, nil).Send(t.Context(), []sinks.Message{sinktest.Message(2)}); err == nil || !strings.Contains(err.Error(), "401") {
				t.Errorf("with the wrong secret: %v", err)
			}
			if name == "webhook" {
				down(t, genuine, address)
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
