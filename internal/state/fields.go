package state

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"strings"
	"unsafe"
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
		f.Fail()
		return 0
	}
	f.b = f.b[k:]
	return n
}

// Int reads what binary.AppendVarint wrote.
func (f *Fields) Int() int64 {
	n, k := binary.Varint(f.b)
	if k <= 0 {
		f.Fail()
		return 0
	}
	f.b = f.b[k:]
	return n
}

// Byte reads one byte.
func (f *Fields) Byte() byte {
	if len(f.b) == 0 {
		f.Fail()
		return 0
	}
	b := f.b[0]
	f.b = f.b[1:]
	return b
}

// Word reads eight bytes, the highest first.
func (f *Fields) Word() uint64 {
	if len(f.b) < 8 {
		f.Fail()
		return 0
	}
	n := binary.BigEndian.Uint64(f.b)
	f.b = f.b[8:]
	return n
}

// Short reads four bytes, the highest first.
func (f *Fields) Short() uint32 {
	if len(f.b) < 4 {
		f.Fail()
		return 0
	}
	n := binary.BigEndian.Uint32(f.b)
	f.b = f.b[4:]
	return n
}

// Float reads what AppendFloat wrote.
func (f *Fields) Float() float64 { return math.Float64frombits(f.Word()) }

// AppendFloat appends a number's bits.
func AppendFloat(to []byte, n float64) []byte {
	return binary.BigEndian.AppendUint64(to, math.Float64bits(n))
}

// Bytes reads what AppendBytes wrote. They share the row's memory.
func (f *Fields) Bytes() []byte { return f.some(f.Uint()) }

func (f *Fields) some(n uint64) []byte {
	if n > uint64(len(f.b)) {
		f.Fail()
		return nil
	}
	t := f.b[:n:n]
	f.b = f.b[n:]
	return t
}

// Text reads what AppendBytes wrote as a text that shares the row's memory.
func (f *Fields) Text() string { return f.Some(f.Uint()) }

// Some reads a text of so many bytes, which shares the row's memory.
func (f *Fields) Some(n uint64) string {
	b := f.some(n)
	return unsafe.String(unsafe.SliceData(b), len(b))
}

// AppendSorted appends a text so that the bytes compare as the texts do: a zero byte in it is followed by 255, its end is two zeros.
func AppendSorted(to []byte, h string) []byte {
	for {
		before, after, zero := strings.Cut(h, "\x00")
		to = append(to, before...)
		if !zero {
			return append(to, 0, 0)
		}
		to, h = append(to, 0, 255), after
	}
}

// Sorted reads what AppendSorted wrote, as a text that shares the row's memory where it can.
func (f *Fields) Sorted() string {
	i := bytes.IndexByte(f.b, 0)
	if i >= 0 && i+1 < len(f.b) && f.b[i+1] == 0 { // all but always
		t := f.Some(uint64(i))
		f.b = f.b[2:]
		return t
	}
	var text []byte
	for i := 0; i+1 < len(f.b); i++ {
		switch {
		case f.b[i] != 0:
			text = append(text, f.b[i])
			continue
		case f.b[i+1] == 0:
			f.b = f.b[i+2:]
			return string(text)
		case f.b[i+1] == 255:
			text = append(text, 0)
			i++
			continue
		}
		break
	}
	f.Fail()
	return ""
}

// Len is how many bytes are left.
func (f *Fields) Len() int { return len(f.b) }

// Fail says that what was read cannot be.
func (f *Fields) Fail() { f.failed, f.b = true, nil }

// Failed reports whether something could not be read.
func (f *Fields) Failed() bool { return f.failed }

// Many reads a number of things that take at least one byte each.
func (f *Fields) Many() int {
	n := f.Uint()
	if n > uint64(len(f.b)) {
		f.Fail()
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
