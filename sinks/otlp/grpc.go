package otlp

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"
	"google.golang.org/protobuf/encoding/protowire"

	"noroshi/sinks"
	"noroshi/sinks/remote"
)

// grpcType is the type of requests and answers over gRPC.
const grpcType = "application/grpc"

// frame is a message as gRPC carries it, compressed: a mark, its length, itself.
// Source: gRPC over HTTP/2, "Length-Prefixed-Message".
func frame(body []byte) []byte {
	packed := remote.Packed(body)
	b := append(make([]byte, 0, len(packed)+5), 1)
	b = binary.BigEndian.AppendUint32(b, uint32(len(packed))) //nolint:gosec // a request is some MiB
	return append(b, packed...)
}

// maxMessage bounds an answer, in bytes.
const maxMessage = 64 << 10

// unframed is the message of an answer. Receivers compress theirs as we do ours.
func unframed(b []byte, encoding string) ([]byte, error) {
	if len(b) < 5 || uint64(len(b)-5) != uint64(binary.BigEndian.Uint32(b[1:])) {
		return nil, errFrame
	}
	switch {
	case b[0] == 0:
		return b[5:], nil
	case b[0] != 1 || encoding != "gzip":
		return nil, errFrame
	}
	z, err := gzip.NewReader(bytes.NewReader(b[5:]))
	if err != nil {
		return nil, errFrame
	}
	all, err := io.ReadAll(io.LimitReader(z, maxMessage+1))
	if err != nil || len(all) > maxMessage {
		return nil, errFrame
	}
	return all, nil
}

// The codes of gRPC that are the request's fault, and that of what is exhausted, which may be. INTERNAL and UNKNOWN
// are of receivers that break, maybe on what the request holds.
// Source: gRPC, "Status codes and their use".
const (
	unknown           = 2
	invalidArgument   = 3
	resourceExhausted = 8
	internal          = 13
)

// codes are the names of codes.
var codes = []string{"OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED",
	"INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED"}

// judgeGRPC says what an answer means. The code comes after the message, or in the header of an answer without a message.
func (s *Sink) judgeGRPC(a *remote.Answer, messages int) error {
	if a.Status != 200 {
		return s.Refusal(a)
	}
	from := a.Trailer
	if from.Get("Grpc-Status") == "" {
		from = a.Header
	}
	code, err := strconv.Atoi(from.Get("Grpc-Status"))
	switch {
	case a.Err != nil:
		return &sinks.Fault{Cause: a.Err}
	case err != nil || code < 0 || code >= len(codes) || !strings.HasPrefix(a.Header.Get("Content-Type"), grpcType):
		return s.noReceiver("status 200")
	case code == 0:
		body, err := unframed(a.Body, a.Header.Get("Grpc-Encoding"))
		if err != nil {
			return s.noReceiver("code OK")
		}
		return s.partial(body, messages)
	}
	text, err := url.PathUnescape(from.Get("Grpc-Message"))
	if err != nil {
		text = from.Get("Grpc-Message")
	}
	cause := fmt.Errorf("post alerts: %s: %s: %s", s.Host(), codes[code], s.Said(text))
	if code == invalidArgument || code == resourceExhausted && strings.Contains(text, "larger than max") {
		return &sinks.Refused{Cause: cause}
	}
	if code == internal || code == unknown {
		return &internalFault{cause}
	}
	return &sinks.Fault{Cause: cause, RetryAfter: retryInfo(from.Get("Grpc-Status-Details-Bin"))}
}

const (
	retryType = "type.googleapis.com/google.rpc.RetryInfo"
	longest   = time.Hour
)

// retryInfo is how long a receiver asks to wait; 0 where it does not say.
// Source: google.rpc.Status, its details, google.rpc.RetryInfo, google.protobuf.Duration.
func retryInfo(header string) time.Duration {
	b, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(header, "="))
	if err != nil {
		return 0
	}
	for len(b) > 0 {
		n, kind, size := protowire.ConsumeTag(b)
		if size < 0 {
			return 0
		}
		b = b[size:]
		if size = protowire.ConsumeFieldValue(n, kind, b); size < 0 {
			return 0
		}
		if n == 3 && kind == protowire.BytesType {
			detail, _ := protowire.ConsumeBytes(b) // its length was looked at above
			if wait := waitOf(detail); wait > 0 {
				return wait
			}
		}
		b = b[size:]
	}
	return 0
}

// waitOf is the wait of a detail that is a RetryInfo.
func waitOf(detail []byte) time.Duration {
	packed, err := fields(detail)
	if err != nil || string(packed[1].bytes) != retryType {
		return 0
	}
	info, err := fields(packed[2].bytes)
	if err != nil {
		return 0
	}
	d, err := fields(info[1].bytes)
	seconds := int64(d[1].number) //nolint:gosec // so protobuf writes what is below zero
	if err != nil || seconds < 0 {
		return 0
	}
	return min(time.Duration(min(seconds, 3600))*time.Second+time.Duration(min(d[2].number, 999_999_999)), longest) //nolint:gosec // both are small
}
