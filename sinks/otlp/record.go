package otlp

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	common "go.opentelemetry.io/proto/otlp/common/v1"
	logs "go.opentelemetry.io/proto/otlp/logs/v1"
	resource "go.opentelemetry.io/proto/otlp/resource/v1"

	"noroshi/sinks"
)

// severities are those of log records.
// Source: OpenTelemetry, Logs Data Model, "Mapping of SeverityNumber".
var severities = map[string]logs.SeverityNumber{
	"info": logs.SeverityNumber_SEVERITY_NUMBER_INFO, "low": logs.SeverityNumber_SEVERITY_NUMBER_INFO2, "medium": logs.SeverityNumber_SEVERITY_NUMBER_WARN,
	"high": logs.SeverityNumber_SEVERITY_NUMBER_ERROR, "critical": logs.SeverityNumber_SEVERITY_NUMBER_FATAL,
}

// logs are the alerts as records of this program. The message is the request of both protocols: they differ in name alone.
func (s *Sink) logs(messages []sinks.Message) (*logs.LogsData, error) {
	all := make([]*logs.LogRecord, len(messages))
	for i := range messages {
		var err error
		if all[i], err = s.record(&messages[i]); err != nil {
			return nil, err
		}
	}
	about := &resource.Resource{Attributes: []*common.KeyValue{pair("service.name", text("noroshi")), pair("service.version", text(s.env.Version))}}
	return &logs.LogsData{ResourceLogs: []*logs.ResourceLogs{{Resource: about, ScopeLogs: []*logs.ScopeLogs{{Scope: &common.InstrumentationScope{Name: "noroshi"}, LogRecords: all}}}}}, nil
}

// record is an alert as a log record. Its uid names it: receivers that know uids see what comes twice.
func (s *Sink) record(m *sinks.Message) (*logs.LogRecord, error) {
	b, err := s.Format.Append(nil, m)
	if err != nil {
		return nil, err
	}
	body, err := structured(b)
	if err != nil {
		return nil, &sinks.Refused{Cause: fmt.Errorf("read alert: %w", err)}
	}
	severity, known := severities[m.Severity]
	if !known {
		severity = logs.SeverityNumber_SEVERITY_NUMBER_WARN
	}
	r := &logs.LogRecord{TimeUnixNano: uint64(max(m.Time.UnixNano(), 0)), ObservedTimeUnixNano: uint64(max(s.env.Now().UnixNano(), 0)), //nolint:gosec // neither is negative
		SeverityNumber: severity, SeverityText: sound(m.Severity), Body: body, EventName: "noroshi.alert"}
	if traced, span, ok := m.TraceIDs(); ok {
		r.TraceId, r.SpanId, r.Flags = traced, span, uint32(logs.LogRecordFlags_LOG_RECORD_FLAGS_TRACE_FLAGS_MASK)&1
	}
	for _, a := range [][2]string{{"log.record.uid", m.Key()}, {"noroshi.alert.id", m.ID}, {"noroshi.alert.status", m.Status}, {"noroshi.rule.id", m.Rule}, {"noroshi.rule.class", m.Class}, {"noroshi.account", m.Account}} {
		if a[1] != "" {
			r.Attributes = append(r.Attributes, pair(a[0], text(a[1])))
		}
	}
	r.Attributes = append(r.Attributes, pair("noroshi.alert.revision", &common.AnyValue{Value: &common.AnyValue_IntValue{IntValue: int64(m.Revision)}}))
	return r, nil
}

func pair(key string, v *common.AnyValue) *common.KeyValue {
	return &common.KeyValue{Key: sound(key), Value: v}
}

func text(s string) *common.AnyValue {
	return &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: sound(s)}}
}

// sound is a text that protobuf takes.
func sound(s string) string { return strings.ToValidUTF8(s, "\ufffd") }

// structured is JSON as a value of log records, its members in their order.
func structured(b []byte) (*common.AnyValue, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	v, err := value(d)
	if err == nil && d.More() {
		err = errors.New("something stands behind it")
	}
	return v, err
}

// value reads one value, nil where it is null.
func value(d *json.Decoder) (*common.AnyValue, error) {
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t := t.(type) {
	case json.Delim:
		if t == '[' {
			return list(d)
		}
		return object(d)
	case string:
		return text(t), nil
	case bool:
		return &common.AnyValue{Value: &common.AnyValue_BoolValue{BoolValue: t}}, nil
	case json.Number:
		return number(t)
	}
	return &common.AnyValue{}, nil
}

func number(n json.Number) (*common.AnyValue, error) {
	if i, err := strconv.ParseInt(n.String(), 10, 64); err == nil {
		return &common.AnyValue{Value: &common.AnyValue_IntValue{IntValue: i}}, nil
	}
	f, err := n.Float64()
	return &common.AnyValue{Value: &common.AnyValue_DoubleValue{DoubleValue: f}}, err
}

func list(d *json.Decoder) (*common.AnyValue, error) {
	all := &common.ArrayValue{}
	for d.More() {
		v, err := value(d)
		if err != nil {
			return nil, err
		}
		all.Values = append(all.Values, v)
	}
	_, err := d.Token() // its end
	return &common.AnyValue{Value: &common.AnyValue_ArrayValue{ArrayValue: all}}, err
}

func object(d *json.Decoder) (*common.AnyValue, error) {
	all := &common.KeyValueList{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		v, err := value(d)
		if err != nil {
			return nil, err
		}
		name, _ := key.(string) // it is one in every object
		all.Values = append(all.Values, pair(name, v))
	}
	_, err := d.Token() // its end
	return &common.AnyValue{Value: &common.AnyValue_KvlistValue{KvlistValue: all}}, err
}
