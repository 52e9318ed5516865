package paper

import "math"

// RowHeight is how high a row of a plot is, in the units of its view box.
const RowHeight = 20

// maxName is how many characters stand beside a row.
const maxName = 35

// Rect is a part of a plot.
type Rect struct {
	X, Y, W, H float64
	Class      string
	Opacity    float64
	Text       string // what it tells when one points at it
}

// Plot is a picture with axes.
type Plot struct {
	ID, Title, Text string // Text tells it to those who do not see it
	W, H            float64
	X0, X1, Y0, Y1  float64 // the corners of what lies between the axes
	XTitle, YTitle  string
	XMarks, YMarks  []Mark
	Names           []Mark // of rows
	Rects           []Rect
	Left            string // what is not shown
	Key             []string
}

// YLabel is where labels of rows and numbers end.
func (p Plot) YLabel() float64 { return p.X0 - 8 }

// YMiddle is the middle of the vertical axis.
func (p Plot) YMiddle() float64 { return (p.Y0 + p.Y1) / 2 }

// XMiddle is the middle of the horizontal axis.
func (p Plot) XMiddle() float64 { return (p.X0 + p.X1) / 2 }

// XLabel is the height of labels below the horizontal axis.
func (p Plot) XLabel() float64 { return p.Y1 + 18 }

// XBottom is the height of the title of the horizontal axis.
func (p Plot) XBottom() float64 { return p.H - 4 }

// Tick is where the marks of the horizontal axis end.
func (p Plot) Tick() float64 { return p.Y1 + 5 }

// Lines lie between rows.
func (p Plot) Lines() (all []float64) {
	for _, m := range p.Names {
		all = append(all, m.At-RowHeight/2)
	}
	return all
}

// Near rounds a place, so that pages are small and the same everywhere.
func Near(f float64) float64 { return math.Round(f*10) / 10 }

// Across puts the marks of an axis of time below a plot.
func (p *Plot) Across(t *Timeline) {
	for _, m := range t.Marks() {
		p.XMarks = append(p.XMarks, Mark{Near(p.X0 + m.At*(p.X1-p.X0)), m.Label})
	}
}

// Short is a name that fits beside a row.
func Short(s string) string {
	s = Plain(s)
	if r := []rune(s); len(r) > maxName {
		return string(r[:maxName-1]) + "…"
	}
	return s
}
