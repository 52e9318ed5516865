package decode

import (
	"strings"

	"noroshi/internal/event"
)

// placeholder reports whether a text stands for a name or an id that is not there.
func placeholder(s string) bool { return event.Placeholder(s) }

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
