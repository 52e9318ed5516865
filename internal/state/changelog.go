package state

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
)

// Changelog turns packed memories into rows of bounded size, and writes of a long one only what has changed: memory that holds many
// events is cut where its bytes say so, so that what comes or goes at one place leaves the other pieces as they are. Rows of one
// Changelog are read behind each other, in the order in which they were written or, of each key, the last one alone. It belongs to one
// goroutine.
type Changelog struct {
	long map[string]pieces // by key: the pieces of memories that are written in more than one row
	kept map[string]bool   // keys whose row could not be read: their pieces stay
}

// piece is what a piece is known by.
type piece [16]byte

type pieces map[piece]struct{}

func (p pieces) has(name piece) bool {
	_, have := p[name]
	return have
}

// The first byte of a row's key tells what the row is, the first byte of its value the format.
const (
	keyMemory = 'm' // then the key; the value holds the memory, or the names of its pieces
	keyPiece  = 'p' // then the piece's name and the key

	formatWhole  = 1
	formatPieces = 2
)

// The sizes of rows, in bytes.
const (
	wholeMost = 4 << 10
	pieceMost = 16 << 10
	pieceMask = 2<<10 - 1 // behind its least a piece is about so long
	pieceMin  = 512
)

// Put gives the rows that write the memory of a key. A row's bytes are each's to keep.
func (c *Changelog) Put(key, memory []byte, each func(key, value []byte)) {
	was := c.long[string(key)]
	if len(memory) <= wholeMost {
		each(memoryKey(key), append([]byte{formatWhole}, memory...))
		c.forget(key, was, nil, each)
		return
	}
	now := make(pieces, len(memory)/pieceMask+1)
	index := []byte{formatPieces}
	for part := range cut(memory) {
		sum := sha256.Sum256(part)
		name := piece(sum[:16])
		index = append(index, name[:]...)
		if !was.has(name) && !now.has(name) {
			each(pieceKey(name, key), bytes.Clone(part))
		}
		now[name] = struct{}{}
	}
	each(memoryKey(key), index)
	c.forget(key, was, now, each)
}

// Drop gives the rows that take the memory of a key away.
func (c *Changelog) Drop(key []byte, each func(key, value []byte)) {
	each(memoryKey(key), nil)
	c.forget(key, c.long[string(key)], nil, each)
}

// forget takes away the pieces that a memory does not need any more. It comes last, so that whatever part of the rows is there, the
// memory that is named can be read.
func (c *Changelog) forget(key []byte, was, now pieces, each func(key, value []byte)) {
	for name := range was {
		if !now.has(name) {
			each(pieceKey(name, key), nil)
		}
	}
	c.hold(string(key), now)
}

// hold notes the pieces of a memory.
func (c *Changelog) hold(key string, now pieces) {
	switch {
	case len(now) == 0:
		delete(c.long, key)
	case c.long == nil:
		c.long = map[string]pieces{key: now}
	default:
		c.long[key] = now
	}
}

func memoryKey(key []byte) []byte { return append([]byte{keyMemory}, key...) }

func pieceKey(name piece, key []byte) []byte {
	return append(append([]byte{keyPiece}, name[:]...), key...)
}

// The errors of rows.
var (
	ErrFormat = errors.New("the row is of a newer format")
	ErrPiece  = errors.New("a piece of the memory is missing")
)

// Load gives the memories of rows, the last of each key, and begins to write on behind them. Of a memory that cannot be read the bytes
// are nil and err tells why.
func (c *Changelog) Load(rows map[string][]byte, each func(key, memory []byte, err error)) {
	c.long, c.kept = nil, map[string]bool{}
	for k, value := range rows {
		if k == "" || k[0] != keyMemory && k[0] != keyPiece {
			each([]byte(k), nil, ErrFormat)
			continue
		}
		if k[0] == keyPiece {
			continue
		}
		memory, names, err := whole(rows, k[1:], value)
		if err != nil {
			c.kept[k[1:]] = true
		} else {
			c.hold(k[1:], names)
		}
		each([]byte(k[1:]), memory, err)
	}
}

// Stray gives the rows that take away pieces which no memory names: a process that was killed has left them.
func (c *Changelog) Stray(rows map[string][]byte, each func(key, value []byte)) {
	for k := range rows {
		if len(k) < 1+len(piece{}) || k[0] != keyPiece {
			continue
		}
		name := piece([]byte(k[1 : 1+len(piece{})]))
		if of := k[1+len(piece{}):]; !c.long[of].has(name) && !c.kept[of] {
			each([]byte(k), nil)
		}
	}
}

// whole puts a memory together.
func whole(rows map[string][]byte, key string, value []byte) (memory []byte, names pieces, err error) {
	if len(value) == 0 {
		return nil, nil, ErrRow
	}
	format, rest := value[0], value[1:]
	switch {
	case format == formatWhole:
		return rest, nil, nil
	case format != formatPieces:
		return nil, nil, fmt.Errorf("%w: %d", ErrFormat, format)
	case len(rest)%len(piece{}) != 0:
		return nil, nil, ErrRow
	}
	names = pieces{}
	for len(rest) > 0 {
		name := piece(rest[:len(piece{})])
		names[name], rest = struct{}{}, rest[len(piece{}):]
		part, ok := rows[string(pieceKey(name, []byte(key)))]
		if !ok {
			return nil, names, ErrPiece
		}
		memory = append(memory, part...)
	}
	return memory, names, nil
}

// cut cuts bytes into pieces where the bytes before say so.
func cut(b []byte) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for len(b) > 0 {
			n := boundary(b)
			if !yield(b[:n:n]) {
				return
			}
			b = b[n:]
		}
	}
}

// boundary is where the first piece ends: behind 64 bytes whose hash has zeros at its end.
func boundary(b []byte) int {
	if len(b) <= pieceMin {
		return len(b)
	}
	most := min(len(b), pieceMost)
	var h uint64
	for i := pieceMin - 64; i < most; i++ {
		h = h<<1 + gear[b[i]]
		if i >= pieceMin && h>>20&pieceMask == 0 {
			return i + 1
		}
	}
	return most
}

// gear is a number for each byte, always the same.
var gear = func() (all [256]uint64) {
	for i := range all {
		sum := sha256.Sum256([]byte{byte(i)})
		all[i] = binary.BigEndian.Uint64(sum[:])
	}
	return all
}()
