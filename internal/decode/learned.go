package decode

import "strings"

// learned is what was worked out of texts that come again and again. Its size has a bound.
type learned map[string]string

// The bounds of what is learned.
const (
	maxLearned     = 1024
	maxLearnedText = 256 // bytes
)

// of is what a function makes of a text.
func (l learned) of(text string, work func(string) string) string {
	if len(text) > maxLearnedText {
		return work(text)
	}
	made, known := l[text]
	if !known {
		if made = work(text); len(l) >= maxLearned {
			clear(l)
		}
		l[strings.Clone(text)] = strings.Clone(made)
	}
	return made
}
