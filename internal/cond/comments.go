package cond

import (
	"strings"
	"unicode/utf8"
)

// Comments are where a source's comments begin and end, in characters: // to the end of the line, and /* to */.
func Comments(source string) (all [][2]int) {
	text := []rune(source)
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '"' || text[i] == '\'' || text[i] == '`':
			end := closing(text, i)
			if end < 0 {
				return all
			}
			i = end
		case text[i] != '/' || i+1 == len(text):
		case text[i+1] == '/':
			end := ends(text, i, "\n")
			all, i = append(all, [2]int{i, end}), end
		case text[i+1] == '*':
			end := ends(text, min(i+2, len(text)), "*/")
			all, i = append(all, [2]int{i, end}), end-1
		}
	}
	return all
}

// uncommented is a source's text with blanks in the place of its comments; every sign stays where it is.
func uncommented(source string) []rune {
	text := []rune(source)
	for _, c := range Comments(source) {
		for i := c[0]; i < c[1]; i++ {
			if text[i] != '\n' {
				text[i] = ' '
			}
		}
	}
	return text
}

// ends is the first place of a sign from a place on: before the end of a line, behind what closes a comment; else the text's end.
func ends(text []rune, from int, sign string) int {
	at := strings.Index(string(text[from:]), sign)
	if at < 0 {
		return len(text)
	}
	n := from + utf8.RuneCountInString(string(text[from:])[:at])
	return n + len(strings.TrimSpace(sign))
}
