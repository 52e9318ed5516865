package event

import "strings"

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// Lower is strings.ToLower, quick for texts that are lower case already: eight bytes at a time.
func Lower(s string) string {
	if plainLower(s) {
		return s
	}
	return strings.ToLower(s)
}

// plainLower reports whether lowering would change nothing: no capital of ASCII and nothing beyond ASCII.
func plainLower(s string) bool {
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
