// Package projector takes the wanted values out of a JSON record and proves the rest well-formed in the same pass.
package projector

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// Slack is the number of readable bytes, the first of them a zero, that must follow a record.
const Slack = 32

// MaxDepth is how deep a record may nest: the brackets that are open live in one machine word.
const MaxDepth = 64

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// special marks the bytes of w that end a run of plain text: a quote, a backslash, a control character.
// Only the lowest mark is exact, because a borrow may spoil the ones above it.
func special(w uint64) uint64 {
	return ((w ^ 0x02*ones) - 0x21*ones | ((w ^ '\\'*ones) - ones)) & ^w & highs
}

// text scans a string from the byte after its opening quote to the byte after its closing one.
// All positions of this package are negative after a mistake: the complement of its place.
func text(b []byte, p int) (end int, escaped bool) {
	start, seen := p, uint64(0)
	for {
		w := binary.LittleEndian.Uint64(b[p : p+8])
		seen |= w
		m := special(w)
		if m == 0 {
			p += 8
			w = binary.LittleEndian.Uint64(b[p : p+8])
			seen |= w
			if m = special(w); m == 0 {
				p += 8
				continue
			}
		}
		p += bits.TrailingZeros64(m) >> 3
		if b[p] == '"' {
			break
		}
		if b[p] != '\\' {
			return ^p, false
		}
		escaped = true
		if p = escape(b, p+1); p < 0 {
			return p, false
		}
	}
	if seen&highs != 0 && !utf8.Valid(b[start:p]) {
		return ^start, false
	}
	return p + 1, escaped
}

// escape checks what follows a backslash.
func escape(b []byte, p int) int {
	switch b[p] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return p + 1
	case 'u':
		for i := 1; i <= 4; i++ {
			if c := b[p+i]; c-'0' > 9 && (c|0x20)-'a' > 5 {
				return ^(p + i)
			}
		}
		return p + 5
	}
	return ^p
}

// number scans a number; eight digits are taken eight at a time.
func number(b []byte, p int) int {
	if b[p] == '-' {
		p++
	}
	q := digits(b, p)
	if q == p || b[p] == '0' && q > p+1 {
		return ^p
	}
	if b[q] == '.' {
		if p, q = q+1, digits(b, q+1); q == p {
			return ^p
		}
	}
	if b[q]|0x20 == 'e' {
		q++
		if b[q] == '+' || b[q] == '-' {
			q++
		}
		if p, q = q, digits(b, q); q == p {
			return ^p
		}
	}
	return q
}

func digits(b []byte, p int) int {
	for {
		w := binary.LittleEndian.Uint64(b[p:p+8]) ^ '0'*ones
		m := (w + 0x76*ones | w) & highs
		if m != 0 {
			return p + bits.TrailingZeros64(m)>>3
		}
		p += 8
	}
}

// literal scans true, false or null.
func literal(b []byte, p int) int {
	switch binary.LittleEndian.Uint32(b[p : p+4]) {
	case 't' | 'r'<<8 | 'u'<<16 | 'e'<<24, 'n' | 'u'<<8 | 'l'<<16 | 'l'<<24:
		return p + 4
	case 'f' | 'a'<<8 | 'l'<<16 | 's'<<24:
		if b[p+4] == 'e' {
			return p + 5
		}
	}
	return ^p
}

// blank goes over white space. The zero after the record stops it.
func blank(b []byte, p int) int {
	for b[p] == ' ' || b[p] == '\t' || b[p] == '\r' || b[p] == '\n' {
		p++
	}
	return p
}

// colon goes over the colon after a key.
func colon(b []byte, p int) int {
	if b[p] != ':' {
		if p = blank(b, p); b[p] != ':' {
			return ^p
		}
	}
	if p++; b[p] <= ' ' {
		return blank(b, p)
	}
	return p
}

// skip goes over any value that nests at most so deep. The brackets that are open are a stack of bits, 1 for an object.
func skip(b []byte, p, room int) int {
	var open uint64
	depth := 0
	for {
		switch c := b[p]; c {
		case '"':
			p, _ = text(b, p+1)
		case '{', '[':
			if depth++; depth > room {
				return ^p
			}
			open = open<<1 | uint64(c>>5&1) // '{' is 0x7b, '[' is 0x5b
			if p++; b[p] <= ' ' {
				p = blank(b, p)
			}
			if b[p] == c+2 {
				break // the loop below closes it
			}
			if c == '{' {
				p = member(b, p)
				if p < 0 {
					return p
				}
			}
			continue
		case 't', 'f', 'n':
			p = literal(b, p)
		default:
			p = number(b, p)
		}
		if p < 0 {
			return p
		}
		for { // a value has ended
			if depth == 0 {
				return p
			}
			if b[p] <= ' ' {
				p = blank(b, p)
			}
			if b[p] == ',' {
				break
			}
			if b[p] != "]}"[open&1] {
				return ^p
			}
			p++
			depth--
			open >>= 1
		}
		if p++; b[p] <= ' ' {
			p = blank(b, p)
		}
		if open&1 != 0 {
			if p = member(b, p); p < 0 {
				return p
			}
		}
	}
}

// member goes over a key and its colon.
func member(b []byte, p int) int {
	if b[p] != '"' {
		return ^p
	}
	if p, _ = text(b, p+1); p < 0 {
		return p
	}
	return colon(b, p)
}

// maxTexts bounds the Texts of one place. The bound is one of each place, so that who wants more of a record takes nothing from
// those who want other things.
const maxTexts = 16

// bracketed reports whether a text, escapes not undone, begins like an object or an array, be it after blanks.
func bracketed(raw []byte) bool {
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case c == '{' || c == '[':
			return true
		case c == ' ':
		case c == '\\' && i+5 < len(raw) && raw[i+1] == 'u':
			switch hex(raw[i+2:]) {
			case '{', '[':
				return true
			case ' ', '\n', '\r', '\t':
				i += 5
			default:
				return false
			}
		case c == '\\' && i+1 < len(raw) && (raw[i+1] == 'n' || raw[i+1] == 'r' || raw[i+1] == 't'):
			i++
		default:
			return false
		}
	}
	return false
}

// flat reports whether a text, escapes not undone, is what PowerShell writes in the place of an object or a list that lies deeper than
// it was told to write: @{Name=Value}, or the name of a type.
func flat(raw []byte) bool {
	if len(raw) > len("@{") && raw[0] == '@' && raw[1] == '{' {
		return true
	}
	for _, begins := range [...]string{"Microsoft.", "System.", "Deserialized.", "Selected."} {
		if len(raw) > len(begins) && string(raw[:len(begins)]) == begins {
			return bytes.IndexByte(raw, ' ') < 0
		}
	}
	return false
}

func kind(c byte) Kind {
	switch c {
	case '"':
		return Text
	case '{':
		return Object
	case '[':
		return Array
	case 't':
		return True
	case 'f':
		return False
	case 'n':
		return Null
	}
	return Number
}
