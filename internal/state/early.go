package state

import "fmt"

// Rows of earlier versions hold one memory each; a long one was cut into pieces, and its row held their names. They are read, and the first
// round takes them away.
const (
	keyMemory = 'm' // then the key; the value holds the memory, or the names of its pieces
	keyPiece  = 'p' // then the piece's name and the key

	formatWhole  = 1
	formatPieces = 2
	pieceName    = 16
)

// Earlier tells who has written rows. Where an earlier version has gone on behind groups, which it does not read, these do not count any
// more: its rows are newer, and what was added would not fit them.
func (c *Changelog) Earlier(by map[string]int64) {
	c.early = 0
	for key, owner := range by {
		if key != "" && (key[0] == keyMemory || key[0] == keyPiece) {
			c.early = max(c.early, owner)
		}
	}
}

// early reads the row of a memory.
func (m memories) early(rows map[string][]byte, key string, value []byte) {
	packed, err := readEarly(rows, key, value)
	m[key] = memory{packed, err}
}

func readEarly(rows map[string][]byte, key string, value []byte) (packed []byte, err error) {
	if len(value) == 0 {
		return nil, ErrRow
	}
	format, rest := value[0], value[1:]
	switch {
	case format == formatWhole:
		return rest[:len(rest):len(rest)], nil
	case format != formatPieces:
		return nil, fmt.Errorf("%w: %d", ErrFormat, format)
	case len(rest)%pieceName != 0:
		return nil, ErrRow
	}
	for ; len(rest) > 0; rest = rest[pieceName:] {
		part, ok := rows[string(keyPiece)+string(rest[:pieceName])+key]
		if !ok {
			return nil, ErrPiece
		}
		packed = append(packed, part...)
	}
	return packed, nil
}
