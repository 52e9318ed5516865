package splunk

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"noroshi/sinks"
	"noroshi/sinks/sinktest"
)

// TestTheCollectorOfOpenTelemetry receives alerts by its HEC receiver, acknowledges them, and writes down each as it was meant.
func TestTheCollectorOfOpenTelemetry(t *testing.T) {
	port, dir := sinktest.Counterpart(t, "otelcol")
	s := sink(t, sinktest.Options{URL: fmt.Sprintf("http://127.0.0.1:%d", port), Timeout: time.Minute}, func(c *Config) { c.Ack = true })
	var all []sinks.Message
	for n := range 100 {
		all = append(all, sinktest.Message(n))
	}
	all = append(all, sinktest.Hostile()...)
	if err := s.Send(t.Context(), all); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for end := time.Now().Add(time.Minute); len(got) < len(all) && time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		b, err := os.ReadFile(filepath.Join(dir, "hec.json"))
		if err != nil {
			continue // not yet
		}
		got = read(t, b)
	}
	for _, m := range all {
		if !strings.Contains(got[m.ID], m.ID) || !strings.Contains(got[m.ID], "kvlistValue") {
			t.Errorf("%s arrived as %.300s", m.ID, got[m.ID])
		}
	}
	b, err := os.ReadFile(filepath.Join(dir, "hec.json"))
	if err != nil || !strings.Contains(string(b), token) {
		t.Errorf("the token has not arrived: %v", err)
	}
}

// read gives the bodies of the log records that the collector has written, by the alert's id.
func read(t *testing.T, b []byte) map[string]string {
	t.Helper()
	all := map[string]string{}
	for line := range strings.Lines(string(b)) {
		var file struct {
			ResourceLogs []struct {
				ScopeLogs []struct {
					LogRecords []struct {
						Body       json.RawMessage
						Attributes []struct {
							Key   string
							Value struct{ StringValue string }
						}
					}
				}
			}
		}
		if json.Unmarshal([]byte(line), &file) != nil {
			continue // half a line
		}
		for _, r := range file.ResourceLogs {
			for _, s := range r.ScopeLogs {
				for _, l := range s.LogRecords {
					for _, a := range l.Attributes {
						if a.Key == "alert_id" {
							all[a.Value.StringValue] = string(l.Body)
						}
					}
				}
			}
		}
	}
	return all
}
