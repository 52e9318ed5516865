package report

import (
	"maps"
	"slices"

	"noroshi/internal/paper"
)

// timeline is the horizontal axis of plots.
type timeline struct {
	paper.Timeline
	left int // events or alerts that lie outside
}

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
		return timeline{Timeline: paper.Timeline{Step: 24}}
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
	t.Cover(hours[first], hours[last])
	for hour, n := range sums {
		if t.At(hour) < 0 {
			t.left += n
		}
	}
	return t
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
