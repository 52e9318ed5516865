package page

import (
	"bytes"
	_ "embed" // the page
	"fmt"
	"html/template"
	"strings"

	"noroshi/internal/diag"
	"noroshi/internal/incident"
	"noroshi/internal/paper"
)

//go:embed page.html
var pageSource string

//go:embed page.css
var moreStyle string

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"plain":   paper.Plain,
	"number":  paper.Number,
	"command": diag.EscapeLine,
	"name":    name,
	"lower":   func(s string) string { return strings.ToLower(strings.Map(letters, s)) },
}).Parse(pageSource + paper.PlotSource))

// letters leaves nothing but letters of ASCII in a class.
func letters(r rune) rune {
	if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
		return r
	}
	return -1
}

// name is a text that may be broken where people would break it.
func name(s string) template.HTML {
	return template.HTML(breaks.Replace(template.HTMLEscapeString(paper.Plain(s))))
}

var breaks = strings.NewReplacer("@", "@<wbr>", ".", ".<wbr>", "_", "_<wbr>")

// shown is what the template is given.
type shown struct {
	*incident.View
	Style   paper.Style
	Strip   *paper.Plot
	Program string
	First   *incident.Table
	Rest    []incident.Table
}

// html is a page that loads nothing.
func html(v *incident.View, program string) ([]byte, error) {
	d := &shown{View: v, Style: paper.NewStyle(moreStyle), Strip: strip(v), Program: program, First: &v.Tables[0], Rest: v.Tables[1:]}
	var b bytes.Buffer
	b.WriteString("<!doctype html>\n<!-- noroshi incident -->\n") // a template leaves comments out
	if err := pageTemplate.Execute(&b, d); err != nil {
		return nil, fmt.Errorf("make page: %w", err)
	}
	return b.Bytes(), nil
}
