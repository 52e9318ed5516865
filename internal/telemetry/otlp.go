package telemetry

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"google.golang.org/grpc/credentials"
)

// Protocol is how a collector is spoken to.
type Protocol string

// The protocols.
const (
	HTTP Protocol = "http"
	GRPC Protocol = "grpc"
)

// OTLP says where metrics and traces go. What is left out the usual variables OTEL_… of the environment say, then the specification of
// OpenTelemetry. Where neither it nor they name an endpoint, nothing is sent.
type OTLP struct {
	Endpoint string            // http:// or https://, a host and a port; by HTTP /v1/metrics and /v1/traces come behind its path
	Protocol Protocol          // "": HTTP
	Headers  map[string]string // of each request
	TLS      *tls.Config       // whom https:// trusts; nil: as the system does
	Every    time.Duration     // metrics are sent so often; 0: each minute
	Timeout  time.Duration     // of what is sent together, all attempts included; 0: 10 seconds
	Sample   *float64          // the share of alerts that have a trace, 0 to 1; nil: all
	Off      struct{ Metrics, Traces bool }
}

// The variables of the environment that say whether there is a collector. Exporters read the others by themselves.
const (
	envEndpoint = "OTEL_EXPORTER_OTLP_ENDPOINT"
	envMetrics  = "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"
	envTraces   = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
	envProtocol = "OTEL_EXPORTER_OTLP_PROTOCOL"
	envDisabled = "OTEL_SDK_DISABLED"
)

// Env are the variables of the environment that hold secrets which exporters read by themselves.
var Env = []string{"OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_METRICS_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS"}

// sends reports whether something is sent for which the environment has a variable of its own.
func (o *OTLP) sends(off bool, own string) bool {
	if off || strings.EqualFold(os.Getenv(envDisabled), "true") {
		return false
	}
	return o.Endpoint != "" || os.Getenv(envEndpoint) != "" || os.Getenv(own) != ""
}

func (o *OTLP) sendsMetrics() bool { return o.sends(o.Off.Metrics, envMetrics) }

func (o *OTLP) sendsTraces() bool { return o.sends(o.Off.Traces, envTraces) }

func (o *OTLP) protocol() Protocol {
	switch {
	case o.Protocol != "":
		return o.Protocol
	case os.Getenv(envProtocol) == string(GRPC):
		return GRPC
	}
	return HTTP
}

// sendWithin is how long what is sent together may take, all attempts included.
const sendWithin = 10 * time.Second

func (o *OTLP) within() time.Duration {
	if o.Timeout > 0 {
		return o.Timeout
	}
	return sendWithin
}

// address is the endpoint's, with what comes behind its path by HTTP.
func (o *OTLP) address(path string) (string, error) {
	u, err := url.Parse(o.Endpoint)
	if err != nil {
		return "", fmt.Errorf("read the endpoint: %w", err)
	}
	if o.protocol() == HTTP {
		u = u.JoinPath(path)
	}
	return u.String(), nil
}

// metrics is what sends metrics.
func (o *OTLP) metrics(ctx context.Context) (sdk.Exporter, error) {
	to, err := o.address("v1/metrics")
	if err != nil {
		return nil, err
	}
	if o.protocol() == GRPC {
		return otlpmetricgrpc.New(ctx, given(o, to, options[otlpmetricgrpc.Option]{otlpmetricgrpc.WithEndpointURL, otlpmetricgrpc.WithHeaders,
			func(c *tls.Config) otlpmetricgrpc.Option {
				return otlpmetricgrpc.WithTLSCredentials(credentials.NewTLS(c))
			},
			otlpmetricgrpc.WithTimeout})...)
	}
	return otlpmetrichttp.New(ctx, given(o, to, options[otlpmetrichttp.Option]{otlpmetrichttp.WithEndpointURL, otlpmetrichttp.WithHeaders,
		otlpmetrichttp.WithTLSClientConfig, otlpmetrichttp.WithTimeout})...)
}

// traces is what sends spans.
func (o *OTLP) traces(ctx context.Context) (sdktrace.SpanExporter, error) {
	to, err := o.address("v1/traces")
	if err != nil {
		return nil, err
	}
	if o.protocol() == GRPC {
		return otlptracegrpc.New(ctx, given(o, to, options[otlptracegrpc.Option]{otlptracegrpc.WithEndpointURL, otlptracegrpc.WithHeaders,
			func(c *tls.Config) otlptracegrpc.Option {
				return otlptracegrpc.WithTLSCredentials(credentials.NewTLS(c))
			},
			otlptracegrpc.WithTimeout})...)
	}
	return otlptracehttp.New(ctx, given(o, to, options[otlptracehttp.Option]{otlptracehttp.WithEndpointURL, otlptracehttp.WithHeaders,
		otlptracehttp.WithTLSClientConfig, otlptracehttp.WithTimeout})...)
}

// options make the options of an exporter: all have the same ones, each of a type of its own.
type options[T any] struct {
	endpoint func(string) T
	headers  func(map[string]string) T
	tls      func(*tls.Config) T
	timeout  func(time.Duration) T
}

// given are the options of what is not left out. An option, also an empty one, would stand above the environment.
func given[T any](o *OTLP, to string, by options[T]) (all []T) {
	if o.Endpoint != "" {
		all = append(all, by.endpoint(to))
	}
	if len(o.Headers) > 0 {
		all = append(all, by.headers(o.Headers))
	}
	if o.TLS != nil {
		all = append(all, by.tls(o.TLS))
	}
	if o.Timeout > 0 {
		all = append(all, by.timeout(o.Timeout))
	}
	return all
}
