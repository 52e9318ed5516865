package telemetry

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// Metrics and traces come by both protocols, with the headers of the configuration.
func TestACollectorGetsMetricsAndTraces(t *testing.T) {
	for _, p := range []Protocol{HTTP, GRPC} {
		for name, by := range map[string]func(t *testing.T, url string) OTLP{
			"configuration": func(_ *testing.T, url string) OTLP {
				return OTLP{Endpoint: url, Protocol: p, Headers: map[string]string{"X-Token": "opensesame"}}
			},
			"environment": func(t *testing.T, url string) OTLP {
				t.Setenv(envEndpoint, url)
				t.Setenv(envProtocol, map[Protocol]string{HTTP: "http/protobuf", GRPC: "grpc"}[p])
				t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "X-Token=opensesame")
				return OTLP{}
			},
		} {
			t.Run(fmt.Sprintf("%s by %s", name, p), func(t *testing.T) {
				to := collect(t, p)
				tel, log := opened(t, by(t, to.url))
				tel.Found(t.Context(), found("alrt_A"))
				if err := tel.Close(t.Context()); err != nil || log.String() != "" {
					t.Fatalf("%v, and the log says %s", err, log)
				}
				to.mu.Lock()
				defer to.mu.Unlock()
				if len(to.spans) != 2 || to.metrics[EventDelay.Name] != 1 || to.metrics[Crowded.Name] != 1 || to.metrics["go.goroutine.count"] != 1 || to.token != "opensesame" {
					t.Errorf("%d spans, metrics %v, token %q", len(to.spans), to.metrics, to.token)
				}
			})
		}
	}
}

func TestTheEnvironmentSwitchesOff(t *testing.T) {
	to := collect(t, HTTP)
	t.Setenv(envDisabled, "true")
	tel, _ := opened(t, OTLP{Endpoint: to.url})
	if tel.Found(t.Context(), found("alrt_A")) != "" || tel.Close(t.Context()) != nil || len(to.metrics) > 0 {
		t.Errorf("metrics %v", to.metrics)
	}
}

// A collector that is away or takes nothing is told once, holds nobody up, and costs the end of a run no more than its time.
func TestACollectorThatIsAwayHoldsNobodyUp(t *testing.T) {
	release := make(chan struct{})
	hanging := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	defer hanging.Close()
	defer close(release)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	away := "http://" + l.Addr().String()
	l.Close()
	for name, o := range map[string]OTLP{
		"away by HTTP": {Endpoint: away}, "away by gRPC": {Endpoint: away, Protocol: GRPC},
		"hanging by HTTP": {Endpoint: hanging.URL}, "hanging by gRPC": {Endpoint: hanging.URL, Protocol: GRPC},
	} {
		t.Run(name, func(t *testing.T) {
			o.Every, o.Timeout = 20*time.Millisecond, 50*time.Millisecond
			tel, log := opened(t, o)
			for n := range 1000 {
				if tel.Found(t.Context(), found(fmt.Sprint(n))) == "" {
					t.Fatal("an alert has no trace")
				}
			}
			for deadline := time.Now().Add(time.Minute); tel.couriers[1].failed.Load() < 3; time.Sleep(5 * time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatal("nothing has failed")
				}
			}
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				_ = tel.Close(ctx) // what it could not send is told by the log
			}()
			select {
			case <-ended:
			case <-time.After(10 * time.Second):
				t.Fatal("it does not end")
			}
			if n := strings.Count(log.String(), CodeUnsent+" what=metrics"); n != 1 {
				t.Errorf("it is told %d times: %s", n, log)
			}
		})
	}
}

// That it takes again is told, too, and what was lost is counted.
func TestACollectorThatComesBack(t *testing.T) {
	to := collect(t, HTTP)
	to.status = http.StatusBadRequest
	tel, log := opened(t, OTLP{Endpoint: to.url})
	for range 3 {
		tel.Found(t.Context(), found("alrt_A"))
		_ = tel.traces.ForceFlush(t.Context()) // told by the log
	}
	to.mu.Lock()
	to.status = 0
	to.mu.Unlock()
	tel.Found(t.Context(), found("alrt_B"))
	if err := tel.traces.ForceFlush(t.Context()); err != nil {
		t.Fatal(err)
	}
	l, err := tel.Look(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	lost, _ := l.Value(SpansLost)
	sent, _ := l.Value(SpansSent)
	if got := fmt.Sprint(lost, sent, l.Series(Exports), l.Series(ExportsFailed)); got != "6 2 [{[metrics] 0} {[traces] 1}] [{[metrics] 0} {[traces] 3}]" {
		t.Error(got)
	}
	if n, again := strings.Count(log.String(), CodeUnsent), strings.Count(log.String(), "sent again"); n != 1 || again != 1 {
		t.Error(log)
	}
	if err := tel.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// Spans that find no room are counted.
func TestSpansThatAreTooManyAreCounted(t *testing.T) {
	to := collect(t, HTTP)
	tel, _ := opened(t, OTLP{Endpoint: to.url})
	tel.spans.waiting.Store(mostWaiting)
	tel.Found(t.Context(), found("alrt_A"))
	if n := tel.spans.lost.Load(); n != 2 {
		t.Errorf("%d spans are lost", n)
	}
	tel.spans.waiting.Store(0)
	if err := tel.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}
