package otlp

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	logs "go.opentelemetry.io/proto/otlp/logs/v1"
	"google.golang.org/protobuf/encoding/protojson"

	"noroshi/internal/alert"
	"noroshi/sinks"
	"noroshi/sinks/sinktest"
)

// TestTheCollectorOfOpenTelemetry receives alerts by both protocols, and writes down each as it was meant.
func TestTheCollectorOfOpenTelemetry(t *testing.T) {
	port, dir := sinktest.Counterpart(t, "otelcol")
	var all []sinks.Message
	for n := range 100 {
		all = append(all, sinktest.Message(n))
	}
	all = append(all, sinktest.Hostile()...)
	second := func(m sinks.Message) sinks.Message { // by the other protocol
		var a alert.Alert
		if err := json.Unmarshal(m.Body, &a); err != nil {
			t.Fatal(err)
		}
		a.Revision = 2
		return sinktest.Of(&a)
	}
	for i, p := range []Protocol{HTTP, GRPC} {
		s := sink(t, sinktest.Options{URL: fmt.Sprintf("http://127.0.0.1:%d", port+1+i), Timeout: time.Minute}, func(c *Config) { c.Protocol = p })
		if err := s.Send(t.Context(), all); err != nil {
			t.Fatalf("%s: %v", p, err)
		}
		for n := range all {
			all[n] = second(all[n])
		}
	}
	got := sinktest.Collected(t, filepath.Join(dir, "otlp.json"), "log.record.uid", 2*len(all))
	for _, m := range all {
		for m.Revision = 1; m.Revision < 3; m.Revision++ {
			var r logs.LogRecord
			if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal([]byte(got[m.Key()]), &r); err != nil {
				t.Errorf("%s: %v", m.Key(), err)
				continue
			}
			body, _ := plain(r.Body).(map[string]any)
			var want map[string]any
			if err := json.Unmarshal(m.Body, &want); err != nil {
				t.Fatal(err)
			}
			want["revision"] = float64(m.Revision)
			if r.EventName != "noroshi.alert" || r.SeverityText != "high" || sorted(t, body) != sorted(t, want) {
				t.Errorf("%s arrived as %.600s", m.Key(), got[m.Key()])
			}
		}
	}
	refused(t, port)
}

// refused sends what the collector cannot take: more than 4 MiB by gRPC, and by HTTP to a wrong path.
func refused(t *testing.T, port int) {
	t.Helper()
	big := sinktest.Alert(1)
	big.Summary = string(make([]byte, 5<<20))
	s := sink(t, sinktest.Options{URL: fmt.Sprintf("http://127.0.0.1:%d", port+2), Timeout: time.Minute}, overGRPC)
	if err := s.Send(t.Context(), []sinks.Message{sinktest.Of(big)}); kind(err) != "refused" {
		t.Errorf("a record of more than 4 MiB: %v", err)
	}
	s = sink(t, sinktest.Options{URL: fmt.Sprintf("http://127.0.0.1:%d/elsewhere", port+1), Timeout: time.Minute}, nil)
	if err := s.Send(t.Context(), []sinks.Message{sinktest.Message(1)}); kind(err) != "again" {
		t.Errorf("a wrong path: %v", err)
	}
}
