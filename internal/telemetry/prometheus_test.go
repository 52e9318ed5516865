package telemetry

import (
	"net/http/httptest"
	"strings"
	"testing"
)

// scrape gets what Prometheus gets.
func scrape(t *testing.T, tel *Telemetry, accept string) string {
	t.Helper()
	req := httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", nil)
	req.Header.Set("Accept", accept)
	w := httptest.NewRecorder()
	tel.Prometheus().ServeHTTP(w, req)
	if w.Code != 200 {
		t.Fatalf("%d: %s", w.Code, w.Body)
	}
	return w.Body.String()
}

const openMetrics = "application/openmetrics-text; version=1.0.0"

func TestAScrapeHasWhatWasObserved(t *testing.T) {
	tel, err := New(t.Context(), Options{Version: "1.2.3", Observe: func(o *Observer) {
		o.Observe(SinkSent, 3, "soc")
		o.Observe(LogUsed, 7)
		o.Observe(SourceLetters, 5, "audit", "0", "json")
	}})
	if err != nil {
		t.Fatal(err)
	}
	for accept, want := range map[string][]string{
		"": {`noroshi_sink_sent_total{noroshi_sink_name="soc"} 3`, "noroshi_log_used_bytes 7",
			`noroshi_source_letters_total{messaging_destination_partition_id="0",noroshi_reason="json",noroshi_source_name="audit"} 5`,
			`target_info{service_name="noroshi",service_version="1.2.3"} 1`},
		openMetrics: {`noroshi_sink_sent_total{noroshi_sink_name="soc"} 3.0`, "noroshi_log_used_bytes 7.0", "# EOF"},
	} {
		got := scrape(t, tel, accept)
		for _, line := range want {
			if !strings.Contains(got, line+"\n") {
				t.Errorf("accept %q: no line %s in\n%s", accept, line, got)
			}
		}
	}
}
