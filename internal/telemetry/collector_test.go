package telemetry

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/klauspost/compress/gzip"
	metricspb "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	tracespb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	pb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
)

// collector is a receiver of OTLP that keeps what it gets.
type collector struct {
	tracespb.UnimplementedTraceServiceServer
	mu      sync.Mutex
	url     string
	status  int // what it answers by HTTP; 0: 200
	token   string
	spans   []*pb.Span
	metrics map[string]int
	about   string
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	in := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(in)
		if err != nil {
			http.Error(w, err.Error(), 500)
			return
		}
		in = z
	}
	body, err := io.ReadAll(in)
	if err != nil {
		http.Error(w, err.Error(), 500)
		return
	}
	c.mu.Lock()
	status := c.status
	c.token = r.Header.Get("X-Token")
	c.mu.Unlock()
	if status != 0 {
		w.WriteHeader(status)
		return
	}
	switch r.URL.Path {
	case "/v1/traces":
		var req tracespb.ExportTraceServiceRequest
		if err = proto.Unmarshal(body, &req); err == nil {
			c.takeTraces(&req)
		}
	case "/v1/metrics":
		var req metricspb.ExportMetricsServiceRequest
		if err = proto.Unmarshal(body, &req); err == nil {
			c.takeMetrics(&req)
		}
	default:
		err = fmt.Errorf("no path %s", r.URL.Path)
	}
	if err != nil {
		http.Error(w, err.Error(), 400)
		return
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
}

func (c *collector) takeTraces(req *tracespb.ExportTraceServiceRequest) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range req.ResourceSpans {
		c.about = fmt.Sprint(r.Resource.Attributes)
		for _, s := range r.ScopeSpans {
			c.spans = append(c.spans, s.Spans...)
		}
	}
}

func (c *collector) takeMetrics(req *metricspb.ExportMetricsServiceRequest) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.metrics == nil {
		c.metrics = map[string]int{}
	}
	for _, r := range req.ResourceMetrics {
		for _, s := range r.ScopeMetrics {
			for _, m := range s.Metrics {
				c.metrics[m.Name]++
			}
		}
	}
}

// Export implements the service of traces by gRPC.
func (c *collector) Export(ctx context.Context, req *tracespb.ExportTraceServiceRequest) (*tracespb.ExportTraceServiceResponse, error) {
	c.header(ctx)
	c.takeTraces(req)
	return &tracespb.ExportTraceServiceResponse{}, nil
}

func (c *collector) header(ctx context.Context) {
	md, _ := metadata.FromIncomingContext(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.token = strings.Join(md.Get("x-token"), " ")
}

type metricsServer struct {
	metricspb.UnimplementedMetricsServiceServer
	of *collector
}

func (s metricsServer) Export(_ context.Context, req *metricspb.ExportMetricsServiceRequest) (*metricspb.ExportMetricsServiceResponse, error) {
	s.of.takeMetrics(req)
	return &metricspb.ExportMetricsServiceResponse{}, nil
}

// collect starts a collector.
func collect(t *testing.T, p Protocol) *collector {
	t.Helper()
	c := &collector{}
	if p == HTTP {
		s := httptest.NewServer(c)
		t.Cleanup(s.Close)
		c.url = s.URL
		return c
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer()
	tracespb.RegisterTraceServiceServer(s, c)
	metricspb.RegisterMetricsServiceServer(s, metricsServer{of: c})
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Stop()
		<-ended
	})
	c.url = "http://" + l.Addr().String()
	return c
}

// told is what a log says.
type told struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *told) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *told) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// opened makes telemetry that counts nothing but its own doings.
func opened(t *testing.T, o OTLP) (*Telemetry, *told) {
	t.Helper()
	log := &told{}
	tel, err := New(t.Context(), Options{Version: "1.2.3", Instance: "here/1", OTLP: o, Observe: func(*Observer) {}, Log: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	return tel, log
}

// tree is the spans as they hang together: each behind those that it is below.
func (c *collector) tree() (all []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	byID := map[string]*pb.Span{}
	for _, s := range c.spans {
		byID[hex.EncodeToString(s.SpanId)] = s
	}
	for _, s := range c.spans {
		path := s.Name
		for up := byID[hex.EncodeToString(s.ParentSpanId)]; up != nil; up = byID[hex.EncodeToString(up.ParentSpanId)] {
			path = up.Name + " > " + path
		}
		var about []string
		for _, a := range s.Attributes {
			v := a.Value.GetStringValue()
			if v == "" {
				v = fmt.Sprint(a.Value.GetIntValue())
			}
			about = append(about, a.Key+"="+v)
		}
		slices.Sort(about)
		text := fmt.Sprintf("%s (%d ms) %s", path, (s.EndTimeUnixNano-s.StartTimeUnixNano)/1e6, strings.Join(about, " "))
		for _, l := range s.Links {
			if to := byID[hex.EncodeToString(l.SpanId)]; to != nil {
				text += " -> " + to.Name
			} else {
				text += " -> elsewhere"
			}
		}
		all = append(all, strings.TrimSpace(text))
	}
	slices.Sort(all)
	return all
}

// traces are the ids of the traces that came.
func (c *collector) traces() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := map[string]int{}
	for _, s := range c.spans {
		all[hex.EncodeToString(s.TraceId)]++
	}
	return all
}
