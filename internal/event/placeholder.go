package event

import (
	"strings"
	"unicode/utf8"
)

// Placeholder reports whether a text stands for a name or an id that is not there: blanks, hyphens, one of Placeholders, in
// brackets or not, an id of zeros. An address is a name, whatever it begins with.
func Placeholder(s string) bool {
	if s != "" && !beginsPlaceholder[s[0]] || len(s) > 1 && isLetter(s[0]) && !followsInPlaceholder[s[1]] {
		return false
	}
	s = strings.TrimSpace(strings.Trim(strings.TrimSpace(s), "<>()[]{}"))
	if len(s) > len("00000000-0000-0000-0000-000000000000") {
		return false
	}
	if strings.Trim(s, "-") == "" || strings.Trim(s, "0-") == "" {
		return true
	}
	for _, word := range Placeholders {
		if strings.EqualFold(s, word) {
			return true
		}
	}
	return false
}

// beginsPlaceholder holds the first bytes that a placeholder, or what encloses one, can have. Most names begin with another byte.
var beginsPlaceholder = beginningsOf(Placeholders[:])

func beginningsOf(words []string) (all [256]bool) {
	for c := range all {
		all[c] = c <= ' ' || c >= utf8.RuneSelf // blanks
	}
	for _, c := range []byte("-0<>()[]{}") {
		all[c] = true
	}
	for _, w := range words {
		all[w[0]], all[w[0]&^0x20] = true, true
	}
	return all
}

// followsInPlaceholder holds the bytes that can follow the first letter of a placeholder.
var followsInPlaceholder = followingOf(Placeholders[:])

func followingOf(words []string) (all [256]bool) {
	for _, w := range words {
		all[w[1]] = true
		if isLetter(w[1]) {
			all[w[1]&^0x20] = true
		}
	}
	return all
}

func isLetter(c byte) bool { c |= 0x20; return c >= 'a' && c <= 'z' }
