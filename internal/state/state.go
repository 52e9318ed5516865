// Package state keeps what rules remember: for each key the events that still count, and what has been told of them.
package state

import (
	"bytes"
	"cmp"
	"math"
	"slices"
	"time"
)

// Never is later than every time.
const Never int64 = math.MaxInt64

// Entry is one event that counts for a key. Entries lie in the order of their heads.
type Entry struct {
	Time    int64  // nanoseconds since 1970
	Value   uint64 // what the kind looks at: the hash of a text, the bits of a number
	Packed  []byte // the hit
	Head    int32  // its first bytes, which order events and are what they are known by
	Clauses uint8  // the clauses that the event satisfies, a bit each
	marks   marks
	kept    *kept // what was made of it; nil: nothing
	told    *told // where every event is a bucket of its own: what has been said of it
}

// kept is what has been made of an entry and need not be made again.
type kept struct {
	hash uint64 // of what it is known by; 0: not made
	made any
}

// Made is what Make has kept with the entry, nil where it has kept nothing.
func (e *Entry) Made() any {
	if e.kept == nil {
		return nil
	}
	return e.kept.made
}

// Make keeps something that was made of the entry for as long as the entry is what it is.
func (e *Entry) Make(of any) {
	if e.kept == nil {
		e.kept = &kept{}
	}
	e.kept.made = of
}

type marks uint16

const (
	fired   marks = 1 << iota // the rule fires for the entry
	decided                   // what is decided late has been decided
	late                      // came behind the clock
	listed                    // the hit carries lists
	linked                    // an alert of another rule
	gone                      // it counts for another key now
	behind                    // came when what was told of its bucket may have been forgotten
	clashes                   // may clash with another entry of its window
	fresh                     // no row holds the entry
	altered                   // the row that holds it has it otherwise
)

// stored are the marks that rows hold.
const stored = fired | decided | late | listed | linked | gone | behind

// set sets a mark.
func (e *Entry) set(m marks) {
	if e.marks&m != m {
		e.marks |= m | altered
	}
}

// Identity is what the event is known by.
func (e *Entry) Identity() []byte { return e.Packed[:e.Head] }

// Decided reports whether the time to decide late has come for the entry.
func (e *Entry) Decided() bool { return e.marks&decided != 0 }

// Came notes that the entry has come while the clock stood as in a context.
func (e *Entry) Came(c *Context) {
	if e.Time < c.Now && !e.Linked() {
		e.marks |= late
	}
}

// Delay notes that the alert that the entry stands for came late itself.
func (e *Entry) Delay() { e.marks |= late }

// List notes that the hit carries lists.
func (e *Entry) List() { e.marks |= listed }

// Listed reports whether the hit carries lists.
func (e *Entry) Listed() bool { return e.marks&listed != 0 }

// Late reports whether the entry came behind the clock.
func (e *Entry) Late() bool { return e.marks&late != 0 }

func order(a, b *Entry) int {
	if a.Time != b.Time {
		return cmp.Compare(a.Time, b.Time)
	}
	return bytes.Compare(a.Identity(), b.Identity())
}

// Insert puts an entry where it lies in order.
func Insert(all []Entry, e Entry) []Entry {
	at, _ := slices.BinarySearchFunc(all, &e, func(a Entry, b *Entry) int { return order(&a, b) })
	return slices.Insert(all, at, e)
}

// Counted is an entry that counted for a finding.
type Counted struct {
	*Entry
	Fires bool // the rule fires for it
}

// Finding is what a rule finds for a key: all that an alert says of the memory. It holds until the memory is used again.
type Finding struct {
	Anchor   []string  // what it is known by beside tenant, rule and key, whatever the order in which its events came
	Time     int64     // of the first event in order for which the rule fires
	First    *Entry    // that event
	Window   []Entry   // the events of its window, in order
	With     *Entry    // the other one of a pair
	Was      *Entry    // First when the finding was told before, where it was another one
	Counted  []Counted // in order
	Total    int       // events that counted, where Counted leaves some out
	Distinct int       // different values among them
	Sum      float64   // of their values
	Revision int
	Raised   uint8 // of events for which the rule fires and that Counted leaves out; see kind.Hit
	Late     bool  // First came behind the clock, or what came is a part
	Part     bool  // it came when events were forgotten that may have counted, and may have been told
	Wall     bool  // the clock on the wall decided
	Final    bool  // nothing more is said of it, but for events that come late
}

// Counts are what has bitten a bound, since the memory was made.
type Counts struct {
	Overflow  int // entries that went because a key held too many
	Evicted   int // keys that went because a tenant held too many
	TooLate   int // events that came when their neighbours were gone
	Undecided int // events of which it could not be decided whether the rule fires
	NoKey     int // events without a value for the key
}

// Add sums counts.
func (c *Counts) Add(o Counts) {
	c.Overflow += o.Overflow
	c.Evicted += o.Evicted
	c.TooLate += o.TooLate
	c.Undecided += o.Undecided
	c.NoKey += o.NoKey
}

// Context is what a memory is given with each call: the clock, and where findings go.
type Context struct {
	Now int64 // the clock; math.MinInt64 while it stands still
	// Sources is how far the sources have come. Now is later where the clock on the wall stands in for those that tell nothing any more.
	Sources int64
	Keep    int64 // how long a window stays after its end
	Wait    int64 // how long a late decision waits
	Live    bool  // each revision is told; else the last alone
	Ended   bool  // the input has ended: what is due at Now is decided
	// Complete says that Shown knows all that will ever be shown.
	Complete bool
	Counts   *Counts
	Shown    Shown
	// Tell takes a finding. It must copy what it keeps.
	Tell func(*Finding)
	// Hold gives what is held of the entry that is added, whose Packed is its head at least; nil: a copy of Packed.
	Hold func(packed []byte) []byte
}

// Held is what is held of the entry that is added.
func (c *Context) Held(packed []byte) []byte {
	if c.Hold == nil {
		return bytes.Clone(packed)
	}
	return c.Hold(packed)
}

// Shown knows what the sources have shown.
type Shown interface {
	// All reports whether every dataset that the rule at hand needs has shown an event after a time, at most so much later.
	All(after, within int64) bool
}

// Passed reports whether the clock is behind a time, or has come to it at the end.
func (c *Context) Passed(t int64) bool { return c.Now > t || c.Ended && c.Now == t }

// Memory is what a rule keeps of one key.
type Memory interface {
	// Due is when Advance has something to do: to close, to decide, to forget. It may be earlier than that, never later.
	Due(c *Context) int64
	// Advance does what is due, and reports whether nothing is held any more.
	Advance(c *Context) (empty bool)
	// Close tells what has not been told: the memory goes.
	Close(c *Context)
	// Append packs the memory for a row.
	Append(to []byte) []byte
	// Load reads what Append wrote.
	Load(row []byte) error
}

// Nanoseconds are those of a time since 1970; times beyond 64 bits, before 1678 and after 2261, are the first and the last.
func Nanoseconds(t time.Time) int64 {
	switch {
	case t.Before(time.Unix(0, math.MinInt64)):
		return math.MinInt64
	case t.After(time.Unix(0, math.MaxInt64)):
		return math.MaxInt64 - 1 // what is never due is not due then
	}
	return t.UnixNano()
}

// Plus adds times that may be Never or the least there is.
func Plus(a, b int64) int64 {
	switch s := a + b; {
	case b > 0 && s < a:
		return Never
	case b < 0 && s > a:
		return math.MinInt64
	default:
		return s
	}
}

// Floor divides times down, those before 1970 too.
func Floor(t, by int64) int64 {
	q := t / by
	if t%by < 0 {
		q--
	}
	return q
}

// After is the index of the first entry later than a time.
func After(all []Entry, t int64) int {
	if n := len(all); n == 0 || all[n-1].Time <= t { // what comes in order
		return n
	}
	i, _ := slices.BinarySearchFunc(all, t, func(e Entry, t int64) int {
		if e.Time <= t {
			return -1
		}
		return 1
	})
	return i
}
