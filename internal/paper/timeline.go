package paper

import (
	"fmt"
	"time"
)

// Timeline is the horizontal axis of plots: spans of so many hours, one after the other.
type Timeline struct {
	From  int32 // the hour at which it begins
	Step  int32 // hours of a span
	Spans int
}

// MaxSpans is how many spans are told apart by eye.
const MaxSpans = 120

// steps are the spans that people think in.
var steps = []struct {
	hours int32
	name  string
}{{1, "hour"}, {6, "6 hours"}, {24, "day"}, {7 * 24, "week"}, {28 * 24, "4 weeks"}, {364 * 24, "52 weeks"}}

// Cover chooses spans for the hours from one to another.
func (t *Timeline) Cover(from, to int32) {
	for _, s := range steps {
		t.Step = s.hours
		t.From = floor(from, s.hours)
		t.Spans = int((floor(to, s.hours)-t.From)/s.hours) + 1
		if t.Spans <= MaxSpans {
			break
		}
	}
	if t.Spans < 12 { // bars as wide as a hand say nothing
		t.Spans = 12
	}
}

// floor is the beginning of a span; weeks begin on a Monday, as the hour -72 since 1970 does.
func floor(hour, step int32) int32 {
	if step >= 7*24 {
		return floor(hour+72, 1) - mod(hour+72, step) - 72
	}
	return hour - mod(hour, step)
}

func mod(a, b int32) int32 { return ((a % b) + b) % b }

// At is the span of an hour, -1 where it is outside.
func (t *Timeline) At(hour int32) int {
	if i := int(floor(hour, t.Step)-t.From) / int(t.Step); hour >= t.From && i < t.Spans {
		return i
	}
	return -1
}

// Name is what one span is.
func (t *Timeline) Name() string {
	for _, s := range steps {
		if s.hours == t.Step {
			return s.name
		}
	}
	return ""
}

// Begin is the time at which a span begins.
func (t *Timeline) Begin(i int) time.Time { return TimeOf(t.From + int32(i)*t.Step) }

// Label tells a span.
func (t *Timeline) Label(i int) string {
	from, to := t.Begin(i), t.Begin(i+1)
	switch {
	case t.Step < 24:
		return fmt.Sprintf("%s to %s UTC", from.Format("2006-01-02 15:04"), to.Format("15:04"))
	case t.Step == 24:
		return from.Format(time.DateOnly)
	}
	return fmt.Sprintf("%s to %s", from.Format(time.DateOnly), to.AddDate(0, 0, -1).Format(time.DateOnly))
}

// Mark is a place of an axis with its label.
type Mark struct {
	At    float64
	Label string
}

// MaxMarks is how many marks an axis of time has room for.
const MaxMarks = 8

// Marks are labels along an axis of time, at places from 0 to 1.
func (t *Timeline) Marks() (all []Mark) {
	every := 1
	for _, n := range []int{1, 2, 3, 4, 6, 12, 14, 24, 28, 48, 52} {
		if every = n; t.Spans <= n*MaxMarks {
			break
		}
	}
	for i := 0; i < t.Spans; i++ {
		at := t.Begin(i)
		if t.Step < 24 && every*int(t.Step) <= 24 {
			if at.Hour()%(every*int(t.Step)) != 0 {
				continue
			}
		} else if i%every != 0 {
			continue
		}
		format := time.DateOnly
		if t.Step < 24 && every*int(t.Step) < 24 {
			format = "01-02 15:04"
		}
		place := float64(i)
		if t.Step >= 24 {
			place += 0.5 // the middle of the day; hours are told where they begin
		}
		all = append(all, Mark{place / float64(t.Spans), at.Format(format)})
	}
	return all
}

// HourOf is a time as the number of the hour since 1970.
func HourOf(at time.Time) int32 {
	s := at.Unix()
	if s < 0 {
		s -= 3599
	}
	return int32(s / 3600)
}

// TimeOf is when an hour since 1970 begins.
func TimeOf(hour int32) time.Time { return time.Unix(int64(hour)*3600, 0).UTC() }
