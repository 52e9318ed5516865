// Package diag describes mistakes that people make in files, with their places.
package diag

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/rivo/uniseg"
)

// Level says whether a problem keeps the file from being used.
type Level string

// The levels of a problem.
const (
	Error   Level = "error"
	Warning Level = "warning"
)

// Problem is one mistake in a file. The JSON form is the one of `check --json`.
type Problem struct {
	File       string `json:"file"`
	Line       int    `json:"line"`   // from 1; 0 where the file has no lines to speak of
	Column     int    `json:"column"` // from 1, in characters
	Code       string `json:"code"`   // stable, explained in docs/problems.md
	Level      Level  `json:"level"`
	Message    string `json:"message"`
	Suggestion string `json:"suggestion"`
	Source     string `json:"-"` // the line of the file, for the caret; may be empty
}

// Format is the problem for a person: place, message and code, then the line with a caret under the place.
func (p Problem) Format() string {
	var b strings.Builder
	b.WriteString(p.place() + ": ")
	if p.Level == Warning {
		b.WriteString("warning: ")
	}
	b.WriteString(p.Message)
	lines := strings.Contains(p.Suggestion, "\n")
	if p.Suggestion != "" && !lines {
		b.WriteString("; did you mean " + quoted(p.Suggestion) + "?")
	}
	fmt.Fprintf(&b, " [%s]", p.Code)
	if p.Source != "" && p.Line > 0 {
		b.WriteString(excerpt(p.Line, p.Column, p.Source))
	}
	if lines {
		b.WriteString("\n    write\n      " + strings.ReplaceAll(p.Suggestion, "\n", "\n      "))
	}
	return Escape(b.String())
}

// quoted is a suggestion in quotes that it does not hold itself.
func quoted(s string) string {
	if strings.Contains(s, `"`) && !strings.Contains(s, "`") {
		return "`" + s + "`"
	}
	return strconv.Quote(s)
}

// Error makes a Problem an error, without its excerpt.
func (p Problem) Error() string {
	return Escape(fmt.Sprintf("%s: %s [%s]", p.place(), p.Message, p.Code))
}

func (p Problem) place() string {
	switch {
	case p.Line == 0:
		return p.File
	case p.Column == 0:
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// maxExcerpt is the width of an excerpt in columns of the terminal.
const maxExcerpt = 160

// excerpt shows the line and a caret below the column. Wide characters take two columns; tabs become one blank.
func excerpt(line, column int, source string) string {
	source = strings.ReplaceAll(strings.TrimRight(source, "\r\n"), "\t", " ")
	before := source
	if rs := []rune(source); column >= 1 && column-1 < len(rs) {
		before = string(rs[:column-1])
	}
	width := uniseg.StringWidth(Escape(before))
	if width > maxExcerpt {
		return ""
	}
	for uniseg.StringWidth(source) > maxExcerpt {
		rs := []rune(source)
		source = string(rs[:len(rs)-1-len(rs)/8])
	}
	margin := fmt.Sprintf("%3d", line)
	s := "\n" + margin + " | " + source
	if column >= 1 {
		s += "\n" + strings.Repeat(" ", len(margin)) + " | " + strings.Repeat(" ", width) + "^"
	}
	return s
}

// Sort orders problems by file, line, column and code.
func Sort(ps []Problem) {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Code, b.Code))
	})
}

// Errors counts the problems that are errors.
func Errors(ps []Problem) int {
	n := 0
	for _, p := range ps {
		if p.Level != Warning {
			n++
		}
	}
	return n
}
