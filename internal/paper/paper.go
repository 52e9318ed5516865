// Package paper is what our pages and texts for people have in common: texts of strangers that are safe to show, tables, plots, a style.
package paper

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the style and the plot
	"encoding/base64"
	"fmt"
	"html/template"
	"strings"
	"unicode/utf8"

	"github.com/rivo/uniseg"

	"noroshi/internal/diag"
)

// MaxText is how many characters of what records say are shown.
const MaxText = 300

// StyleSource is the style of pages.
//
//go:embed page.css
var StyleSource string

// PlotSource is the template "plot", which shows a Plot.
//
//go:embed plot.html
var PlotSource string

// Style is a style of a page, with the hash by which its policy knows it.
type Style struct {
	Text template.CSS
	Hash string
}

// NewStyle is the style of pages, and what one page adds.
func NewStyle(more string) Style {
	text := StyleSource + more
	sum := sha256.Sum256([]byte(text))
	return Style{template.CSS(text), "sha256-" + base64.StdEncoding.EncodeToString(sum[:])}
}

// Cut shortens what records say, and says how long it was.
func Cut(s string) string {
	if len(s) <= MaxText || utf8.RuneCountInString(s) <= MaxText {
		return s
	}
	n := 0
	for i := range s {
		if n++; n > MaxText {
			return fmt.Sprintf("%s… (cut; %d bytes)", s[:i], len(s))
		}
	}
	return s
}

// Plain is a text of records that can be shown: short, on one line, without characters that nobody sees.
func Plain(s string) string { return diag.EscapeLine(Cut(s)) }

// Plural is a number of things.
func Plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	if stem, ok := strings.CutSuffix(what, "y"); ok {
		return Number(n) + " " + stem + "ies"
	}
	return Number(n) + " " + what + "s"
}

// Number is a number with commas between thousands.
func Number(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Sheet is what a text form is written on.
type Sheet struct{ bytes.Buffer }

// Line writes a line.
func (p *Sheet) Line(format string, a ...any) { fmt.Fprintf(p, format+"\n", a...) }

// Title writes a title, underlined.
func (p *Sheet) Title(s string) { p.Line("\n%s\n%s", s, strings.Repeat("-", uniseg.StringWidth(s))) }

// Table writes rows below a head, each column as wide as it must be. The last column is not filled up.
func (p *Sheet) Table(rows [][]string) {
	var widths []int
	for _, row := range rows {
		for i, text := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], uniseg.StringWidth(text))
		}
	}
	for _, row := range rows {
		for i, text := range row {
			p.WriteString(text)
			if i < len(row)-1 {
				p.WriteString(strings.Repeat(" ", widths[i]-uniseg.StringWidth(text)+2))
			}
		}
		p.WriteString("\n")
	}
}
