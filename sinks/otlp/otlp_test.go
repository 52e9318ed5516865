package otlp

import (
	"bytes"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	logs "go.opentelemetry.io/proto/otlp/logs/v1"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"noroshi/sinks"
	"noroshi/sinks/format"
	"noroshi/sinks/remote"
	"noroshi/sinks/sinktest"
)

const key = "0tlp-Ap1-Key-9"

func sink(t *testing.T, o sinktest.Options, change func(*Config)) *Sink {
	t.Helper()
	c := Config{Config: o.Remote(), Protocol: HTTP, Format: format.Noroshi}
	c.Headers = map[string]remote.Secret{"X-Api-Key": remote.Fixed(key)}
	if change != nil {
		change(&c)
	}
	s, err := New(c, sinktest.Env())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func overGRPC(c *Config) { c.Protocol = GRPC }

// plain is a value of log records as Go has it.
func plain(v *common.AnyValue) any {
	switch v := v.GetValue().(type) {
	case *common.AnyValue_StringValue:
		return v.StringValue
	case *common.AnyValue_BoolValue:
		return v.BoolValue
	case *common.AnyValue_IntValue:
		return float64(v.IntValue)
	case *common.AnyValue_DoubleValue:
		return v.DoubleValue
	case *common.AnyValue_ArrayValue:
		all := []any{}
		for _, one := range v.ArrayValue.Values {
			all = append(all, plain(one))
		}
		return all
	case *common.AnyValue_KvlistValue:
		all := map[string]any{}
		for _, one := range v.KvlistValue.Values {
			all[one.Key] = plain(one.Value)
		}
		return all
	}
	return nil
}

// records reads what a request says of its alerts, as JSON with sorted members.
func records(t *testing.T, packed []byte) (all []string) {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Error(err)
		return nil
	}
	b, err := io.ReadAll(z)
	var d logs.LogsData
	if err == nil {
		err = proto.Unmarshal(b, &d)
	}
	if err != nil || len(d.ResourceLogs) != 1 || len(d.ResourceLogs[0].ScopeLogs) != 1 {
		t.Error(err, &d)
		return nil
	}
	for _, r := range d.ResourceLogs[0].ScopeLogs[0].LogRecords {
		attributes := map[string]any{}
		for _, a := range r.Attributes {
			attributes[a.Key] = plain(a.Value)
		}
		if r.TimeUnixNano != 1767323045678000000 || r.SeverityNumber != logs.SeverityNumber_SEVERITY_NUMBER_ERROR || r.SeverityText != "high" || r.EventName != "noroshi.alert" || attributes["log.record.uid"] != fmt.Sprint(attributes["noroshi.alert.id"], "_1") {
			t.Errorf("the record is %v", r)
		}
		all = append(all, sorted(t, plain(r.Body)))
	}
	return all
}

func sorted(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestContract(t *testing.T) {
	sinktest.HTTP{
		Make:        func(t *testing.T, o sinktest.Options) sinks.Sink { return sink(t, o, nil) },
		Secrets:     []string{key},
		Reads:       true,
		ContentType: protobuf,
		Answer:      func(*http.Request, []byte) string { return "" },
		Success:     http.StatusOK,
		Alerts: func(t *testing.T, r *http.Request, body []byte) []string {
			if r.URL.Path != httpPath || r.Header.Get("Content-Type") != protobuf || r.Header.Get("X-Api-Key") != key {
				t.Errorf("%s %v", r.URL, r.Header)
			}
			return records(t, body)
		},
		Want: func(m sinks.Message) string {
			var v any
			if err := json.Unmarshal(m.Body, &v); err != nil {
				return err.Error()
			}
			return sorted(t, v)
		},
	}.Contract(t)
}

// kind is what an error means.
func kind(err error) string {
	var refused *sinks.Refused
	var fault *sinks.Fault
	switch {
	case err == nil:
		return "taken"
	case errors.As(err, &refused):
		return "refused"
	case errors.As(err, &fault) && fault.RetryAfter > 0:
		return "again in " + fault.RetryAfter.String()
	case errors.As(err, &fault):
		return "again"
	}
	return "unknown"
}

// partial is an answer that takes all but so many.
func partial(rejected uint64, why string) []byte {
	inner := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), rejected)
	inner = protowire.AppendString(protowire.AppendTag(inner, 2, protowire.BytesType), why)
	return protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), inner)
}

// status is a google.rpc.Status that asks to wait.
func status(seconds, nanos uint64) []byte {
	d := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), seconds)
	d = protowire.AppendVarint(protowire.AppendTag(d, 2, protowire.VarintType), nanos)
	info := protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), d)
	packed := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), retryType)
	packed = protowire.AppendBytes(protowire.AppendTag(packed, 2, protowire.BytesType), info)
	s := protowire.AppendString(protowire.AppendTag(nil, 2, protowire.BytesType), "because of "+key)
	return protowire.AppendBytes(protowire.AppendTag(s, 3, protowire.BytesType), packed)
}

// TestPartialSuccess: what is refused is the alerts' fault, and what is only said is told once.
func TestPartialSuccess(t *testing.T) {
	for want, body := range map[string][]byte{"taken": partial(0, "old field"), "refused": partial(1, "no body"), "again": []byte("\x0a\x05no")} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", protobuf)
			_, _ = w.Write(body)
		}))
		var log bytes.Buffer
		s := sink(t, sinktest.Options{URL: srv.URL}, nil)
		s.env.Log = slog.New(slog.NewTextHandler(&log, nil))
		for range 2 {
			if err := s.Send(t.Context(), []sinks.Message{sinktest.Message(1), sinktest.Message(2)}); kind(err) != want {
				t.Errorf("%q: %v, want %s", body, err, want)
			}
		}
		if n := strings.Count(log.String(), "old field"); n != map[string]int{"taken": 1}[want] {
			t.Errorf("%s: %s", want, &log)
		}
		srv.Close()
	}
}

// TestAStatusIsRead: what a receiver says in protobuf is told in words.
func TestAStatusIsRead(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", protobuf)
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write(status(0, 0))
	}))
	defer srv.Close()
	err := sink(t, sinktest.Options{URL: srv.URL}, nil).Send(t.Context(), []sinks.Message{sinktest.Message(1)})
	if text := fmt.Sprint(err); kind(err) != "refused" || !strings.Contains(text, "status 400: because of") || strings.Contains(text, key) {
		t.Error(text)
	}
}

// receiver speaks gRPC, over TLS where there is a configuration.
func receiver(t *testing.T, conf *tls.Config, answer http.HandlerFunc) *httptest.Server {
	t.Helper()
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil || r.ProtoMajor != 2 || r.URL.Path != grpcPath || r.Header.Get("Te") != "trailers" || r.Header.Get("Content-Type") != grpcType || len(b) < 5 || b[0] != 1 {
			t.Errorf("%s %s %v %v", r.Proto, r.URL, r.Header, err)
			return
		}
		records(t, b[5:])
		w.Header().Set("Content-Type", grpcType)
		answer(w, r)
	}))
	srv.Config.Protocols = &http.Protocols{}
	srv.Config.Protocols.SetHTTP2(true)
	srv.Config.Protocols.SetUnencryptedHTTP2(true)
	srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	if srv.EnableHTTP2 = conf != nil; conf == nil {
		srv.Start()
	} else {
		srv.TLS = conf
		srv.StartTLS()
	}
	t.Cleanup(srv.Close)
	return srv
}

// ends ends an answer of gRPC: with a message and trailers, or with a header alone.
func ends(w http.ResponseWriter, message []byte, code int, says, details string) {
	at := w.Header()
	if message != nil {
		_, _ = w.Write(append([]byte{0, 0, 0, 0, byte(len(message))}, message...))
		w.(http.Flusher).Flush()
	}
	for name, value := range map[string]string{"Grpc-Status": fmt.Sprint(code), "Grpc-Message": says, "Grpc-Status-Details-Bin": details} {
		if value == "" {
			continue
		}
		if message != nil {
			name = http.TrailerPrefix + name
		}
		at.Set(name, value)
	}
}

// TestCodes: each code of gRPC has a meaning, in the header or behind a message.
func TestCodes(t *testing.T) {
	wait := base64.RawStdEncoding.EncodeToString(status(7, 5e8))
	long := base64.StdEncoding.EncodeToString(status(1<<40, 0))
	for _, row := range []struct {
		message       []byte
		code          int
		says, details string
		want          string
	}{
		{[]byte{}, 0, "", "", "taken"}, {nil, 0, "", "", "again"}, {partial(0, "w"), 0, "", "", "taken"}, {partial(2, "w"), 0, "", "", "refused"}, {[]byte("\x0a\x05no"), 0, "", "", "again"},
		{nil, 1, "gone", "", "again"}, {nil, 2, "odd", "", "again"}, {nil, 3, "bad%20record", "", "refused"}, {nil, 4, "late", "", "again"}, {nil, 5, "", "", "again"}, {nil, 7, "", "", "again"},
		{nil, 8, "busy", wait, "again in 7.5s"}, {nil, 8, "received message larger than max (9 vs. 4)", "", "refused"}, {nil, 10, "", "", "again"}, {nil, 11, "", "", "again"}, {nil, 12, "unknown service", "", "again"}, {nil, 13, "", "", "again"},
		{nil, 14, "down", wait, "again in 7.5s"}, {nil, 14, "down", long, "again in 1h0m0s"}, {nil, 14, "down", "%%%", "again"}, {nil, 14, "down", base64.StdEncoding.EncodeToString(status(1<<63, 0)), "again"},
		{nil, 15, "", "", "again"}, {nil, 16, "no " + key, "", "again"}, {nil, 99, "", "", "again"}, {[]byte{}, 14, "down", wait, "again in 7.5s"},
	} {
		srv := receiver(t, nil, func(w http.ResponseWriter, _ *http.Request) { ends(w, row.message, row.code, row.says, row.details) })
		err := sink(t, sinktest.Options{URL: srv.URL}, overGRPC).Send(t.Context(), []sinks.Message{sinktest.Message(1), sinktest.Message(2)})
		if got := kind(err); got != row.want {
			t.Errorf("code %d %q: %s (%v), want %s", row.code, row.message, got, err, row.want)
		}
		if err != nil && strings.Contains(err.Error(), key) {
			t.Error(err)
		}
	}
}

// TestFrames: an answer's message is whole, and compressed or not.
func TestFrames(t *testing.T) {
	packed := func(size int) []byte { return frame(bytes.Repeat([]byte("a"), size)) }
	for name, one := range map[string]struct {
		b        []byte
		encoding string
		want     int // bytes; below zero: none
	}{
		"none": {nil, "", -1}, "half a head": {[]byte{0, 0, 0}, "", -1}, "empty": {[]byte{0, 0, 0, 0, 0}, "", 0}, "cut": {[]byte{0, 0, 0, 0, 2, 1}, "", -1}, "two": {[]byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, "", -1},
		"compressed": {packed(7), "gzip", 7}, "compressed, unsaid": {packed(7), "", -1}, "an odd mark": {[]byte{2, 0, 0, 0, 0}, "gzip", -1}, "no gzip": {[]byte{1, 0, 0, 0, 1, 9}, "gzip", -1}, "a bomb": {packed(maxMessage + 1), "gzip", -1}, "large": {packed(maxMessage), "gzip", maxMessage},
	} {
		got, err := unframed(one.b, one.encoding)
		if (err != nil) != (one.want < 0) || err == nil && len(got) != one.want {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
}

// TestOverTLS: gRPC goes over TLS, also where the receiver answers with a status of HTTP.
func TestOverTLS(t *testing.T) {
	pair, ca, _ := sinktest.Certificate(t, time.Now().Add(24*time.Hour), "127.0.0.1")
	conf := &tls.Config{Certificates: []tls.Certificate{pair}}
	good := receiver(t, conf, func(w http.ResponseWriter, _ *http.Request) { ends(w, []byte{}, 0, "", "") })
	bad := receiver(t, conf.Clone(), func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	noGRPC := receiver(t, conf.Clone(), func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") })
	torn := receiver(t, conf.Clone(), func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte{0, 0})
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})
	for want, urls := range map[string][]string{"taken": {good.URL}, "again in 7s": {bad.URL}, "again": {noGRPC.URL, torn.URL, strings.Replace(good.URL, "https:", "http:", 1)}} {
		for _, url := range urls {
			err := sink(t, sinktest.Options{URL: url, CAFile: ca, Timeout: 30 * time.Second}, overGRPC).Send(t.Context(), []sinks.Message{sinktest.Message(1)})
			if got := kind(err); got != want {
				t.Errorf("%s (%v), want %s", got, err, want)
			}
		}
	}
}

// TestStructured: JSON is the same value as a log record's body.
func TestStructured(t *testing.T) {
	for _, text := range []string{`{}`, `[]`, `null`, `"a\u0000b"`, `{"a":[1,-2.5,1e300,true,false,null,{"b":{}},[[]]],"a ":"x"}`, `9223372036854775807`, `{"a":{"b":[{"c":1}]}}`} {
		v, err := structured([]byte(text))
		var want any
		if err == nil {
			err = json.Unmarshal([]byte(text), &want)
		}
		if err != nil || sorted(t, plain(v)) != sorted(t, want) {
			t.Errorf("%s: %v %v", text, v, err)
		}
	}
	for _, text := range []string{`{`, `[1`, ``, `{"a":}`, `1 2`, `{} {}`, `{"a":1e999}`} {
		if v, err := structured([]byte(text)); err == nil {
			t.Errorf("%q is %v", text, v)
		}
	}
	if r, err := sink(t, sinktest.Options{URL: "http://a.example.com"}, nil).record(&sinks.Message{ID: "\xff", Account: "\xfe", Severity: "\xfd", Body: []byte(`{}`)}); err != nil || proto.Size(r) == 0 {
		t.Errorf("%v %v", r, err)
	} else if _, err := proto.Marshal(r); err != nil {
		t.Error(err)
	}
}

// TestPreview shows the request as JSON.
func TestPreview(t *testing.T) {
	var b bytes.Buffer
	c := Config{Config: remote.Config{URL: "https://collector.example.com:4318/v1/logs"}, Format: format.Noroshi}
	s, err := New(c, sinks.Env{Now: time.Now, Preview: &b})
	if err != nil {
		t.Fatal(err)
	}
	err = s.Send(t.Context(), []sinks.Message{sinktest.Message(1)})
	if text := b.String(); !errors.Is(err, sinks.ErrPreview) || !strings.HasPrefix(text, "POST /v1/logs HTTP/1.1\n") || !strings.Contains(text, "請求書") {
		t.Errorf("%v\n%s", err, text)
	}
}
