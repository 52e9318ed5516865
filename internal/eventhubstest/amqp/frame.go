package amqp

import (
	"encoding/binary"
	"fmt"
	"io"
)

// Performative is the descriptor of a frame's body.
type Performative = uint64

// The performatives of the transport (part 2, section 2.7) and of SASL (part 5, section 5.3.3).
const (
	Open        Performative = 0x10
	Begin       Performative = 0x11
	Attach      Performative = 0x12
	Flow        Performative = 0x13
	Transfer    Performative = 0x14
	Disposition Performative = 0x15
	Detach      Performative = 0x16
	End         Performative = 0x17
	Close       Performative = 0x18

	SASLMechanisms Performative = 0x40
	SASLInit       Performative = 0x41
	SASLOutcome    Performative = 0x44
)

// The other composite types (part 2, section 2.8.14; part 3, sections 3.4 and 3.5).
const (
	codeError    = 0x1d
	codeAccepted = 0x24
	codeRejected = 0x25
	codeSource   = 0x28
	codeTarget   = 0x29
)

// The first bytes on a connection, and of SASL in front of it (part 2, section 2.2; part 5, section 5.3.1).
const (
	Header     = "AMQP\x00\x01\x00\x00"
	SASLHeader = "AMQP\x03\x01\x00\x00"
)

// Kind is the type of a frame.
type Kind byte

// The kinds of frames.
const (
	Plain Kind = 0
	SASL  Kind = 1
)

// Heartbeat is a frame without a body, which keeps a connection alive.
const Heartbeat = "\x00\x00\x00\x08\x02\x00\x00\x00"

// head is the size of a frame's header, the smallest frame.
const head = 8

// Frame is a frame; one without Fields and Code is a heartbeat.
type Frame struct {
	Channel uint16
	Code    Performative
	Fields  List
	Payload []byte
}

// ReadFrame reads a frame of at most limit bytes.
func ReadFrame(r io.Reader, limit uint32) (f Frame, err error) {
	var h [head]byte
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return f, err
	}
	size, body := binary.BigEndian.Uint32(h[:]), uint32(h[4])*4
	if size < head || body < head || body > size || size > limit {
		return f, fmt.Errorf("amqp: a frame of %d bytes with its body at %d; the limit is %d", size, body, limit)
	}
	b := make([]byte, size-head)
	if _, err := io.ReadFull(r, b); err != nil {
		return f, err
	}
	f.Channel = binary.BigEndian.Uint16(h[6:])
	if b = b[body-head:]; len(b) == 0 {
		return f, nil
	}
	v, rest, err := Decode(b)
	if err != nil {
		return f, err
	}
	d, ok := v.(Described)
	fields, isList := d.Value.(List)
	if !ok || !isList {
		return f, fmt.Errorf("amqp: a frame with the body %T", v)
	}
	f.Code, f.Fields, f.Payload = d.Code, fields, rest
	return f, nil
}

// AppendFrame adds a frame.
func AppendFrame(b []byte, kind Kind, f Frame) []byte {
	at := len(b)
	b = append(b, 0, 0, 0, 0, head/4, byte(kind))
	b = binary.BigEndian.AppendUint16(b, f.Channel)
	b = Described{Code: f.Code, Value: f.Fields}.encode(b)
	b = append(b, f.Payload...)
	binary.BigEndian.PutUint32(b[at:], uint32(len(b)-at))
	return b
}

// Error is the error of a detach, a close or a rejection.
func Error(condition, description string) Described {
	return Described{Code: codeError, Value: List{Symbol(condition), String(description)}}
}

// Accepted is the outcome of a delivery that was taken.
func Accepted() Described { return Described{Code: codeAccepted, Value: List{}} }

// Rejected is the outcome of a delivery that was refused.
func Rejected(condition, description string) Described {
	return Described{Code: codeRejected, Value: List{Error(condition, description)}}
}

// Source is the source of a link, with the filters it obeys.
func Source(address string, filters Map) Described {
	l := List{String(address), nil, nil, nil, nil, nil, nil, nil}
	if filters != nil {
		l[7] = filters
	}
	return Described{Code: codeSource, Value: l}
}

// Target is the target of a link.
func Target(address string) Described {
	return Described{Code: codeTarget, Value: List{String(address)}}
}
