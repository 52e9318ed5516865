package amqp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// maxDepth is how deep values may nest. An attach, the deepest thing clients send, takes five.
const maxDepth = 16

// room is how many elements have their place before the first was read: a count alone reserves no more.
const room = 64

var (
	errShort = errors.New("amqp: a value reaches beyond its end")
	errDeep  = fmt.Errorf("amqp: values nest deeper than %d", maxDepth)
)

// Decode reads one value and returns it with the bytes behind it. Arrays come back as lists. Binary values are parts of
// b. The work and the memory are bounded by the length of b.
func Decode(b []byte) (Value, []byte, error) { return decode(b, 0) }

func decode(b []byte, depth int) (Value, []byte, error) {
	switch {
	case depth > maxDepth:
		return nil, nil, errDeep
	case len(b) == 0:
		return nil, nil, errShort
	case b[0] != 0x00:
		return content(b[0], b[1:], depth)
	}
	descriptor, b, err := decode(b[1:], depth+1)
	if err != nil {
		return nil, nil, err
	}
	v, b, err := decode(b, depth+1)
	if err != nil {
		return nil, nil, err
	}
	switch d := descriptor.(type) {
	case Ulong:
		return Described{Code: uint64(d), Value: v}, b, nil
	case Symbol:
		return Described{Name: d, Value: v}, b, nil
	}
	return nil, nil, fmt.Errorf("amqp: a descriptor is neither number nor symbol but %T", descriptor)
}

// content reads the value behind a constructor (part 1, section 1.2).
func content(code byte, b []byte, depth int) (Value, []byte, error) {
	size, b, err := width(code, b)
	if err != nil {
		return nil, nil, err
	}
	if size > len(b) {
		return nil, nil, errShort
	}
	p, rest := b[:size:size], b[size:]
	var v Value
	switch code >> 4 {
	case 0xc, 0xd:
		v, err = sequence(code, p, depth)
	case 0xe, 0xf:
		v, err = items(code, p, depth)
	default:
		v, err = primitive(code, p)
	}
	return v, rest, err
}

// width is how many bytes a value takes: the constructor's upper half says it, or where it stands.
func width(code byte, b []byte) (int, []byte, error) {
	switch code >> 4 {
	case 0x4:
		return 0, b, nil
	case 0x5, 0x6, 0x7, 0x8, 0x9:
		return 1 << (code>>4 - 5), b, nil
	case 0xa, 0xc, 0xe:
		return length(false, b)
	case 0xb, 0xd, 0xf:
		return length(true, b)
	}
	return 0, nil, fmt.Errorf("amqp: no constructor %#02x", code)
}

func length(wide bool, b []byte) (int, []byte, error) {
	switch {
	case wide && len(b) >= 4:
		return int(binary.BigEndian.Uint32(b)), b[4:], nil
	case !wide && len(b) >= 1:
		return int(b[0]), b[1:], nil
	}
	return 0, nil, errShort
}

func primitive(code byte, p []byte) (Value, error) {
	be := binary.BigEndian
	switch code {
	case 0x40:
		return nil, nil
	case 0x41:
		return Bool(true), nil
	case 0x42:
		return Bool(false), nil
	case 0x43:
		return Uint(0), nil
	case 0x44:
		return Ulong(0), nil
	case 0x45:
		return List{}, nil
	case 0x50:
		return Ubyte(p[0]), nil
	case 0x51:
		return Byte(p[0]), nil
	case 0x52:
		return Uint(p[0]), nil
	case 0x53:
		return Ulong(p[0]), nil
	case 0x54:
		return Int(int8(p[0])), nil
	case 0x55:
		return Long(int8(p[0])), nil
	case 0x56:
		return Bool(p[0] != 0), nil
	case 0x60:
		return Ushort(be.Uint16(p)), nil
	case 0x61:
		return Short(be.Uint16(p)), nil
	case 0x70:
		return Uint(be.Uint32(p)), nil
	case 0x71:
		return Int(be.Uint32(p)), nil
	case 0x72:
		return Float(math.Float32frombits(be.Uint32(p))), nil
	case 0x80:
		return Ulong(be.Uint64(p)), nil
	case 0x81:
		return Long(be.Uint64(p)), nil
	case 0x82:
		return Double(math.Float64frombits(be.Uint64(p))), nil
	case 0x83:
		return Timestamp(be.Uint64(p)), nil
	case 0x98:
		return UUID(p), nil
	case 0x73, 0x74, 0x84, 0x94:
		return Opaque{code, p}, nil
	case 0xa0, 0xb0:
		return Binary(p), nil
	case 0xa1, 0xb1:
		return String(p), nil
	case 0xa3, 0xb3:
		return Symbol(p), nil
	}
	return nil, fmt.Errorf("amqp: no constructor %#02x", code)
}

// sequence reads a list or a map. Every element takes a byte at least, so no count may exceed the bytes there are.
func sequence(code byte, p []byte, depth int) (Value, error) {
	n, p, err := length(code&0x10 != 0, p)
	if err != nil {
		return nil, err
	}
	if n > len(p) {
		return nil, errShort
	}
	all := make(List, 0, min(n, room))
	for range n {
		var v Value
		if v, p, err = decode(p, depth+1); err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	switch {
	case code&0xf == 0:
		return all, nil
	case code&0xf != 1:
		return nil, fmt.Errorf("amqp: no constructor %#02x", code)
	case n%2 != 0:
		return nil, errors.New("amqp: a map has a key without a value")
	}
	m := make(Map, n/2)
	for i := range m {
		m[i] = Pair{all[2*i], all[2*i+1]}
	}
	return m, nil
}

// items reads an array. Its elements may take no byte at all, such as a million times null; still no count may exceed
// the bytes there are.
func items(code byte, p []byte, depth int) (Value, error) {
	n, p, err := length(code&0x10 != 0, p)
	if err != nil {
		return nil, err
	}
	switch {
	case code&0xf != 0:
		return nil, fmt.Errorf("amqp: no constructor %#02x", code)
	case len(p) == 0 || n > len(p)-1:
		return nil, errShort
	case p[0] == 0x00:
		return nil, errors.New("amqp: arrays of described values are not known here")
	case depth >= maxDepth:
		return nil, errDeep
	}
	constructor, p := p[0], p[1:]
	all := make(List, 0, min(n, room))
	for range n {
		var v Value
		if v, p, err = content(constructor, p, depth+1); err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, nil
}
