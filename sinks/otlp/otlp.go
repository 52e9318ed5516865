// Package otlp sends alerts as log records of OpenTelemetry.
package otlp

import (
	"context"
	"errors"
	"strings"

	yaml "go.yaml.in/yaml/v4"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"noroshi/sinks"
	"noroshi/sinks/format"
	"noroshi/sinks/remote"
)

// Protocol is how requests are carried.
type Protocol string

// The protocols.
const (
	HTTP Protocol = "http"
	GRPC Protocol = "grpc"
)

// Config says where log records go and what they are like.
type Config struct {
	remote.Config
	Protocol Protocol
	Format   format.Format // of their bodies
}

// Read reads the sink's part of the configuration.
func Read(r remote.Reader, n *yaml.Node) Config {
	c, d := Config{Protocol: HTTP}, r.Doc
	c.AllowPrivate = true // collectors lie in one's own network
	keys := c.Keys(r)
	keys["protocol"] = func(n *yaml.Node) { c.Protocol = Protocol(d.OneOf(n, "value", string(HTTP), string(GRPC))) }
	keys["format"] = func(n *yaml.Node) { c.Format = format.Read(d, n, format.Noroshi, format.ECS, format.OCSF) }
	keys["headers"] = func(n *yaml.Node) { c.ReadHeaders(r, n, "Te", "Grpc-Encoding") }
	r.Read(n, keys, func() error { _, err := New(c, sinks.Env{}); return err }, c.Check)
	return c
}

// Sink sends to one receiver.
type Sink struct {
	Config
	*remote.Client
	env    sinks.Env
	warned bool   // the receiver has warned, and the log was told
	broken string // the request on which the receiver broke last
	times  int    // so many times in a row
}

// The bounds of a request: receivers of gRPC take 4 MiB where nobody says otherwise.
const (
	maxRecords = 500
	maxBytes   = 1 << 20 // of alerts; a format may make more of them, and a request that is too large is halved
)

// The paths of log records.
// Source: OTLP 1.9, "OTLP/HTTP Request", "OTLP/gRPC".
const (
	httpPath = "/v1/logs"
	grpcPath = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"
)

// New checks the configuration.
func New(c Config, env sinks.Env) (*Sink, error) {
	c.URL = strings.TrimSuffix(strings.TrimSuffix(c.URL, "/"), httpPath) // also an address that names the whole path
	c.HTTP2 = c.Protocol == GRPC
	client, err := remote.New(c.Config, env)
	if err != nil {
		return nil, err
	}
	return &Sink{Config: c, Client: client, env: env}, nil
}

// Batch implements sinks.Sink.
func (*Sink) Batch() sinks.Batch { return sinks.Batch{Messages: maxRecords, Bytes: maxBytes} }

// Send implements sinks.Sink.
func (s *Sink) Send(ctx context.Context, messages []sinks.Message) error {
	if len(messages) == 0 {
		return nil
	}
	logs, err := s.logs(messages)
	if err != nil {
		return err
	}
	body, err := proto.Marshal(logs)
	if err != nil {
		return &sinks.Refused{Cause: err}
	}
	var shown []byte
	if s.env.Preview != nil {
		shown = []byte(protojson.Format(logs))
	}
	err = s.post(ctx, body, shown, len(messages))
	var inner *internalFault
	if !errors.As(err, &inner) {
		s.broken = ""
		return err
	}
	return s.suspect(ctx, messages, inner)
}

// post sends a request and says what the answer means.
func (s *Sink) post(ctx context.Context, body, shown []byte, messages int) error {
	r := remote.Request{Path: httpPath, Body: body, Gzip: true, Header: map[string]string{"Content-Type": protobuf}}
	if s.Protocol == GRPC {
		r = remote.Request{Path: grpcPath, Body: frame(body), Header: map[string]string{"Content-Type": grpcType, "Te": "trailers", "Grpc-Encoding": "gzip"}}
	}
	r.Shown = shown
	a, err := s.Do(ctx, r)
	if err != nil {
		return err
	}
	if s.Protocol == GRPC {
		return s.judgeGRPC(a, messages)
	}
	return s.judgeHTTP(a, messages)
}
