package main

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	metricspb "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	tracespb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"noroshi/internal/eventhubstest"
	"noroshi/sinks/sinktest"
)

// traced is what a collector has written down of spans.
type traced struct {
	TraceID      string `json:"traceId"`
	SpanID       string `json:"spanId"`
	ParentSpanID string `json:"parentSpanId"`
	Name         string `json:"name"`
}

// tracesIn are the spans of a file with a request a line, as the collector writes it.
func tracesIn(text string) (all []traced) {
	for line := range strings.Lines(text) {
		var file struct {
			ResourceSpans []struct {
				ScopeSpans []struct{ Spans []traced }
			}
		}
		if json.Unmarshal([]byte(line), &file) != nil {
			continue // not whole yet
		}
		for _, r := range file.ResourceSpans {
			for _, s := range r.ScopeSpans {
				all = append(all, s.Spans...)
			}
		}
	}
	return all
}

// written is a collector in the test, which writes down what it gets as the real one does.
type written struct {
	t   *testing.T
	dir string
	mu  sync.Mutex
}

func (w *written) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.t.Error(err)
	}
	file, m := "metrics.json", proto.Message(&metricspb.ExportMetricsServiceRequest{})
	if r.URL.Path == "/v1/traces" {
		file, m = "traces.json", &tracespb.ExportTraceServiceRequest{}
	}
	if err := proto.Unmarshal(body, m); err != nil {
		w.t.Error(err)
	}
	line, err := protojson.Marshal(m)
	if err != nil {
		w.t.Error(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	f, err := os.OpenFile(filepath.Join(w.dir, file), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		w.t.Error(err)
		return
	}
	_, err = f.Write(append(line, '\n'))
	if err := f.Close(); err != nil {
		w.t.Error(err)
	}
	if err != nil {
		w.t.Error(err)
	}
}

// received are the alerts of a hook, by rule: what their request and they themselves say of their trace.
type received struct {
	mu  sync.Mutex
	all map[string][2]string
}

func (h *received) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var page struct {
		Data struct {
			Rule        struct{ ID string }
			Traceparent string
		}
	}
	body, err := io.ReadAll(r.Body)
	if err == nil {
		err = json.Unmarshal(body, &page)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.all[page.Data.Rule.ID] = [2]string{r.Header.Get("Traceparent"), page.Data.Traceparent}
	w.WriteHeader(http.StatusAccepted)
}

func (h *received) of(rule string) (got [2]string, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	got, ok = h.all[rule]
	return got, ok
}

// From the message in a hub to the receiver's answer an alert has one trace, also where its rule looks at more than one account. Neither
// it nor the metrics show an account, an address or a secret.
func TestTheTraceOfAnAlertHasEveryHop(t *testing.T) {
	t.Run("a collector of the test", func(t *testing.T) {
		to := &written{t: t, dir: t.TempDir()}
		s := httptest.NewServer(to)
		defer s.Close()
		everyHop(t, s.URL, to.dir)
	})
	t.Run("the collector of OpenTelemetry", func(t *testing.T) {
		port, dir := sinktest.Counterpart(t, "otelcol")
		everyHop(t, fmt.Sprintf("http://127.0.0.1:%d", port+1), dir)
	})
}

const byAddress = `id: one-address
title: One address
severity: high
kind: threshold
by: [source.ip]
when: event.action == "UserLoggedIn"
count: 2
within: 1h
`

// everyHop runs noroshi between a hub, a hook and a collector that writes into a folder.
func everyHop(t *testing.T, collector, written string) {
	hub := eventhubstest.Start(t, eventhubstest.Config{})
	hook := &received{all: map[string][2]string{}}
	srv := httptest.NewServer(hook)
	defer srv.Close()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "rules"), 0o700); err != nil {
		t.Fatal(err)
	}
	const token = "Pl4nted-Collector-Token-12"
	writeFiles(t, dir, map[string]string{"cs": hub.ConnectionString("audit"), "secret": secret, "token": token, "rules/one.yaml": byAddress, "noroshi.yaml": fmt.Sprintf(`
sources: [{eventhub: {name: audit, connection_string: '${file:cs}'}}]
rules: [rules]
sinks: [{name: hook, webhook: {url: "%s", secrets: ["${file:secret}"], allow_private: true, allow_http: true}}]
telemetry: {otlp: {endpoint: "%s", headers: {X-Token: "${file:token}"}, interval: 1s}, logs: {format: json}}
`, srv.URL, collector)})
	p := &process{args: []string{"run", "--config", filepath.Join(dir, "noroshi.yaml"), "--data", filepath.Join(dir, "data")}, said: filepath.Join(dir, "stderr")}
	p.start(t)
	at := time.Now().UTC().Format("2006-01-02T15:04:05")
	for _, body := range []string{
		`{"CreationTime":"` + at + `","Id":"r-1","Operation":"Set-Mailbox","RecordType":1,"OrganizationId":"t","UserType":0,"UserId":"taro@contoso.example","Parameters":[{"Name":"ForwardingSmtpAddress","Value":"drop@mail.example.net"}]}`,
		`{"CreationTime":"` + at + `","Id":"r-2","Operation":"UserLoggedIn","RecordType":15,"OrganizationId":"t","UserType":0,"UserId":"jiro@contoso.example","ClientIP":"203.0.113.77","ResultStatus":"Success"}`,
		`{"CreationTime":"` + at + `","Id":"r-3","Operation":"UserLoggedIn","RecordType":15,"OrganizationId":"t","UserType":0,"UserId":"saburo@contoso.example","ClientIP":"203.0.113.77","ResultStatus":"Success"}`,
	} {
		if _, err := hub.Append("audit", "1", eventhubstest.Event{Body: []byte(`{"records":[` + body + `]}`)}); err != nil {
			t.Fatal(err)
		}
	}
	var got, over [2]string
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		var ok, also bool
		got, ok = hook.of("mailbox-forwarding-outside")
		if over, also = hook.of("one-address"); ok && also {
			break
		}
	}
	p.end(t)
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(p.text())
		}
	})
	read := func(name string) string {
		b, _ := os.ReadFile(filepath.Join(written, name))
		return string(b)
	}
	local := []string{"ingest", "ingest > detect", "ingest > detect > deliver", "ingest > detect > deliver > send"}
	across := []string{"ingest", "ingest > detect", "ingest > detect > correlate", "ingest > detect > correlate > deliver", "ingest > detect > correlate > deliver > send"}
	for deadline := time.Now().Add(10 * time.Second); len(tracesIn(read("traces.json"))) < len(local)+len(across) && time.Now().Before(deadline); {
		time.Sleep(50 * time.Millisecond) // it writes what it has taken a little later
	}
	spans := tracesIn(read("traces.json"))
	for of, want := range map[[2]string][]string{got: local, over: across} {
		if hops := hopsOf(spans, of); !slices.Equal(hops, want) {
			t.Errorf("the request says %q: the trace has %q, not %q, of %+v", of, hops, want, spans)
		}
	}
	all := map[string]string{"traces": read("traces.json"), "metrics": read("metrics.json"), "log": p.text()}
	for what, text := range all {
		for _, closed := range []string{token, strings.TrimPrefix(secret, "whsec_"), "SharedAccessKey"} {
			if text == "" || strings.Contains(text, closed) {
				t.Errorf("%s shows %s, or nothing", what, closed)
			}
		}
	}
	for _, closed := range []string{"taro", "jiro", "contoso.example", "203.0.113.77", "drop@"} {
		if strings.Contains(all["traces"]+all["metrics"], closed) {
			t.Errorf("telemetry shows %s", closed)
		}
	}
	for line := range strings.Lines(all["log"]) {
		if !json.Valid([]byte(line)) {
			t.Errorf("a line of the log is no JSON: %s", line)
		}
	}
	for _, name := range []string{"noroshi.alert.event_delay", "noroshi.sink.delay", "noroshi.rule.fired"} {
		if !strings.Contains(all["metrics"], `"`+name+`"`) {
			t.Errorf("the collector lacks %s", name)
		}
	}
}

// hopsOf are the spans of the trace that a request carries and its alert names, each behind those that it is below.
func hopsOf(spans []traced, of [2]string) (hops []string) {
	request, alert := strings.Split(of[0], "-"), strings.Split(of[1], "-")
	if len(request) != 4 || len(alert) != 4 || request[1] != alert[1] || request[2] == alert[2] {
		return []string{"the request and the alert do not agree"}
	}
	byID := map[string]traced{}
	for _, s := range spans {
		byID[s.SpanID] = s
	}
	sent := false
	for _, s := range spans {
		if !same(s.TraceID, request[1]) {
			continue
		}
		sent = sent || same(s.SpanID, request[2]) && s.Name == "send"
		path := s.Name
		for up, ok := byID[s.ParentSpanID]; ok; up, ok = byID[up.ParentSpanID] {
			path = up.Name + " > " + path
		}
		hops = append(hops, path)
	}
	if !sent {
		hops = append(hops, "no span for the request")
	}
	slices.Sort(hops)
	return hops
}

// same reports whether an id is the one that a header has: the collector writes hexadecimal digits, protojson base64.
func same(id, digits string) bool {
	if b, err := base64.StdEncoding.DecodeString(id); err == nil && len(id) != len(digits) {
		id = hex.EncodeToString(b)
	}
	return id == digits
}
