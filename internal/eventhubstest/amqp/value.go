// Package amqp encodes and decodes what of AMQP 1.0 an Event Hubs namespace and its clients say to each other.
//
// Sections named in comments are those of OASIS Advanced Message Queuing Protocol 1.0, parts 1 (types), 2 (transport),
// 3 (messaging) and 5 (security).
package amqp

import (
	"encoding/binary"
	"math"
	"time"
)

// Value is a value of the type system (part 1, section 1.6); nil is null.
type Value interface {
	// encode adds the value behind its constructor.
	encode(b []byte) []byte
}

// The primitive types (part 1, section 1.6).
type (
	// Bool is a boolean.
	Bool bool
	// Ubyte has 8 bits.
	Ubyte uint8
	// Ushort has 16 bits.
	Ushort uint16
	// Uint has 32 bits.
	Uint uint32
	// Ulong has 64 bits.
	Ulong uint64
	// Byte has 8 bits and a sign.
	Byte int8
	// Short has 16 bits and a sign.
	Short int16
	// Int has 32 bits and a sign.
	Int int32
	// Long has 64 bits and a sign.
	Long int64
	// Float is IEEE 754 binary32.
	Float float32
	// Double is IEEE 754 binary64.
	Double float64
	// Timestamp is milliseconds of Unix time.
	Timestamp int64
	// UUID is a UUID in network order.
	UUID [16]byte
	// Binary is bytes.
	Binary []byte
	// String is UTF-8.
	String string
	// Symbol is ASCII, of a fixed vocabulary.
	Symbol string
)

// Opaque is a primitive this package passes on without a look inside: a character or a decimal number.
type Opaque struct {
	Code  byte
	Bytes []byte
}

// List is a list, or an array that was received.
type List []Value

// Strings is an array of strings to send.
type Strings []string

// Symbols is an array of symbols to send.
type Symbols []string

// Pair is one entry of a Map.
type Pair struct{ Key, Value Value }

// Map keeps its entries in the order of the wire: keys may be of any type, and what cannot be compared cannot be one of
// Go's map keys.
type Map []Pair

// Described is a value with a descriptor: the symbol Name, or the number Code where Name is empty.
type Described struct {
	Code  uint64
	Name  Symbol
	Value Value
}

// Append adds a value with its constructor.
func Append(b []byte, v Value) []byte {
	if v == nil {
		return append(b, 0x40)
	}
	return v.encode(b)
}

// Time is the timestamp of a time.
func Time(t time.Time) Timestamp { return Timestamp(t.UnixMilli()) }

// Text is the text of a string or a symbol, "" of anything else.
func Text(v Value) string {
	switch v := v.(type) {
	case String:
		return string(v)
	case Symbol:
		return string(v)
	}
	return ""
}

// Get is the value of a key that is a string or a symbol.
func (m Map) Get(key string) Value {
	for _, p := range m {
		switch p.Key.(type) {
		case String, Symbol:
			if Text(p.Key) == key {
				return p.Value
			}
		}
	}
	return nil
}

// Field is one field of a composite type (part 1, section 1.4); not ok where it is absent, null or of another type.
func Field[T Value](l List, i int) (v T, ok bool) {
	if i < len(l) {
		v, ok = l[i].(T)
	}
	return v, ok
}

func (v Bool) encode(b []byte) []byte {
	if v {
		return append(b, 0x41)
	}
	return append(b, 0x42)
}

func (v Ubyte) encode(b []byte) []byte { return append(b, 0x50, byte(v)) }
func (v Byte) encode(b []byte) []byte  { return append(b, 0x51, byte(v)) }
func (v Ushort) encode(b []byte) []byte {
	return binary.BigEndian.AppendUint16(append(b, 0x60), uint16(v))
}
func (v Short) encode(b []byte) []byte {
	return binary.BigEndian.AppendUint16(append(b, 0x61), uint16(v))
}
func (v Uint) encode(b []byte) []byte {
	return binary.BigEndian.AppendUint32(append(b, 0x70), uint32(v))
}
func (v Int) encode(b []byte) []byte {
	return binary.BigEndian.AppendUint32(append(b, 0x71), uint32(v))
}
func (v Ulong) encode(b []byte) []byte {
	return binary.BigEndian.AppendUint64(append(b, 0x80), uint64(v))
}
func (v Long) encode(b []byte) []byte {
	return binary.BigEndian.AppendUint64(append(b, 0x81), uint64(v))
}

func (v Float) encode(b []byte) []byte {
	return binary.BigEndian.AppendUint32(append(b, 0x72), math.Float32bits(float32(v)))
}

func (v Double) encode(b []byte) []byte {
	return binary.BigEndian.AppendUint64(append(b, 0x82), math.Float64bits(float64(v)))
}

func (v Timestamp) encode(b []byte) []byte {
	return binary.BigEndian.AppendUint64(append(b, 0x83), uint64(v))
}

func (v UUID) encode(b []byte) []byte   { return append(append(b, 0x98), v[:]...) }
func (v Opaque) encode(b []byte) []byte { return append(append(b, v.Code), v.Bytes...) }
func (v Binary) encode(b []byte) []byte { return variable(b, 0xa0, string(v)) }
func (v String) encode(b []byte) []byte { return variable(b, 0xa1, string(v)) }
func (v Symbol) encode(b []byte) []byte { return variable(b, 0xa3, string(v)) }

func (v List) encode(b []byte) []byte {
	if len(v) == 0 {
		return append(b, 0x45)
	}
	return compound(b, 0xd0, len(v), func(b []byte) []byte {
		for _, x := range v {
			b = Append(b, x)
		}
		return b
	})
}

func (m Map) encode(b []byte) []byte {
	return compound(b, 0xd1, 2*len(m), func(b []byte) []byte {
		for _, p := range m {
			b = Append(Append(b, p.Key), p.Value)
		}
		return b
	})
}

func (v Strings) encode(b []byte) []byte { return array(b, 0xb1, v) }
func (v Symbols) encode(b []byte) []byte { return array(b, 0xb3, v) }

func (v Described) encode(b []byte) []byte {
	b = append(b, 0x00)
	switch {
	case v.Name != "":
		b = v.Name.encode(b)
	case v.Code < 256:
		b = append(b, 0x53, byte(v.Code))
	default:
		b = Ulong(v.Code).encode(b)
	}
	return Append(b, v.Value)
}

// variable writes a value with a length: in one byte where that holds it, in four otherwise.
func variable(b []byte, code byte, s string) []byte {
	if len(s) < 256 {
		b = append(b, code, byte(len(s)))
	} else {
		b = binary.BigEndian.AppendUint32(append(b, code|0x10), uint32(len(s)))
	}
	return append(b, s...)
}

// compound writes size, count and what fill adds.
func compound(b []byte, code byte, count int, fill func([]byte) []byte) []byte {
	b = append(b, code)
	at := len(b)
	b = append(b, 0, 0, 0, 0)
	b = binary.BigEndian.AppendUint32(b, uint32(count))
	b = fill(b)
	binary.BigEndian.PutUint32(b[at:], uint32(len(b)-at-4))
	return b
}

// array writes items of one constructor with lengths of four bytes.
func array(b []byte, constructor byte, items []string) []byte {
	return compound(b, 0xf0, len(items), func(b []byte) []byte {
		b = append(b, constructor)
		for _, s := range items {
			b = append(binary.BigEndian.AppendUint32(b, uint32(len(s))), s...)
		}
		return b
	})
}
