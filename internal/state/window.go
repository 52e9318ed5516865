package state

import "slices"

// Kind says what the entries of a window mean. It is pure and shared by all windows.
type Kind interface {
	// Fires reports whether the rule fires for entry i. More entries never change a yes, but where it is decided late.
	Fires(w *Window, i int) bool
	// Span is where the entries lie that count for entry i: from the first to before the second.
	Span(w *Window, i int) (from, to int)
}

// Sweeper is a kind that tells of many entries in a row for which of them the rule fires, in one pass.
type Sweeper interface {
	// Sweep calls fires for entries from the first to before the second, in order.
	Sweep(w *Window, from, to int, fires func(i int))
}

// Pairs is a kind whose rule finds two entries that do not go together.
type Pairs interface {
	// Pairs appends what entry i finds: of each place the latest entry. It may stop behind MaxPairs.
	Pairs(w *Window, i int, to []Pair) []Pair
	// Pair reports whether entry i makes a finding with entry k, and of which place.
	Pair(w *Window, i, k int) (Place, bool)
	// Of gives the entries from one to before another that find something of a place, in order, each with the latest entry with which
	// it does.
	Of(w *Window, place Place, from, to int, each func(i, k int))
}

// Place is what the finding of a pair is known by beside its bucket: the names of both.
type Place [2]string

// Pair is what an entry finds with another one.
type Pair struct {
	With  int
	Place Place
}

// Spec is what windows of one rule have in common.
type Spec struct {
	Kind   Kind
	Pairs  Pairs // instead
	Within int64 // how far a window reaches back
	Repeat int64 // the length of a bucket; 0: every entry for which the rule fires is a bucket of its own
	Most   int   // entries of a key; 0: MaxEntries
	Second bool  // a window ends with the whole second of its entry
	// Asks reports that an entry is decided late, After its time, and that what lies Before it counts; nil: none is.
	Asks          func(e *Entry) bool
	After, Before int64
	// What is told again when it has doubled: different values or their sum, else the number of events.
	Distinct, Sum bool
	// Values are those of an entry that hold a list; nil: Entry.Value.
	Values func(e *Entry) []uint64
	// Value is Entry.Value of a hit.
	Value func(packed []byte) uint64
	// Because gives the hashes of what counted for a packed alert, eight bytes each, where the kind asks which entries clash; nil: it
	// does not. Entries that satisfy the same clauses in the same second fire alike unless some clash.
	Because func(packed []byte) []byte
	// Later reports whether the second of two packed alerts is a later revision of the first.
	Later func(was, is []byte) bool
	// Anchor is what an event is known by in an alert's id.
	Anchor func(e *Entry) []string
}

// MaxEntries is how many entries a key holds.
const MaxEntries = 10_000

// WaitMost is how long a late decision waits for what other sources show.
const WaitMost = int64(24 * 60 * 60 * 1e9)

// Window is the memory of one key of a rule that looks at events of a span of time.
type Window struct {
	*Spec
	Entries  []Entry
	told     []*told
	byBucket map[bucket]*told // told, where there are many; nil: to be made
	byAlert  map[string]*told // told of alerts, by what they are known by, where each is a bucket of its own; nil: to be made
	unnoted  int              // findings that were too many
	closes   int64            // when the first bucket ends that has changed
	oldest   int64            // the least last of those told
	Own      any              // what the kind keeps beside
	alerts   map[uint64]int64 // entries that are alerts: their times, by the hash of their ids
	apart    *apart           // what clashes; nil: nothing yet
	// Unsearched counts the times that a kind has given up before it knew whether an entry fires.
	Unsearched int
	pending    int   // entries that are not decided
	decide     int64 // when the first of them is to be decided

	went *went // what has gone since the window was written; nil: nothing
}

// NewWindow makes an empty window.
func NewWindow(s *Spec) *Window { return &Window{Spec: s, decide: Never, closes: Never, oldest: Never} }

// Add takes an entry and tells what it completes. The packed hit is copied.
func (w *Window) Add(c *Context, e Entry) {
	w.forget(c)
	if e.Linked() && w.replace(c, &e) {
		return
	}
	at, held := w.place(&e)
	if held {
		return
	}
	if c.Passed(w.gone(c, e.Time)) {
		c.Counts.TooLate++
	}
	e.Came(c)
	if w.Asks != nil && c.Passed(w.forgets(c, &told{bucket: w.bucketOf(&e, Place{}), end: w.end(e.Time), first: e})) {
		e.marks |= behind
	}
	if w.Asks != nil && w.Asks(&e) {
		w.pending++
		w.decide = min(w.decide, Plus(e.Time, w.After))
	}
	e.Packed = c.Held(e.Packed)
	e.marks |= fresh
	w.Entries = slices.Insert(w.Entries, at, e)
	w.enter(&w.Entries[at])
	if n := len(w.Entries) - w.most(); n > 0 {
		c.Counts.Overflow += n
		w.remove(n)
		if at -= n; at < 0 {
			return
		}
	}
	if w.Asks == nil {
		w.test(c, at)
		w.say(c)
	}
	c.Counts.Overflow += w.unnoted
	w.unnoted = 0
	w.countUnsearched(c)
}

func (w *Window) countUnsearched(c *Context) {
	c.Counts.Undecided += w.Unsearched
	w.Unsearched = 0
}

// place is where an entry lies, or would lie, in the window.
func (w *Window) place(e *Entry) (at int, have bool) {
	if n := len(w.Entries); n == 0 || order(&w.Entries[n-1], e) < 0 { // what comes in order
		return n, false
	}
	return slices.BinarySearchFunc(w.Entries, e, func(a Entry, b *Entry) int { return order(&a, b) })
}

func (w *Window) most() int {
	if w.Most > 0 {
		return w.Most
	}
	return MaxEntries
}

// test looks again at every entry whose window holds the new one.
func (w *Window) test(c *Context, at int) {
	t := w.Entries[at].Time
	from := at
	for from > 0 && w.reaches(t, w.Entries[from-1].Time) {
		from--
	}
	to := at + 1
	for to < len(w.Entries) && w.Entries[to].Time < Plus(t, w.Within) {
		to++
	}
	if w.Pairs != nil {
		w.pair(c, at, from, to)
		return
	}
	if k, ok := w.Kind.(Sweeper); ok && to-from > fewEntries {
		w.sweep(c, k, from, to)
		return
	}
	var silent [1 << 5]int64 // by clauses: the second, plus 1<<40 so that none is 0, in which an entry has not fired; others like it do not either
	var noted *told
	for i := from; i < to; i++ {
		e := &w.Entries[i]
		if e.marks&fired != 0 {
			if noted == nil || w.Repeat == 0 || Floor(e.Time, w.Repeat) != noted.number { // of a flood each bucket is noted once
				noted = w.note(c, e, Place{}, false)
			}
			continue
		}
		alike, second := &silent[e.Clauses%(1<<5)], Floor(e.Time, 1e9)+1<<40
		if w.Second && !w.Clash() && *alike == second {
			continue
		}
		if !w.Kind.Fires(w, i) {
			*alike = second
			continue
		}
		e.set(fired)
		w.note(c, e, Place{}, true)
	}
}

// fewEntries are looked at one by one.
const fewEntries = 8

// sweep is test for many entries: what comes late is seen by all that came after it. Those for which the rule fires already go on
// firing, and are not asked again.
func (w *Window) sweep(c *Context, k Sweeper, from, to int) {
	first, last := to, from // of those that are asked
	var noted *told
	for i := from; i < to; i++ {
		e := &w.Entries[i]
		switch {
		case e.marks&fired == 0:
			first, last = min(first, i), i+1
		case noted == nil || w.Repeat == 0 || Floor(e.Time, w.Repeat) != noted.number:
			noted = w.note(c, e, Place{}, false)
		}
	}
	if last-first > fewEntries {
		k.Sweep(w, first, last, func(i int) { w.fires(c, i) })
		return
	}
	for i := first; i < last; i++ {
		if w.Entries[i].marks&fired == 0 && w.Kind.Fires(w, i) {
			w.fires(c, i)
		}
	}
}

// fires notes that the rule fires for an entry, be it for the first time or not.
func (w *Window) fires(c *Context, i int) {
	if e := &w.Entries[i]; e.marks&fired == 0 {
		e.set(fired)
		w.note(c, e, Place{}, true)
	}
}

// pair looks at what the new entry finds, and which others find it. Where far too many do it goes no further: these are counted.
func (w *Window) pair(c *Context, at, from, to int) {
	for _, p := range w.Pairs.Pairs(w, at, nil) {
		w.Entries[at].set(fired)
		w.noteOrCount(c, &w.Entries[at], p.Place)
	}
	for i := from; i < to && w.unnoted <= MaxPairs; i++ {
		if i == at {
			continue
		}
		if place, ok := w.Pairs.Pair(w, i, at); ok {
			w.Entries[i].set(fired)
			w.noteOrCount(c, &w.Entries[i], place)
		}
	}
}

// reaches reports whether the window of an entry not later than t holds what happens at t.
func (w *Window) reaches(t, entry int64) bool {
	if w.Second {
		return Floor(entry, 1e9) == Floor(t, 1e9)
	}
	return entry == t
}

// bucketOf is the bucket of an entry.
func (w *Window) bucketOf(e *Entry, place Place) bucket {
	if w.Repeat == 0 {
		return bucket{event: string(e.Identity()), place: place}
	}
	return bucket{number: Floor(e.Time, w.Repeat), every: w.Repeat, place: place}
}

// end is when the bucket of a time ends.
func (w *Window) end(t int64) int64 {
	switch {
	case w.Repeat == 0 && w.Second:
		return (Floor(t, 1e9)+1)*1e9 - 1
	case w.Repeat == 0:
		return t
	}
	return (Floor(t, w.Repeat) + 1) * w.Repeat
}

// gone is when an event at a time counts no more: the last bucket that it can count in has ended.
func (w *Window) gone(c *Context, t int64) int64 {
	return Plus(Plus(w.end(Plus(t, max(w.Within, w.Before))), w.After), c.Wait+c.Keep)
}

// closing is when nothing more is expected of a bucket that ends at a time.
func (w *Window) closing(c *Context, end int64) int64 { return Plus(Plus(end, w.After), c.Wait) }

// Due implements Memory.
func (w *Window) Due(c *Context) int64 {
	due := Never
	if n := len(w.Entries); n > 0 {
		due = w.gone(c, w.Entries[n-1].Time)
	}
	if w.pending > 0 {
		due = min(due, Plus(w.decide, c.Wait))
	}
	if w.closes != Never {
		due = min(due, w.closing(c, w.closes))
	} else if len(w.Entries) == 0 && w.oldest != Never {
		due = min(due, Plus(w.closing(c, w.oldest), c.Keep))
	}
	return due
}

// Advance implements Memory.
func (w *Window) Advance(c *Context) (empty bool) {
	if w.pending > 0 && c.Passed(Plus(w.decide, c.Wait)) {
		w.decideAll(c)
	}
	w.say(c)
	w.forget(c)
	return len(w.Entries) == 0 && len(w.told) == 0
}

// decideAll decides the entries whose time has come.
func (w *Window) decideAll(c *Context) {
	w.decide = Never
	for i := range w.Entries {
		e := &w.Entries[i]
		if !w.Asks(e) || e.marks&decided != 0 {
			continue
		}
		at := Plus(e.Time, w.After)
		switch shown := c.Shown.All(at, WaitMost); {
		case !c.Passed(Plus(at, c.Wait)):
			w.decide = min(w.decide, at)
			continue
		case shown:
			w.fire(c, i)
		case !c.Complete && !c.Passed(Plus(at, WaitMost+c.Wait)):
			w.decide = min(w.decide, Plus(c.Now-c.Wait, 1e9)) // another look in a second
			continue
		default:
			c.Counts.Undecided++
		}
		e.set(decided)
		w.pending--
	}
}

func (w *Window) fire(c *Context, i int) {
	if w.Kind.Fires(w, i) {
		w.fires(c, i)
	}
}

// Close implements Memory.
func (w *Window) Close(c *Context) {
	c.Counts.Undecided += w.pending
	for _, t := range w.told {
		if t.changed {
			w.tell(c, t, w.finding(t), true)
		}
	}
}

// forget drops what counts no more. What has been told of a bucket stays for at least as many seconds behind its end as there were
// revisions: so whoever goes on knows a number that is above all of them.
func (w *Window) forget(c *Context) {
	n := 0
	for n < len(w.Entries) && c.Passed(w.gone(c, w.Entries[n].Time)) && !w.waits(&w.Entries[n]) {
		n++
	}
	w.remove(n)
	if w.oldest == Never || !c.Passed(Plus(w.closing(c, w.oldest), c.Keep)) {
		return
	}
	w.oldest = Never
	w.drop(func(t *told) bool {
		if !t.changed && c.Passed(w.forgets(c, t)) && t.most(c) >= t.revision {
			w.tear(t.unwritten) // rows have it as it was before it was told
			return true
		}
		w.oldest = min(w.oldest, w.last(t))
		return false
	})
}

// waits reports whether it is not decided yet whether the rule fires for an entry, because another source has not shown enough.
func (w *Window) waits(e *Entry) bool { return w.Asks != nil && w.Asks(e) && e.marks&decided == 0 }

// remove drops the first entries.
func (w *Window) remove(n int) {
	for i := range n {
		if w.waits(&w.Entries[i]) {
			w.pending--
		}
		w.leave(&w.Entries[i])
		if w.Entries[i].marks&fresh == 0 {
			w.went = w.gap()
			w.went.first++
		}
		w.Entries[i] = Entry{}
	}
	if w.Entries = w.Entries[n:]; len(w.Entries) == 0 {
		w.Entries = nil
	}
}
