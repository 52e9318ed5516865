package report

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// timeline is the horizontal axis of plots: spans of so many hours, one after the other.
type timeline struct {
	from  int32 // the hour at which it begins
	step  int32 // hours of a span
	spans int
	left  int // events or alerts that lie outside
}

// maxSpans is how many spans are told apart by eye.
const maxSpans = 120

// steps are the spans that people think in.
var steps = []struct {
	hours int32
	name  string
}{{1, "hour"}, {6, "6 hours"}, {24, "day"}, {7 * 24, "week"}, {28 * 24, "4 weeks"}, {364 * 24, "52 weeks"}}

// newTimeline covers what grids hold. Where that is years, the outermost two in a thousand are left out, so that one record with a wrong
// clock does not squeeze all others into one line.
func newTimeline(grids ...*grid) timeline {
	sums, total := map[int32]int{}, 0
	for _, g := range grids {
		for c, n := range g.cells {
			sums[c.hour] += n
			total += n
		}
	}
	hours := slices.Sorted(maps.Keys(sums))
	if len(hours) == 0 {
		return timeline{step: 24}
	}
	t := timeline{}
	first, last := 0, len(hours)-1
	if hours[last]-hours[0] > 2*365*24 {
		for room := total / 1000; first < last && sums[hours[first]] <= room; first++ {
			room -= sums[hours[first]]
		}
		for room := total / 1000; last > first && sums[hours[last]] <= room; last-- {
			room -= sums[hours[last]]
		}
	}
	t.cover(hours[first], hours[last])
	for hour, n := range sums {
		if t.at(hour) < 0 {
			t.left += n
		}
	}
	return t
}

// cover chooses spans for the hours from one to another.
func (t *timeline) cover(from, to int32) {
	for _, s := range steps {
		t.step = s.hours
		t.from = floor(from, s.hours)
		t.spans = int((floor(to, s.hours)-t.from)/s.hours) + 1
		if t.spans <= maxSpans {
			break
		}
	}
	if t.spans < 12 { // bars as wide as a hand say nothing
		t.spans = 12
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

// at is the span of an hour, -1 where it is outside.
func (t *timeline) at(hour int32) int {
	if i := int(floor(hour, t.step)-t.from) / int(t.step); hour >= t.from && i < t.spans {
		return i
	}
	return -1
}

// name is what one span is.
func (t *timeline) name() string {
	for _, s := range steps {
		if s.hours == t.step {
			return s.name
		}
	}
	return ""
}

// begin is the time at which a span begins.
func (t *timeline) begin(i int) time.Time { return timeOf(t.from + int32(i)*t.step) }

// label tells a span.
func (t *timeline) label(i int) string {
	from, to := t.begin(i), t.begin(i+1)
	switch {
	case t.step < 24:
		return fmt.Sprintf("%s to %s UTC", from.Format("2006-01-02 15:04"), to.Format("15:04"))
	case t.step == 24:
		return from.Format(time.DateOnly)
	}
	return fmt.Sprintf("%s to %s", from.Format(time.DateOnly), to.AddDate(0, 0, -1).Format(time.DateOnly))
}

// mark is a place of an axis with its label.
type mark struct {
	At    float64
	Label string
}

// most is how many marks an axis of time has room for.
const most = 8

// marks are labels along an axis of time, at places from 0 to 1.
func (t *timeline) marks() (all []mark) {
	every := 1
	for _, n := range []int{1, 2, 3, 4, 6, 12, 14, 24, 28, 48, 52} {
		if every = n; t.spans <= n*most {
			break
		}
	}
	for i := 0; i < t.spans; i++ {
		at := t.begin(i)
		if t.step < 24 && every*int(t.step) <= 24 {
			if at.Hour()%(every*int(t.step)) != 0 {
				continue
			}
		} else if i%every != 0 {
			continue
		}
		format := time.DateOnly
		if t.step < 24 && every*int(t.step) < 24 {
			format = "01-02 15:04"
		}
		place := float64(i)
		if t.step >= 24 {
			place += 0.5 // the middle of the day; hours are told where they begin
		}
		all = append(all, mark{place / float64(t.spans), at.Format(format)})
	}
	return all
}

// round is a number of one digit, 1, 2 or 5 with zeros, that divides an axis up to n into at most five parts.
func round(n int) int {
	for unit := 1; ; unit *= 10 {
		for _, k := range []int{1, 2, 5} {
			if k*unit*5 >= n {
				return k * unit
			}
		}
	}
}
