package kind

import (
	"fmt"
	"math"
	"sort"

	"noroshi/internal/state"
)

// explain implements explaining.
func (s *sequence) explain(w *state.Window, i int, at int64, whole bool) *Progress {
	end := state.Plus(state.Floor(max(at, math.MinInt64+1e9), 1e9)*1e9, 1e9-1)
	from, to := state.After(w.Entries, state.Plus(at, -w.Within)), state.After(w.Entries, end)
	all, kept := w.Entries[from:to], -1
	if len(all) == 0 {
		return nil
	}
	if i >= 0 && s.completes(&w.Entries[i]) {
		kept = i - from
	}
	unsearched := w.Unsearched // asking counts nothing
	p := newProgress()
	p.From, p.To, p.Later = state.Plus(at, -w.Within), end, end
	t := s.traced(w, all, kept)
	p.Fires = kept >= 0 && t.full() && (!s.mixed() || s.apart(w, all, kept))
	for k := range s.steps {
		p.Parts = append(p.Parts, t.part(k, whole))
	}
	if t.full() && !p.Fires {
		if why := s.hindered(w, all, i, kept); why != "" {
			p.Parts = append(p.Parts, Part{Name: "steps", Note: why, Short: why})
		}
	}
	w.Unsearched = unsearched
	if !whole {
		return p
	}
	p.Left = leaving(all, w.Within, func(rest []state.Entry) float64 {
		return s.traced(w, rest, kept-(len(all)-len(rest))).missing()
	})
	return p
}

// hindered says why the sequence does not fire for an entry although all steps are full, and where none is asked about why it has fired
// for none.
func (s *sequence) hindered(w *state.Window, all []state.Entry, i, kept int) string {
	if i >= 0 && kept < 0 {
		return "all steps are full; the rule fires for an event of the last step"
	}
	for at := len(all) - 1; at >= 0 && kept < 0; at-- {
		if s.completes(&all[at]) {
			kept = at
		}
	}
	if s.mixed() && kept >= 0 && !s.apart(w, all, kept) {
		return "an alert and an event that counted for it do not both count; another event or alert is missing"
	}
	return ""
}

// traced is a walk that knows when each step was open.
type traced struct {
	*filling
	all    []state.Entry
	kept   int
	opened [maxSteps]int64 // seconds
}

// traced walks through entries second by second. The entry with the index kept is reserved for the last place; if kept is negative, no
// entry is reserved.
func (s *sequence) traced(w *state.Window, all []state.Entry, kept int) *traced {
	t := &traced{filling: s.filling(w), all: all, kept: kept}
	if kept >= 0 {
		t.left[len(s.steps)-1]--
	}
	for k := range t.opened {
		t.opened[k] = state.Never
	}
	t.opened[0] = 0
	if len(all) > 0 {
		t.opened[0] = state.Floor(all[0].Time, 1e9)
	}
	for from := 0; from < len(all); {
		second := state.Floor(all[from].Time, 1e9)
		to := from + 1
		for to < len(all) && all[to].Time < (second+1)*1e9 {
			to++
		}
		t.walk(all[from:to], kept-from)
		for k := 1; k <= t.open(); k++ {
			t.opened[k] = min(t.opened[k], second)
		}
		from = to
	}
	return t
}

// open is the step that is filled now.
func (t *traced) open() int {
	if t.at == 0 && t.left[0] == 0 && t.begun() {
		return 1
	}
	return t.at
}

// missing is how many events and different values are lacking.
func (t *traced) missing() float64 {
	return float64(t.sum() + max(0, t.steps[0].distinct-len(t.seen)))
}

// part is what a step has.
func (t *traced) part(k int, whole bool) Part {
	p := counted("", float64(t.steps[k].count-t.left[k]), float64(t.steps[k].count), Events)
	if k == 0 && t.steps[0].distinct > 0 {
		p = counted("", float64(len(t.seen)), float64(t.steps[0].distinct), Different)
	}
	if !whole {
		return p
	}
	early := 0
	for i := range t.all {
		e := &t.all[i]
		second := state.Floor(e.Time, 1e9)
		switch {
		case i == t.kept:
			if k == len(t.steps)-1 {
				p.Entries = append(p.Entries, e)
			}
		case !t.satisfies(e, k):
		case second >= t.opened[k]:
			p.Entries = append(p.Entries, e)
		case !t.used(e, second):
			early++
			p.Note = fmt.Sprintf("%d came too early, before the earlier steps were full; the last at %s", early, said(e.Time))
		}
	}
	if p.Holds && p.Need > 1 && p.Unit == Events {
		p.Have = max(p.Have, float64(len(p.Entries)))
	}
	return p
}

// satisfies reports whether an entry can be of a step.
func (t *traced) satisfies(e *state.Entry, k int) bool {
	return e.Clauses&(1<<k) != 0 && (k == 0 || t.steps[0].distinct == 0 || e.Clauses&1 == 0)
}

// used reports whether an entry can be of a step that was open in its second.
func (t *traced) used(e *state.Entry, second int64) bool {
	for k := range t.steps {
		if second >= t.opened[k] && t.satisfies(e, k) {
			return true
		}
	}
	return false
}

// leaving is when more is missing than now because the first entries are too old; missing never falls when entries go.
func leaving(all []state.Entry, within int64, missing func(all []state.Entry) float64) int64 {
	now := missing(all)
	n := sort.Search(len(all), func(k int) bool { return missing(all[k+1:]) > now })
	if n == len(all) {
		return state.Never
	}
	return state.Plus(all[n].Time, within)
}
