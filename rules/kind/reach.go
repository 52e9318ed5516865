package kind

import "noroshi/internal/state"

// reach is when each step can be filled at all: not before the steps before it can be full, and not so late that those behind it
// cannot be filled any more. Whether different entries fill them is not asked.
type reach struct {
	*sequence
	all           []state.Entry
	kept          int             // it fills a place of the last step
	opens, closes [maxSteps]int64 // seconds
}

// reach finds when the steps can be filled.
func (s *sequence) reach(all []state.Entry, kept int) *reach {
	r := &reach{sequence: s, all: all, kept: kept}
	last := len(s.steps) - 1
	r.opens[0], r.closes[last] = second(&all[0]), second(&all[kept])
	for k := range last {
		r.opens[k+1] = r.full(k)
	}
	for k := last; k > 0; k-- {
		r.closes[k-1] = r.emptied(k)
	}
	return r
}

func second(e *state.Entry) int64 { return state.Floor(e.Time, 1e9) }

// places are how many entries beside the kept one a step needs at least.
func (r *reach) places(k int) int {
	switch {
	case k == 0 && r.steps[0].distinct > 0:
		return 0
	case k == len(r.steps)-1:
		return r.steps[k].count - 1
	}
	return r.steps[k].count
}

// full is when a step is full if it is filled as early as it can be.
func (r *reach) full(k int) int64 {
	at, left := r.opens[k], r.places(k)
	for i := state.After(r.all, at*1e9-1); i < len(r.all) && left > 0; i++ {
		if i != r.kept && r.all[i].Clauses&(1<<k) != 0 {
			at = second(&r.all[i])
			left--
		}
	}
	return at
}

// emptied is when a step must be open if it is filled as late as it can be.
func (r *reach) emptied(k int) int64 {
	at, left := r.closes[k], r.places(k)
	for i := state.After(r.all, (at+1)*1e9-1) - 1; i >= 0 && left > 0; i-- {
		if i != r.kept && r.all[i].Clauses&(1<<k) != 0 {
			at = second(&r.all[i])
			left--
		}
	}
	return at
}

// holds reports whether an entry can fill a place.
func (r *reach) holds(e *state.Entry) bool {
	at := second(e)
	for k := range r.steps {
		if e.Clauses&(1<<k) != 0 && r.opens[k] <= at && at <= r.closes[k] {
			return true
		}
	}
	return false
}
