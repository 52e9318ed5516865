package event

import (
	"encoding/binary"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// Lower is strings.ToLower, quick for texts that are lower case already: eight bytes at a time.
func Lower(s string) string {
	if IsLower(s) {
		return s
	}
	return strings.ToLower(s)
}

// AppendLower appends Lower of a text.
func AppendLower(to []byte, s string) []byte {
	for len(s) >= 8 {
		w := load(s)
		if w&highs != 0 {
			break
		}
		to = binary.LittleEndian.AppendUint64(to, w|capitals(w)>>2)
		s = s[8:]
	}
	for i := range len(s) {
		c := s[i]
		if c >= utf8.RuneSelf {
			for _, r := range s[i:] {
				to = utf8.AppendRune(to, unicode.ToLower(r))
			}
			return to
		}
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		to = append(to, c)
	}
	return to
}

// IsLower reports whether a text is surely lower case: it has no capital of ASCII and nothing beyond ASCII.
func IsLower(s string) bool {
	var odd uint64
	for len(s) >= 8 {
		odd |= capitals(load(s))
		s = s[8:]
	}
	for i := range len(s) {
		odd |= capitals(uint64(s[i]) | '.'*(ones^1))
	}
	return odd == 0
}

// capitals marks the bytes of w that are A to Z or not ASCII.
func capitals(w uint64) uint64 {
	low := w &^ highs
	return (low+(0x80-'A')*ones)&^(low+(0x80-'Z'-1)*ones)&highs | w&highs
}

// load is eight bytes as one word; the compiler makes it one instruction.
func load(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 | uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}
