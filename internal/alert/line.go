package alert

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// OneLine makes a text one line of at most so many characters: control and invisible format characters, the bidirectional
// ones among them, become a replacement character, and what is cut is marked by an ellipsis.
func OneLine(s string, most int) string {
	if len(s) <= most && !strings.ContainsFunc(s, hidden) && utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	n := 0
	for _, r := range s {
		if n++; n == most && utf8.RuneCountInString(s) > most {
			b.WriteRune('…')
			break
		}
		if hidden(r) {
			r = utf8.RuneError
		}
		b.WriteRune(r)
	}
	return b.String()
}

// hidden reports whether a character is a control or format character, a separator of lines, or one without width.
func hidden(r rune) bool {
	return r == '\u2028' || r == '\u2029' || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point)
}
