package otlp

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"

	"noroshi/sinks"
	"noroshi/sinks/remote"
)

// protobuf is the type of requests and answers over HTTP.
const protobuf = "application/x-protobuf"

// judgeHTTP makes of an answer what it means.
// Source: OTLP 1.9, "OTLP/HTTP Response".
func (s *Sink) judgeHTTP(a *remote.Answer, messages int) error {
	kind, _, _ := strings.Cut(a.Header.Get("Content-Type"), ";")
	spoken := strings.TrimSpace(kind) == protobuf
	switch {
	case !a.OK() && spoken: // a google.rpc.Status
		if f, err := fields(a.Body); err == nil {
			if a.Status == http.StatusInternalServerError {
				return &internalFault{s.Status(a, string(f[2].bytes))}
			}
			return sinks.ByStatus(s.Status(a, string(f[2].bytes)), a.RetryAfter)
		}
		return s.Refusal(a)
	case !a.OK():
		return s.Refusal(a)
	case a.Err != nil:
		return &sinks.Fault{Cause: a.Err}
	case a.Status != 200 || !spoken:
		return s.noReceiver(fmt.Sprintf("status %d", a.Status))
	}
	return s.partial(a.Body, messages)
}

// noReceiver is an answer of success that does not come from a receiver of OTLP: who knows who took the alerts.
func (s *Sink) noReceiver(said string) error {
	return &sinks.Fault{Cause: fmt.Errorf("post alerts: %s: %s, but the answer is not that of a receiver of OTLP over %s; is the url right?", s.Host(), said, s.Protocol)}
}

// partial reads an answer of success. It may say that some records are refused, and not which ones: then the request is halved until
// they are found, and the others come twice, with the uids that they had.
func (s *Sink) partial(body []byte, messages int) error {
	all, err := fields(body)
	var part map[protowire.Number]field
	if err == nil {
		part, err = fields(all[1].bytes)
	}
	if err != nil {
		return s.noReceiver("success")
	}
	rejected, why := part[1].number, s.Said(string(part[2].bytes))
	if rejected > 0 {
		return &sinks.Refused{Cause: fmt.Errorf("%d of %d log records are refused: %s", min(rejected, uint64(messages)), messages, why)} //nolint:gosec // a count
	}
	if why != "" && !s.warned && s.env.Log != nil {
		s.warned = true
		s.env.Log.Warn("a receiver of OTLP takes everything and warns", slog.String("host", s.Host()), slog.String("says", why))
	}
	return nil
}

// field is a field of a message: the last of its number.
type field struct {
	number uint64
	bytes  []byte
}

// fields reads a small message. A field that is not there is zero.
func fields(b []byte) (map[protowire.Number]field, error) {
	all := map[protowire.Number]field{}
	for len(b) > 0 {
		n, kind, size := protowire.ConsumeTag(b)
		if size < 0 {
			return nil, protowire.ParseError(size)
		}
		b = b[size:]
		f := field{}
		switch kind {
		case protowire.VarintType:
			f.number, size = protowire.ConsumeVarint(b)
		case protowire.BytesType:
			f.bytes, size = protowire.ConsumeBytes(b)
		default:
			size = protowire.ConsumeFieldValue(n, kind, b)
		}
		if size < 0 {
			return nil, protowire.ParseError(size)
		}
		b, all[n] = b[size:], f
	}
	return all, nil
}

// errFrame is an answer whose message is not whole.
var errFrame = errors.New("the answer holds no whole message")
