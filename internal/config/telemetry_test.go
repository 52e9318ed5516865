package config

import (
	"strings"
	"testing"
	"time"
)

func TestTelemetry(t *testing.T) {
	c, problems := read(t, `
telemetry:
  otlp: {endpoint: "https://collector.example.com:4318/in", protocol: grpc, headers: {x-api-key: "${file:key}"}, ca_file: ca.pem, interval: 15s, timeout: 2s, metrics: false, sample_percent: 10}
  logs: {format: json, level: debug}
`)
	o := c.Telemetry.OTLP
	if problems != "" || o.Endpoint != "https://collector.example.com:4318/in" || o.Protocol != "grpc" || o.Headers["X-Api-Key"] != "hush" || !strings.HasSuffix(o.CAFile, "/ca.pem") ||
		o.Interval != 15*time.Second || o.Timeout != 2*time.Second || o.Metrics || *o.Sample != 10 || c.Telemetry.Logs != (Logs{"json", "debug"}) {
		t.Errorf("%+v %s", c.Telemetry, problems)
	}
	if c, problems = read(t, "telemetry: {otlp: {endpoint: \"http://127.0.0.1:4318\"}}"); problems != "" || !c.Telemetry.OTLP.Metrics || c.Telemetry.OTLP.Sample != nil {
		t.Errorf("%+v %s", c.Telemetry, problems)
	}
	for text, want := range map[string]string{
		`{otlp: {endpoint: collector:4317}}`:                 "telemetry.otlp.endpoint: expected the address of a collector, such as https://collector.example.com:4318 [value]",
		`{otlp: {endpoint: "https://u:p@c.example"}}`:        "telemetry.otlp.endpoint: the address holds a password; put it into headers as a reference [value]",
		`{otlp: {endpoint: "https://c.example/?key=p"}}`:     "telemetry.otlp.endpoint: an address of a collector ends with its path [value]",
		`{otlp: {protocol: thrift}}`:                         "is none of http, grpc [value]",
		`{otlp: {headers: {Authorization: Bearer hunter2}}}`: "a secret is a reference, ${file:path} or ${env:NAME}, never a value [secret]",
		`{otlp: {headers: {"a b": "${file:key}"}}}`:          "this is no name of a header: letters, digits and hyphens, such as X-Api-Key [value]",
		`{otlp: {headers: {content-type: "${file:key}"}}}`:   "the header is one that the protocol itself sets [value]",
		`{otlp: {headers: [x]}}`:                             "expected names of headers with references, got a list [type]",
		`{otlp: {ca_file: empty}}`:                           "ca_file holds no certificate [read]",
		`{otlp: {interval: 10ms}}`:                           "the time lies outside 1s to 1h0m0s [value]",
		`{otlp: {timeout: 2m}}`:                              "the time lies outside 100ms to 1m0s [value]",
		`{otlp: {sample_percent: 101}}`:                      "0 to 100",
		`{logs: {level: loud}}`:                              "is none of debug, info, warn, error [value]",
		`{logs: {format: xml}}`:                              "is none of text, json [value]",
		`{metrics: {}}`:                                      "known are logs, otlp",
	} {
		if _, problems := read(t, "telemetry: "+text); !strings.Contains(problems, want) {
			t.Errorf("%s: %s", text, problems)
		}
	}
}
