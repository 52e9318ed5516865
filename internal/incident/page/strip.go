package page

import (
	"fmt"
	"math"
	"slices"
	"time"

	"noroshi/internal/alert"
	"noroshi/internal/incident"
	"noroshi/internal/paper"
)

// The strip plot, in the units of its view box.
const (
	stripWidth = 900
	stripNames = 260 // beside rows: the places
	stripRight = 34
	stripAbove = 10
	stripBelow = 44
	stripRows  = 20 // places that are shown
)

// strip shows which place was used when, and what was noticed of it: nil without places.
func strip(v *incident.View) *paper.Plot {
	places := v.Places[:min(len(v.Places), stripRows)]
	if len(places) == 0 {
		return nil
	}
	t := span(v, places)
	p := &paper.Plot{ID: "strip", Title: v.Say("Which place was used when", "いつどの場所から使われたか"), W: stripWidth, X0: stripNames, X1: stripWidth - stripRight, Y0: stripAbove,
		Y1:     stripAbove + paper.RowHeight*float64(len(places)),
		XTitle: v.Say("time, UTC; bars: sign-ins by day; strokes: entries of the timeline", "時刻 (UTC)。帯: 日ごとのサインイン、縦線: タイムラインの項目")}
	p.H = p.Y1 + stripBelow
	p.Text = fmt.Sprintf(v.Say("%d places, %s to %s; the table has the same numbers", "%d か所、%s から %s まで。表に同じ数があります"), len(places), v.UTC(t.Begin(0)), v.UTC(t.Begin(t.Spans)))
	x := func(at time.Time) float64 {
		part := at.Sub(t.Begin(0)).Hours() / float64(int(t.Step)*t.Spans)
		return paper.Near(p.X0 + min(1, max(0, part))*(p.X1-p.X0))
	}
	for k := range places {
		row(v, p, &places[k], p.Y0+paper.RowHeight*float64(k), x)
	}
	p.Across(t)
	if left := len(v.Places) - len(places); left > 0 {
		p.Left = fmt.Sprintf(v.Say("%d more places are in the table.", "ほかの %d か所は表にあります。"), left)
	}
	return p
}

// span is the time that the plot covers.
func span(v *incident.View, places []incident.Place) *paper.Timeline {
	from, to := v.Incident.Opened, v.Incident.Updated
	for _, p := range places {
		for _, at := range []time.Time{p.First, p.Last} {
			if at.IsZero() {
				continue
			}
			if from.IsZero() || at.Before(from) {
				from = at
			}
			if at.After(to) {
				to = at
			}
		}
	}
	if to.Before(from) {
		to = from
	}
	t := &paper.Timeline{}
	t.Cover(paper.HourOf(from), paper.HourOf(to))
	return t
}

// row is a place: its name, a line from the first to the last sign-in, a bar for each day with sign-ins, and strokes for entries.
func row(v *incident.View, p *paper.Plot, place *incident.Place, y float64, x func(time.Time) float64) {
	label := place.IP
	if place.Country != "" {
		label = place.Country + " " + label
	}
	if place.ASN != 0 {
		label += fmt.Sprintf(" AS%d", place.ASN)
	}
	p.Names = append(p.Names, paper.Mark{At: y + paper.RowHeight/2, Label: paper.Short(label)})
	class := "plain"
	if place.Marked {
		class = "high"
	}
	if !place.First.IsZero() {
		from, to := x(place.First), x(place.Last)
		p.Rects = append(p.Rects, paper.Rect{X: from, Y: y + paper.RowHeight/2 - 1, W: max(2, paper.Near(to-from)), H: 2, Class: class, Opacity: 1,
			Text: fmt.Sprintf("%s: %s – %s", paper.Short(label), v.UTC(place.First), v.UTC(place.Last))})
	}
	for _, d := range place.Days {
		at, err := time.Parse(time.DateOnly, d.Date)
		if err != nil {
			continue
		}
		from, to := x(at), x(at.AddDate(0, 0, 1))
		if to-from < 1.5 {
			to = from + 1.5
		}
		n := d.Succeeded + d.Failed
		p.Rects = append(p.Rects, paper.Rect{X: from, Y: y + 5, W: paper.Near(to - from), H: paper.RowHeight - 10, Class: class, Opacity: math.Round(100*min(1, 0.35+0.1*math.Log2(float64(max(1, n)))))/100 - 0.01,
			Text: fmt.Sprintf(v.Say("%s, %s: %d succeeded, %d failed", "%s、%s: 成功 %d、失敗 %d"), paper.Short(label), d.Date, d.Succeeded, d.Failed)})
	}
	for k := range v.Incident.Timeline {
		e := &v.Incident.Timeline[k]
		if e.IP != place.IP || e.IP == "" {
			continue
		}
		mark := "shadow"
		if e.Kind == incident.Sign && slices.Contains(alert.Severities, e.Severity) {
			mark = e.Severity
		}
		p.Rects = append(p.Rects, paper.Rect{X: x(e.Time), Y: y + 2, W: 2.5, H: paper.RowHeight - 4, Class: mark, Opacity: 1, Text: v.UTC(e.Time) + " " + paper.Short(e.Text)})
	}
}
