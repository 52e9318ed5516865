package detector

import (
	"math"
	"slices"
	"time"

	"noroshi/internal/cond"
	"noroshi/internal/cond/index"
	"noroshi/internal/decode"
	"noroshi/internal/event"
	"noroshi/rules/kind"
)

// Worker matches one record after the other, in one goroutine, without memory that grows with them.
type Worker struct {
	set      *Set
	reader   *decode.Reader
	ev       *event.Event
	machine  *cond.Machine
	memos    []*index.Memo // by slot
	stamp    []uint32      // by clause: the record that tried it last
	now      uint32
	list     []int32 // candidates
	hits     []int32
	held     []uint8 // by rule: the clauses that hold
	excused  []bool  // by rule: an exception holds
	hit      kind.Hit
	keys     []keyed
	texts    []string // of the keys
	found    []found
	wanted   []uint64 // values of the record at hand, a bit each
	numbers  []int    // of these
	enqueued time.Time
	timing   bool // the conditions on the record at hand are timed

	// Packing says which hits of a record Match packs together.
	Packing Packing
	// Marked reports whether an account may be marked: what others did besides changes is no part of a story. nil: all may be.
	Marked func(tenant, account string) bool

	// Clock, where it is there, times the conditions of rules on one of timeEvery records.
	Clock func() time.Duration
	// Timed counts, by rule, how often its condition was timed, and Time how long it took then.
	Timed []int
	Time  []time.Duration

	// Candidates counts the rules that records were tried on.
	Candidates int
	// Evaluated counts, by rule, the records that it was tried on.
	Evaluated []int
	// Failed counts, by rule, the records on which its condition failed at run time; it is false for them.
	Failed []int
	// NoKey counts, by rule, the records that lacked a value of its key.
	NoKey []int
	// Overflow counts, by rule, the elements of lists that were too many to be keys.
	Overflow []int
	// Excused are the rules whose condition the record at hand satisfies, and one of whose exceptions holds.
	Excused []Excused
}

// Worker makes what one goroutine needs.
func (s *Set) Worker() *Worker {
	n := len(s.rules)
	w := &Worker{set: s, reader: s.plan.Reader(), memos: make([]*index.Memo, s.plan.Layout().Len()),
		stamp: make([]uint32, len(s.clauses)), held: make([]uint8, n), excused: make([]bool, n),
		wanted: make([]uint64, (len(s.carried)+63)/64), NoKey: make([]int, n), Overflow: make([]int, n), Evaluated: make([]int, n), Failed: make([]int, n),
		Timed: make([]int, n), Time: make([]time.Duration, n)}
	w.ev = w.reader.Event
	w.machine = cond.NewMachine(w.ev, s.scope)
	for slot, t := range s.tables {
		w.memos[slot] = index.NewMemo(t)
	}
	return w
}

// Reader is the record at hand.
func (w *Worker) Reader() *decode.Reader { return w.reader }

// Needs reports whether a rule asks what a dataset has shown.
func (w *Worker) Needs(dataset string) bool { return w.set.needs[dataset] }

// Runs counts how often the VM ran.
func (w *Worker) Runs() int { return w.machine.Runs }

// Read reads the record b[from:to]; see decode.Reader.Read.
func (w *Worker) Read(b []byte, from, to int, enqueued time.Time) error {
	w.enqueued = enqueued
	return w.reader.Read(b, from, to, enqueued)
}

// ReadAlone reads a record that stands alone.
func (w *Worker) ReadAlone(rec []byte, enqueued time.Time) error {
	w.enqueued = enqueued
	return w.reader.ReadAlone(rec, enqueued)
}

// Hits are the rules that the record at hand satisfies, in their order; the answer holds until the next call.
func (w *Worker) Hits() []int32 {
	w.list, w.hits, w.Excused = w.list[:0], w.hits[:0], w.Excused[:0]
	if w.now++; w.now == math.MaxUint32 {
		clear(w.stamp)
		w.now = 1
	}
	w.timing = w.Clock != nil && w.now%timeEvery == 0
	w.probe(w.set.probes[w.reader.Shape()])
	if lists := w.set.listed[w.reader.Shape()]; len(lists) > 0 && w.reader.HasLists() {
		w.probe(lists)
	}
	w.try(w.list)
	w.try(w.set.always)
	if len(w.hits) > 1 {
		slices.Sort(w.hits)
	}
	w.hits = slices.DeleteFunc(w.hits, w.excuse)
	return w.hits
}

// probe looks the texts of slots up and adds the rules that wait for them to the candidates.
func (w *Worker) probe(slots []event.Slot) {
	for _, slot := range slots {
		if t := w.ev.Text(slot); t != "" {
			w.list = w.memos[slot].Rules(t, w.list)
		}
	}
}

func (w *Worker) try(list []int32) {
	for _, i := range list {
		if w.stamp[i] == w.now {
			continue
		}
		w.stamp[i] = w.now
		c := &w.set.clauses[i]
		if c.marked && w.Marked != nil && !w.Marked(w.ev.Text(event.Tenant), w.ev.Text(event.Account)) {
			continue
		}
		if w.holdsTimed(c) {
			if !slices.Contains(w.hits, c.rule) {
				w.hits, w.held[c.rule] = append(w.hits, c.rule), 0
			}
			w.held[c.rule] |= 1 << c.bit
		}
	}
}

// timeEvery is on which records conditions are timed: so few that it costs nothing, and so many that a busy hour tells.
const timeEvery = 1024

// holdsTimed is holds, and times it now and then.
func (w *Worker) holdsTimed(c *clause) bool {
	if !w.timing {
		return w.holds(c)
	}
	began := w.Clock()
	holds := w.holds(c)
	w.Timed[c.rule]++
	w.Time[c.rule] += w.Clock() - began
	return holds
}

// holds asks first what a look at the event decides, because it is cheaper than the VM, and then the VM, unless that is all of the
// condition.
func (w *Worker) holds(c *clause) bool {
	w.Candidates++
	w.Evaluated[c.rule]++
	if c.when == nil {
		return true
	}
	if !c.filter.Holds(w.ev) {
		return false
	}
	if c.exact {
		return true
	}
	holds, err := w.machine.Holds(c.when)
	if err != nil {
		w.Failed[c.rule]++
	}
	return holds
}

// excuse reports whether an exception leaves nothing of a hit. Rules that learn keep it, as they do where an event may not fire.
func (w *Worker) excuse(i int32) bool {
	r := w.set.rules[i]
	by := w.exception(r)
	w.excused[i] = by >= 0 || !w.may(r.only)
	if by < 0 {
		return false
	}
	w.Excused = append(w.Excused, Excused{Rule: i, By: int32(by)})
	if r.Kind.Learns {
		return false
	}
	w.held[i] &= r.open
	w.excused[i] = false
	return w.held[i] == 0
}

// may reports whether the record at hand satisfies a condition; nil: it does.
func (w *Worker) may(c *clause) bool {
	switch {
	case c == nil:
		return true
	case !c.filter.Holds(w.ev):
		return false
	case c.exact:
		return true
	}
	holds, _ := w.machine.Holds(c.when)
	return holds
}

// Excused is a rule that one of its exceptions keeps silent, both by number.
type Excused struct{ Rule, By int32 }

// exception is the first of the rule's exceptions that holds, by number, -1 where none does. One that has expired by the event's own
// time does not.
func (w *Worker) exception(r *rule) int {
	for i := range r.Unless {
		x := &r.Unless[i]
		if !x.Expired(w.reader.Time()) {
			if holds, _ := w.machine.Holds(x.When); holds {
				return i
			}
		}
	}
	return -1
}
