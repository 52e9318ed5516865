// Package kind holds the ways in which rules fire.
package kind

import (
	"fmt"
	"math"
	"time"

	"noroshi/internal/cond"
	"noroshi/internal/event"
	"noroshi/internal/state"
)

// Kind is a way of firing.
type Kind interface {
	// Name is what `kind:` says.
	Name() string
	// Doc says in a sentence when such a rule fires.
	Doc() string
	// Keys are what an author writes beside the keys of all rules.
	Keys() []Key
	// New makes a rule of what was written. It tells the author what does not go together with v.Wrong.
	New(v *Values) *Rule
}

// All are the kinds there are; the first is what a rule is that does not say.
var All = []Kind{Match{}, Threshold{}, Sequence{}, Absence{}, Silence{}, FirstSeen{}, Travel{}, Baseline{}, Correlation{}}

// Lookup finds a kind by its name.
func Lookup(name string) (Kind, bool) {
	for _, k := range All {
		if k.Name() == name {
			return k, true
		}
	}
	return nil, false
}

// Names are the names of all kinds.
func Names() (all []string) {
	for _, k := range All {
		all = append(all, k.Name())
	}
	return all
}

// Rule is a compiled way of firing: what matching and memory need to know.
type Rule struct {
	Kind    Kind
	Clauses []Clause
	By      []Field // what makes the key, beside the tenant
	// Only is what an event must satisfy to fire; the others that count are learned from. Nil: each may fire.
	Only  *cond.Program
	Looks []Field  // what memory looks at: the first values of a hit
	Shows []Field  // what alerts show beside the fields of the conditions
	Steps []Step   // of a sequence
	Of    []string // whose alerts are looked at
	Needs []string // datasets that must have shown what is later
	Wall  bool     // the clock on the wall stands in where no source tells how far it has come
	// Learns says that events with an exception are learned from.
	Learns bool
	// About says that the account is that of the first event though the key does not hold it.
	About bool
	// Distinct and Sum say what else the rule counts.
	Distinct, Sum bool
	// Within is how far back windows reach; 0: the kind has none.
	Within time.Duration
	// Settles is how long after its time an alert of the rule may still grow while events come in order.
	Settles time.Duration
	// Cell is a span of time of which memory looks at a key's first event alone; 0: it looks at each.
	Cell time.Duration
	// Memory makes the memory of a key; nil: each event fires by itself.
	Memory func() Memory
	// Shape is all that decides what memory holds: where it differs memory begins anew.
	Shape []string
}

// Clause is a condition of a rule, which events satisfy, or a reference to other rules, whose alerts satisfy it.
type Clause struct {
	When *cond.Program
	Of   []string // ids of rules, guide:S3, class:access
	By   []Field  // instead of the rule's; nil: as the rule
	// Open says that exceptions do not excuse what satisfies the clause.
	Open bool
}

// Step is a part of a sequence, as texts speak of it.
type Step struct {
	ID   string
	Show []Field
}

// Field is a value of events.
type Field struct {
	Name string
	Slot event.Slot
	Type event.Type
}

// Memory is what one rule keeps of the events of one key.
type Memory interface {
	state.Memory
	// Add takes the next hit. It is called from the one goroutine that owns the partition. What it keeps of the hit it copies.
	Add(c *state.Context, h *Hit, e state.Entry)
}

// windowed is the memory of kinds that look at a window.
type windowed struct {
	*state.Window
	value func(h *Hit) uint64 // of an entry; nil: none
}

func (w *windowed) Add(c *state.Context, h *Hit, e state.Entry) {
	if w.value != nil {
		e.Value = w.value(h)
	}
	w.Window.Add(c, e)
}

// Newest is the time of the newest event that is held; math.MinInt64 if none is.
func (w *windowed) Newest() int64 {
	if n := len(w.Entries); n > 0 {
		return w.Entries[n-1].Time
	}
	return math.MinInt64
}

// window makes memories of a specification.
func window(s *state.Spec, value func(h *Hit) uint64) func() Memory {
	s.Anchor, s.Later = identity, later
	if value != nil {
		s.Value = valueBy(value)
	}
	return func() Memory { return &windowed{state.NewWindow(s), value} }
}

// valueBy is Entry.Value of a packed hit.
func valueBy(value func(h *Hit) uint64) func(packed []byte) uint64 {
	return func(packed []byte) uint64 {
		var h Hit
		if h.UnpackHeld(packed) != nil {
			return 0
		}
		return value(&h)
	}
}

// identity is what the event of an entry is known by in an alert's id. An alert is known by its own id: its time may move.
func identity(e *state.Entry) []string {
	var h Hit
	f := state.Read(e.Packed)
	h.readHead(f)
	switch {
	case f.Failed():
		return []string{string(e.Identity())}
	case e.Linked():
		return []string{h.ID}
	}
	return h.Same().Anchor()
}

// settles is how long an alert of windows grows: to the end of its bucket, and until what is decided late is decided.
func settles(s *state.Spec) time.Duration {
	t := max(s.Repeat, int64(time.Second))
	if s.After > 0 {
		t += s.After + state.WaitMost
	}
	return time.Duration(t)
}

// The bounds of what authors write.
const (
	minWithin = time.Second
	maxWithin = 30 * 24 * time.Hour
	minRepeat = time.Minute
)

// repeat is the length of a bucket: what is written, 0 for `each`.
func repeat(v *Values, within time.Duration) int64 {
	if v.Has("repeat") {
		return int64(v.Repeat("repeat"))
	}
	return int64(min(max(within, time.Hour), 24*time.Hour))
}

// shape is what decides what memory holds, beside conditions and key.
func shape(parts ...any) (all []string) {
	for _, p := range parts {
		all = append(all, fmt.Sprint(p))
	}
	return all
}
