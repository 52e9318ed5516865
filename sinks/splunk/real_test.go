package splunk

import (
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
	got := sinktest.Collected(t, filepath.Join(dir, "hec.json"), "alert_id", len(all))
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
