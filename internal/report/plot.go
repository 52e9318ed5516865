package report

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"noroshi/internal/paper"
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
	rowHeight  = paper.RowHeight
	maxRows    = 40
)

// bars are counts by time, the rows of a grid upon each other in the order of their names.
func bars(id, what string, t timeline, g *grid, rows []string) paper.Plot {
	p := paper.Plot{ID: id, Title: strings.ToUpper(what[:1]) + what[1:] + " per " + t.Name(), W: plotWidth, H: barsHeight, X0: left, X1: plotWidth - right, Y0: above, Y1: barsHeight - below,
		XTitle: "time, UTC", YTitle: what}
	counts := byRow(t, g)
	sums := make([]int, t.Spans)
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
		p.YMarks = append(p.YMarks, paper.Mark{At: paper.Near(p.Y1 - float64(n)*scale), Label: paper.Number(n)})
	}
	width := (p.X1 - p.X0) / float64(max(1, t.Spans))
	heights := make([]float64, t.Spans)
	for _, row := range rows {
		for i, n := range counts[row] {
			if n == 0 {
				continue
			}
			h := float64(n) * scale
			class, text := row, fmt.Sprintf("%s: %s %s", t.Label(i), paper.Number(n), row)
			if len(rows) == 1 {
				class, text = "plain", fmt.Sprintf("%s: %s", t.Label(i), paper.Plural(n, what[:len(what)-1]))
			}
			p.Rects = append(p.Rects, paper.Rect{X: paper.Near(p.X0 + float64(i)*width + width*0.08), Y: paper.Near(p.Y1 - heights[i] - h),
				W: paper.Near(width * 0.84), H: max(0.5, paper.Near(h)), Class: class, Opacity: 1, Text: text})
			heights[i] += h
		}
	}
	p.Across(&t.Timeline)
	p.Text = fmt.Sprintf("%s from %s to %s, at most %s", p.Title, t.Label(0), t.Label(max(0, t.Spans-1)), paper.Number(top))
	if t.left > 0 {
		p.Left = fmt.Sprintf("Events and alerts outside of these years: %s. The tables have them.", paper.Number(t.left))
	}
	return p
}

// byRow are the counts of a grid, by row and span.
func byRow(t timeline, g *grid) map[string][]int {
	counts := map[string][]int{}
	for c, n := range g.cells {
		i := t.At(c.hour)
		if i < 0 {
			continue
		}
		row := g.rows[c.row]
		if counts[row] == nil {
			counts[row] = make([]int, t.Spans)
		}
		counts[row][i] += n
	}
	return counts
}

// named is a row of a plot, with its colour.
type named struct{ name, class string }

// matrix shows which rows of a grid have something when, in a stronger colour where it is more.
func matrix(id, title, what string, t timeline, g *grid, rows []named) paper.Plot {
	shown := rows[:min(len(rows), maxRows)]
	p := paper.Plot{ID: id, Title: title + " per " + t.Name(), W: plotWidth, X0: names, X1: plotWidth - right, Y0: above, XTitle: "time, UTC; a stronger colour is more"}
	p.Y1 = above + rowHeight*float64(len(shown))
	p.H = p.Y1 + below
	width := (p.X1 - p.X0) / float64(max(1, t.Spans))
	counts := byRow(t, g)
	most := 1
	for _, of := range counts {
		most = max(most, slices.Max(of))
	}
	for k, row := range shown {
		y := p.Y0 + rowHeight*float64(k)
		p.Names = append(p.Names, paper.Mark{At: y + rowHeight/2, Label: paper.Short(row.name)})
		for i, n := range counts[row.name] {
			if n > 0 {
				p.Rects = append(p.Rects, paper.Rect{X: paper.Near(p.X0 + float64(i)*width), Y: y + 2, W: paper.Near(max(1.5, width-1)), H: rowHeight - 4,
					Class: row.class, Opacity: strength(n, most), Text: fmt.Sprintf("%s, %s: %s", paper.Short(row.name), t.Label(i), paper.Plural(n, what))})
			}
		}
	}
	p.Across(&t.Timeline)
	p.Text = fmt.Sprintf("%s, %s, from %s to %s", p.Title, paper.Plural(len(shown), "row"), t.Label(0), t.Label(max(0, t.Spans-1)))
	if len(rows) > len(shown) {
		p.Left = fmt.Sprintf("%s more are in the table.", paper.Number(len(rows)-len(shown)))
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
