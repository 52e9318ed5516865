package state

import (
	"maps"
	"math"
	"slices"
	"strconv"
)

// finding gathers what a bucket says.
func (w *Window) finding(t *told) *Finding {
	f := &Finding{}
	if from, to := w.within(t); w.Pairs != nil {
		w.pairs(f, t, from, to)
	} else {
		w.spans(f, from, to)
	}
	if f.First == nil || order(&t.first, f.First) < 0 { // the window has let it go
		f.First, f.Window = &t.first, nil
		f.Counted = slices.Insert(f.Counted, 0, Counted{&t.first, true})
	}
	f.Time, f.Late = f.First.Time, f.First.Late()
	w.sum(f)
	f.Anchor = w.known(t.bucket, f.First)
	return f
}

// within is where the entries of a bucket lie.
func (w *Window) within(t *told) (from, to int) {
	if t.every > 0 {
		return After(w.Entries, t.end-t.every-1), After(w.Entries, t.end-1)
	}
	i, have := w.place(&t.first)
	if !have {
		return 0, 0
	}
	return i, i + 1
}

// spans gathers what the windows hold of the entries of a bucket for which the rule fires. Windows begin later and later.
func (w *Window) spans(f *Finding, from, to int) {
	covered := 0 // the entries before it are gathered
	for i := from; i < to; i++ {
		e := &w.Entries[i]
		if e.marks&fired == 0 {
			continue
		}
		first, end := w.Kind.Span(w, i)
		if f.First == nil {
			f.First, f.Window = e, w.Entries[first:end]
		}
		for k := max(first, covered); k < end; k++ {
			f.Counted = append(f.Counted, Counted{&w.Entries[k], from <= k && k < to && w.Entries[k].marks&fired != 0})
		}
		covered = max(covered, end)
	}
}

// pairs gathers the entries of a bucket that find something of a place, and what they find.
func (w *Window) pairs(f *Finding, t *told, from, to int) {
	fires := map[int]bool{} // what counted, and whether the rule fires for it
	w.Pairs.Of(w, t.place, from, to, func(i, k int) {
		if f.First == nil {
			f.First, f.Window, f.With = &w.Entries[i], w.Entries[i:i+1], &w.Entries[k]
		}
		fires[i] = true
		if _, have := fires[k]; !have {
			fires[k] = false
		}
	})
	for _, i := range slices.Sorted(maps.Keys(fires)) {
		f.Counted = append(f.Counted, Counted{&w.Entries[i], fires[i]})
	}
}

// sum measures what counted.
func (w *Window) sum(f *Finding) {
	if !w.Distinct && !w.Sum {
		return
	}
	different := map[uint64]struct{}{}
	for _, k := range f.Counted {
		if w.Sum {
			f.Sum = min(math.MaxFloat64, f.Sum+max(0, math.Float64frombits(k.Value)))
			continue
		}
		w.EachValue(k.Entry, func(v uint64) { different[v] = struct{}{} })
	}
	f.Distinct = len(different)
}

// EachValue gives the values of an entry.
func (w *Window) EachValue(e *Entry, each func(uint64)) {
	if w.Values != nil {
		for _, v := range w.Values(e) {
			each(v)
		}
	} else if e.Value != 0 {
		each(e.Value)
	}
}

// known is what the finding of a bucket is known by.
func (w *Window) known(b bucket, first *Entry) (anchor []string) {
	if b.place != (Place{}) {
		anchor = append(anchor, b.place[:]...)
	}
	if b.every == 0 {
		return append(anchor, w.Anchor(first)...)
	}
	return append(anchor, strconv.FormatInt(b.number, 10))
}
