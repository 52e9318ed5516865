package state

import (
	"encoding/binary"
	"errors"
	"math"
)

// ErrRow says that bytes are no packed memory.
var ErrRow = errors.New("not a packed memory")

// Fields reads the numbers and texts of a row; after the first that cannot be read all are empty.
type Fields struct {
	b      []byte
	failed bool
}

// Read begins to read a row.
func Read(row []byte) *Fields { return &Fields{b: row} }

// Uint reads what binary.AppendUvarint wrote.
func (f *Fields) Uint() uint64 {
	n, k := binary.Uvarint(f.b)
	if k <= 0 {
		f.failed, f.b = true, nil
		return 0
	}
	f.b = f.b[k:]
	return n
}

// Int reads what binary.AppendVarint wrote.
func (f *Fields) Int() int64 {
	n, k := binary.Varint(f.b)
	if k <= 0 {
		f.failed, f.b = true, nil
		return 0
	}
	f.b = f.b[k:]
	return n
}

// Byte reads one byte.
func (f *Fields) Byte() byte {
	if len(f.b) == 0 {
		f.failed = true
		return 0
	}
	b := f.b[0]
	f.b = f.b[1:]
	return b
}

// Word reads eight bytes, the highest first.
func (f *Fields) Word() uint64 {
	if len(f.b) < 8 {
		f.failed, f.b = true, nil
		return 0
	}
	n := binary.BigEndian.Uint64(f.b)
	f.b = f.b[8:]
	return n
}

// Float reads what AppendFloat wrote.
func (f *Fields) Float() float64 { return math.Float64frombits(f.Word()) }

// AppendFloat appends a number's bits.
func AppendFloat(to []byte, n float64) []byte {
	return binary.BigEndian.AppendUint64(to, math.Float64bits(n))
}

// Bytes reads what AppendBytes wrote. They share the row's memory.
func (f *Fields) Bytes() []byte {
	n := f.Uint()
	if n > uint64(len(f.b)) {
		f.failed, f.b = true, nil
		return nil
	}
	t := f.b[:n:n]
	f.b = f.b[n:]
	return t
}

// Many reads a number of things that take at least one byte each.
func (f *Fields) Many() int {
	n := f.Uint()
	if n > uint64(len(f.b)) {
		f.failed, f.b = true, nil
		return 0
	}
	return int(n)
}

// Err is ErrRow where something could not be read, or something is left.
func (f *Fields) Err() error {
	if f.failed || len(f.b) > 0 {
		return ErrRow
	}
	return nil
}

// AppendBytes appends bytes behind their length.
func AppendBytes[T string | []byte](to []byte, b T) []byte {
	return append(binary.AppendUvarint(to, uint64(len(b))), b...)
}
