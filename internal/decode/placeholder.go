package decode

import (
	"strings"

	"noroshi/internal/event"
)

// placeholders are what records hold in the place of a name or an id that they do not have.

// placeholder reports whether a text stands for a name or an id that is not there: blanks, hyphens, one of the words above, in
// brackets or not, an id of zeros. An address is a name, whatever it begins with.
func placeholder(s string) bool {
	s = strings.TrimSpace(strings.Trim(strings.TrimSpace(s), "<>()[]{}"))
	if len(s) > len("00000000-0000-0000-0000-000000000000") {
		return false
	}
	if strings.Trim(s, "-") == "" || strings.Trim(s, "0-") == "" {
		return true
	}
	for _, word := range event.Placeholders {
		if strings.EqualFold(s, word) {
			return true
		}
	}
	return false
}

// nameOf is a name or an id as rules see it: lower case, without blanks around, "" for a placeholder.
func nameOf(s string) string {
	if s = strings.TrimSpace(s); placeholder(s) {
		return ""
	}
	return event.Lower(s)
}

// firstName is the first text that names somebody or something.
func firstName(texts ...string) string {
	for _, t := range texts {
		if name := nameOf(t); name != "" {
			return name
		}
	}
	return ""
}
