package state

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// finding gathers what a bucket says.
func (w *Window) finding(t *told) *Finding {
	f := &Finding{Late: false}
	counts := make([]bool, len(w.Entries))
	fires := make([]bool, len(w.Entries))
	covered := 0 // the entries before it that windows hold are marked
	var found []Firing
	for i := After(w.Entries, w.begin(t)-1); i < len(w.Entries) && w.Entries[i].Time <= t.end; i++ {
		e := &w.Entries[i]
		if e.marks&fired == 0 || w.bucketOf(e, t.place) != t.bucket {
			continue
		}
		found = w.Kind.Fire(w, i, found[:0])
		for _, x := range found {
			if x.Place != t.place {
				continue
			}
			if f.First == nil {
				f.First, f.Time, f.Late, f.Window = e, e.Time, e.Late(), w.Entries[x.From:x.To]
			}
			fires[i] = true
			for k := max(x.From, covered); k < x.To; k++ {
				counts[k] = true
			}
			if !w.Places { // windows begin later and later
				covered = max(covered, x.To)
			}
			if x.Also >= 0 {
				counts[x.Also] = true
			}
		}
	}
	for i, is := range counts {
		if is {
			f.Counted = append(f.Counted, Counted{&w.Entries[i], fires[i]})
		}
	}
	if f.First == nil || order(&t.first, f.First) < 0 { // the window has let it go
		f.First, f.Time, f.Late, f.Window = &t.first, t.first.Time, t.first.Late(), nil
		f.Counted = slices.Insert(f.Counted, 0, Counted{&t.first, true})
	}
	w.sum(f)
	f.Anchor = w.known(t.bucket, f.First)
	return f
}

// sum measures what counted.
func (w *Window) sum(f *Finding) {
	if !w.Distinct && !w.Sum {
		return
	}
	different := map[uint64]struct{}{}
	for _, k := range f.Counted {
		if w.Sum {
			f.Sum += max(0, math.Float64frombits(k.Value))
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
	if b.place != "" {
		anchor = append(anchor, strings.Split(b.place, "\x00")...)
	}
	if w.Repeat == 0 {
		return append(anchor, w.Anchor(first)...)
	}
	return append(anchor, strconv.FormatInt(b.number, 10))
}
