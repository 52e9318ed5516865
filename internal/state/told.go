package state

import (
	"math"
	"slices"
)

// bucket is what the findings of a key are known by.
type bucket struct {
	number int64
	every  int64  // its length: that of the rule when it was noted; 0: its event is all of it
	event  string // where every event is a bucket of its own: its identity
	place  Place  // see Pair
}

// told is what has been said of a bucket.
type told struct {
	bucket
	end      int64 // of the bucket
	first    Entry // the first event for which the rule fires; it is kept when the window lets it go
	was      Entry // the first event when it was said
	said     float64
	seen     float64 // how much counted when it was looked at last; 0: it was not
	noted    int     // since then
	saidOf   int64   // the first event when it was said
	revision int
	before   int  // revisions that may have been told of the bucket before it was forgotten
	part     bool // some of its events are forgotten
	changed  bool // since it was said
	empty    bool // the rule fires for no event of it any more, and what was said of it stands

	unwritten bool // it has changed since it was written
}

// MaxPairs is how many findings of pairs a key may have at once; their number grows as the square of that of the entries.
const MaxPairs = 1000

// note remembers that there is something to say of a bucket; nil: there are too many of them.
func (w *Window) note(c *Context, e *Entry, place Place, fires bool) *told {
	t := w.find(e, place)
	if t == nil && w.Pairs != nil && len(w.told) >= MaxPairs {
		return nil
	}
	if t == nil {
		t = &told{bucket: w.bucketOf(e, place), end: w.end(e.Time), first: *e}
		if w.behind(c, t, e) {
			t.before = t.most(c)
		}
		w.told = append(w.told, t)
		if w.byBucket != nil {
			w.byBucket[t.bucket] = t
		}
		w.oldest = min(w.oldest, w.last(t))
		if w.Repeat == 0 && place == (Place{}) {
			e.told = t
			w.noteAlert(t)
		}
	}
	t.changed, t.unwritten = true, true
	t.noted++
	if w.behind(c, t, e) {
		if _, held := w.place(&t.first); !held {
			t.first = *e // each part tells of itself
		}
		t.part = true
	}
	w.closes = min(w.closes, t.end)
	if fires && (t.empty || order(e, &t.first) < 0) {
		t.first, t.empty = *e, false
	}
	return t
}

// noteOrCount remembers a finding of a place, or counts it where there are too many.
func (w *Window) noteOrCount(c *Context, e *Entry, place Place) {
	if w.note(c, e, place, true) == nil {
		w.unnoted++
	}
}

// find is what has been noted of a bucket, nil where nothing has.
func (w *Window) find(e *Entry, place Place) *told {
	if w.Repeat == 0 && place == (Place{}) {
		if e.told == nil && e.Linked() {
			e.told = w.ownTold(e)
		}
		return e.told
	}
	b := w.bucketOf(e, place)
	if len(w.told) > fewTold {
		return w.indexed(b)
	}
	for i := len(w.told) - 1; i >= 0; i-- {
		if w.told[i].bucket == b {
			return w.told[i]
		}
	}
	return nil
}

// fewTold is how many are looked through without an index.
const fewTold = 16

// indexed is what has been noted of a bucket, by an index that is made anew when something has gone.
func (w *Window) indexed(b bucket) *told {
	if w.byBucket == nil {
		w.byBucket = make(map[bucket]*told, len(w.told))
		for _, t := range w.told {
			w.byBucket[t.bucket] = t
		}
	}
	return w.byBucket[b]
}

// say tells what has changed and is to be told now.
func (w *Window) say(c *Context) {
	if w.closes == Never || !c.Live && !c.Passed(w.closing(c, w.closes)) {
		return
	}
	w.closes = Never
	for _, t := range w.told {
		switch {
		case !t.changed:
		case c.Passed(w.closing(c, t.end)):
			w.tell(c, t, w.finding(t), true)
		case c.Live:
			w.grown(c, t)
		}
		if t.changed {
			w.closes = min(w.closes, t.end)
		}
	}
}

// grown tells a bucket for the first time, when it has doubled, and when it begins earlier than was said.
func (w *Window) grown(c *Context, t *told) {
	if t.revision > 0 && t.first.Time >= t.saidOf && !w.Sum && w.Values == nil && w.countsMost(t) < 2*t.said {
		return
	}
	f := w.finding(t)
	t.seen, t.noted = f.measure(w.Spec), 0
	if t.revision == 0 || t.first.Time < t.saidOf || t.seen >= 2*t.said {
		w.tell(c, t, f, false)
	}
}

// countsMost is how much can count for a bucket at most: of pairs two entries more with each that was noted, of an event that is a
// bucket of its own its window, else all that is held.
func (w *Window) countsMost(t *told) float64 {
	switch {
	case w.Pairs != nil && t.seen > 0:
		return t.seen + 2*float64(t.noted)
	case w.Pairs == nil && t.every == 0:
		if i, have := w.place(&t.first); have {
			from, to := w.Kind.Span(w, i)
			return float64(to - from)
		}
	}
	return float64(len(w.Entries))
}

func (w *Window) tell(c *Context, t *told, f *Finding, final bool) {
	if t.revision > 0 && !t.part && order(&t.was, f.First) != 0 {
		was := t.was
		f.Was = &was
	}
	if t.revision == 0 {
		t.revision = t.before
	}
	t.revision++
	t.unwritten = true
	t.changed, t.said, t.saidOf, t.was = false, f.measure(w.Spec), t.first.Time, *f.First
	f.Revision, f.Final, f.Part = t.revision, final, t.part
	f.Late = f.Late || t.part
	if f.Sum == math.MaxFloat64 {
		c.Counts.Overflow++ // the sum is too small
	}
	c.Tell(f)
}

// measure is what a bucket is told again for when it has doubled.
func (f *Finding) measure(s *Spec) float64 {
	switch {
	case s.Distinct:
		return float64(f.Distinct)
	case s.Sum:
		return f.Sum
	}
	return float64(len(f.Counted))
}

// ownTold is what has been noted of an alert that was here before, where every entry is a bucket of its own.
func (w *Window) ownTold(e *Entry) *told {
	if w.byAlert == nil {
		w.byAlert = make(map[string]*told, len(w.told))
		for _, t := range w.told {
			w.noteAlert(t)
		}
	}
	t := w.byAlert[string(e.named())]
	if t != nil {
		w.byBucket = nil
		w.tear(t.event != string(e.Identity())) // rows have it by another name
		t.event, t.end, t.first = string(e.Identity()), w.end(e.Time), *e
		w.oldest = min(w.oldest, w.last(t))
	}
	return t
}

// noteAlert indexes what has been noted of an alert.
func (w *Window) noteAlert(t *told) {
	if w.byAlert != nil && t.every == 0 && t.first.Linked() {
		w.byAlert[string(t.first.named())] = t
	}
}

// drop forgets what has been noted of buckets.
func (w *Window) drop(goes func(t *told) bool) {
	w.told = slices.DeleteFunc(w.told, func(t *told) bool {
		if !goes(t) {
			return false
		}
		delete(w.byBucket, t.bucket)
		if w.byAlert != nil && t.first.Linked() {
			delete(w.byAlert, string(t.first.named()))
		}
		return true
	})
}

// last is when the bucket ends that the bucket's last event counts in, and its first one does. Until nothing more is expected of that one
// and it has been kept, all events that count for the bucket are held.
func (w *Window) last(t *told) int64 {
	if t.every == 0 {
		return w.end(Plus(t.first.Time, max(w.Within, w.Before)))
	}
	return max(t.end, w.end(Plus(t.end-t.every, max(w.Within, w.Before))))
}

// forgets is when events that count for a bucket can have gone, and what has been told of it.
func (w *Window) forgets(c *Context, t *told) int64 { return Plus(w.closing(c, w.last(t)), c.Keep) }

// behind reports whether an entry is noted for a bucket of which something may have been told and forgotten. What is a bucket of its own
// comes again with its event alone, which says the same. What is decided late has come before, maybe in time.
func (w *Window) behind(c *Context, t *told, e *Entry) bool {
	if w.Asks != nil {
		return t.every > 0 && e.marks&behind != 0
	}
	return t.every > 0 && c.Passed(w.forgets(c, t))
}

// most is how many revisions of a bucket can have been told by now: one for each second since its end. See forget.
func (t *told) most(c *Context) int { return int(max(0, c.Now-t.end) / 1e9) }
