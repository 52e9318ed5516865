package report

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// The size of plots, in the units of their view box.
const (
	plotWidth  = 900
	barsHeight = 230
	left       = 56  // beside bars: the numbers
	names      = 260 // beside rows: their names
	right      = 34
	above      = 10
	below      = 44
	rowHeight  = 20
	maxRows    = 40
	maxName    = 35 // characters
)

// rect is a part of a plot.
type rect struct {
	X, Y, W, H float64
	Class      string
	Opacity    float64
	Text       string // what it tells when one points at it
}

// plot is a picture with axes.
type plot struct {
	ID, Title, Text string // Text tells it to those who do not see it
	W, H            float64
	X0, X1, Y0, Y1  float64 // the corners of what lies between the axes
	XTitle, YTitle  string
	XMarks, YMarks  []mark
	Names           []mark // of rows
	Rects           []rect
	Left            string // what is not shown
	Key             []string
}

// Places of labels beside the axes.
func (p plot) YLabel() float64  { return p.X0 - 8 }
func (p plot) YMiddle() float64 { return (p.Y0 + p.Y1) / 2 }
func (p plot) XMiddle() float64 { return (p.X0 + p.X1) / 2 }
func (p plot) XLabel() float64  { return p.Y1 + 18 }
func (p plot) XBottom() float64 { return p.H - 4 }
func (p plot) Tick() float64    { return p.Y1 + 5 }

// Lines lie between rows.
func (p plot) Lines() (all []float64) {
	for _, m := range p.Names {
		all = append(all, m.At-rowHeight/2)
	}
	return all
}

// near rounds a place, so that pages are small and the same everywhere.
func near(f float64) float64 { return math.Round(f*10) / 10 }

func (p *plot) across(t *timeline) {
	for _, m := range t.marks() {
		p.XMarks = append(p.XMarks, mark{near(p.X0 + m.At*(p.X1-p.X0)), m.Label})
	}
}

// bars are counts by time, the rows of a grid upon each other in the order of their names.
func bars(id, what string, t timeline, g *grid, rows []string) plot {
	p := plot{ID: id, Title: strings.ToUpper(what[:1]) + what[1:] + " per " + t.name(), W: plotWidth, H: barsHeight, X0: left, X1: plotWidth - right, Y0: above, Y1: barsHeight - below,
		XTitle: "time, UTC", YTitle: what}
	counts := byRow(t, g)
	sums := make([]int, t.spans)
	for _, of := range counts {
		for i, n := range of {
			sums[i] += n
		}
	}
	top := max(1, slices.Max(append(sums, 1)))
	unit := round(top)
	full := (top + unit - 1) / unit * unit
	scale := (p.Y1 - p.Y0) / float64(full)
	for n := 0; n <= full; n += unit {
		p.YMarks = append(p.YMarks, mark{near(p.Y1 - float64(n)*scale), number(n)})
	}
	width := (p.X1 - p.X0) / float64(max(1, t.spans))
	heights := make([]float64, t.spans)
	for _, row := range rows {
		for i, n := range counts[row] {
			if n == 0 {
				continue
			}
			h := float64(n) * scale
			class, text := row, fmt.Sprintf("%s: %s %s", t.label(i), number(n), row)
			if len(rows) == 1 {
				class, text = "plain", fmt.Sprintf("%s: %s", t.label(i), plural(n, what[:len(what)-1]))
			}
			p.Rects = append(p.Rects, rect{near(p.X0 + float64(i)*width + width*0.08), near(p.Y1 - heights[i] - h), near(width * 0.84), max(0.5, near(h)), class, 1, text})
			heights[i] += h
		}
	}
	p.across(&t)
	p.Text = fmt.Sprintf("%s from %s to %s, at most %s", p.Title, t.label(0), t.label(max(0, t.spans-1)), number(top))
	if t.left > 0 {
		p.Left = fmt.Sprintf("Events and alerts outside of these years: %s. The tables have them.", number(t.left))
	}
	return p
}

// byRow are the counts of a grid, by row and span.
func byRow(t timeline, g *grid) map[string][]int {
	counts := map[string][]int{}
	for c, n := range g.cells {
		i := t.at(c.hour)
		if i < 0 {
			continue
		}
		row := g.rows[c.row]
		if counts[row] == nil {
			counts[row] = make([]int, t.spans)
		}
		counts[row][i] += n
	}
	return counts
}

// named is a row of a plot, with its colour.
type named struct{ name, class string }

// matrix shows which rows of a grid have something when, in a stronger colour where it is more.
func matrix(id, title, what string, t timeline, g *grid, rows []named) plot {
	shown := rows[:min(len(rows), maxRows)]
	p := plot{ID: id, Title: title + " per " + t.name(), W: plotWidth, X0: names, X1: plotWidth - right, Y0: above, XTitle: "time, UTC; a stronger colour is more"}
	p.Y1 = above + rowHeight*float64(len(shown))
	p.H = p.Y1 + below
	width := (p.X1 - p.X0) / float64(max(1, t.spans))
	counts := byRow(t, g)
	most := 1
	for _, of := range counts {
		most = max(most, slices.Max(of))
	}
	for k, row := range shown {
		y := p.Y0 + rowHeight*float64(k)
		p.Names = append(p.Names, mark{y + rowHeight/2, short(row.name)})
		for i, n := range counts[row.name] {
			if n > 0 {
				p.Rects = append(p.Rects, rect{near(p.X0 + float64(i)*width), y + 2, near(max(1.5, width-1)), rowHeight - 4, row.class, strength(n, most),
					fmt.Sprintf("%s, %s: %s", short(row.name), t.label(i), plural(n, what))})
			}
		}
	}
	p.across(&t)
	p.Text = fmt.Sprintf("%s, %s, from %s to %s", p.Title, plural(len(shown), "row"), t.label(0), t.label(max(0, t.spans-1)))
	if len(rows) > len(shown) {
		p.Left = fmt.Sprintf("%s more are in the table.", number(len(rows)-len(shown)))
	}
	return p
}

// strength is how strong the colour of a number is beside the greatest.
func strength(n, most int) float64 {
	if most <= 1 {
		return 1
	}
	return math.Round((0.5+0.5*math.Log(float64(n))/math.Log(float64(most)))*100) / 100
}

// short is a name that fits beside a row.
func short(s string) string {
	s = plain(s)
	if r := []rune(s); len(r) > maxName {
		return string(r[:maxName-1]) + "…"
	}
	return s
}
