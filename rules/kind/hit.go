package kind

import (
	"encoding/binary"
	"errors"
	"hash/maphash"
	"slices"
	"time"

	"noroshi/internal/event"
	"noroshi/internal/state"
)

// Hit is what is left of one record that satisfied clauses of a rule: all that the rule's memory looks at and an alert says, and
// no more. Texts are made of it when the rule fires.
type Hit struct {
	Rule     int32 // its number in the rule set
	Clauses  uint8 // those that the record satisfies, a bit each
	Excused  bool  // an exception holds: it counts for nothing, and is learned from
	Cut      bool  // values were too long
	Raised   uint8 // the severity that the event lifts the alert to, by its place, from 1; 0: none
	Time     time.Time
	Enqueued time.Time // when the source took the record, else when it reached Kafka; zero in files
	ID       string    // event.id
	Action   string
	Outcome  string // event.outcome of a sign-in, else ""
	Tenant   string
	Key      []string // the values of the rule's `by`
	Values   []Value  // what the rule carries, in its order
	Told     *Told    // of a hit that is an alert of another rule

	head, body int // of the packed hit that was read last
}

// Told is what a hit holds of the alert that it stands for, beside the values. Its time is the alert's, its id the alert's id.
type Told struct {
	Revision int
	Late     bool
	Gone     bool   // the alert counts for another key now
	Because  []byte // state.Entry.Hash of each event that counted for the alert's first one, eight bytes each, where a rule asks
	Shown    []byte // JSON of alert.Shown
}

// later reports whether the second of two packed alerts is a later revision.
func later(was, is []byte) bool {
	var a, b Hit
	return a.UnpackHeld(was) != nil || b.UnpackHeld(is) == nil && a.Told != nil && b.Told != nil && b.Told.Revision > a.Told.Revision
}

// Value is one value of a record, as text or as a list of texts.
type Value struct {
	Has  bool // the record has it, be it empty
	Text string
	List []string
}

// The bounds of what a hit carries, in bytes. What is beyond them is cut and marked; a text that is cut is longer than any command may
// be.
const (
	MaxText = 8 << 10
	MaxHit  = 512 << 10
)

// Same is what the hit's event is known by within its tenant.
func (h *Hit) Same() event.Identity {
	return event.Identity{ID: h.ID, Time: h.Time.UnixNano(), Action: h.Action, Outcome: h.Outcome}
}

// Satisfies reports whether the record satisfies a clause.
func (h *Hit) Satisfies(clause int) bool { return h.Clauses&(1<<clause) != 0 }

// A packed hit has two parts. The first is what memory holds: the head, which sorts as the events do by time, id, action and
// outcome, and the body. The second is whose it is: rule, tenant and key.

// Append packs the hit and says how long its first part and its head are.
func (h *Hit) Append(to []byte) (packed []byte, body, head int) {
	from := len(to)
	to = h.appendHead(to)
	head = len(to) - from
	to = binary.BigEndian.AppendUint32(to, uint32(h.Rule))
	to = append(to, h.Clauses, h.flags())
	to = h.appendEnqueued(to)
	to = binary.AppendUvarint(to, uint64(len(h.Values)))
	for i := range h.Values {
		to = h.appendValue(to, i)
	}
	if t := h.Told; t != nil {
		to = state.AppendBytes(state.AppendBytes(binary.AppendUvarint(to, uint64(t.Revision)), t.Because), t.Shown)
	}
	body = len(to) - from
	to = state.AppendBytes(to, h.Tenant)
	return appendTexts(to, h.Key), body, head
}

func (h *Hit) appendHead(to []byte) []byte {
	to = binary.BigEndian.AppendUint64(to, uint64(h.Time.UnixNano())^1<<63)
	return state.AppendSorted(state.AppendSorted(state.AppendSorted(to, h.ID), h.Action), h.Outcome)
}

func (h *Hit) appendEnqueued(to []byte) []byte {
	if h.Enqueued.IsZero() {
		return append(to, 0)
	}
	return binary.AppendVarint(to, h.Enqueued.UnixNano())
}

// The flags of a packed hit.
const (
	flagExcused = 1 << iota
	flagCut
	flagTold
	flagLate
	flagGone
	raisedAt = 5 // the bits from here on are Hit.Raised
)

func (h *Hit) flags() (flags byte) {
	if h.Excused {
		flags |= flagExcused
	}
	if h.Cut {
		flags |= flagCut
	}
	if h.Told != nil {
		flags |= flagTold
		if h.Told.Late {
			flags |= flagLate
		}
		if h.Told.Gone {
			flags |= flagGone
		}
	}
	return flags | h.Raised<<raisedAt
}

// flagsAt is where the flags of a packed hit lie, behind the head.
const flagsAt = 5

// Raised is Hit.Raised of the hit of an entry.
func Raised(e *state.Entry) uint8 {
	if at := int(e.Head) + flagsAt; at < len(e.Packed) {
		return e.Packed[at] >> raisedAt
	}
	return 0
}

// A value begins with a number: 0 where there is none, 1 where a list follows, 2 n + 2 where it is the text of the n-th value,
// 2 n + 3 where a text of n bytes follows.
func (h *Hit) appendValue(to []byte, i int) []byte {
	v := &h.Values[i]
	switch {
	case !v.Has:
		return append(to, 0)
	case v.List != nil:
		return appendTexts(append(to, 1), v.List)
	}
	return h.appendText(to, v.Text, i)
}

// appendText appends a text as a value, which may be one of the first n values.
func (h *Hit) appendText(to []byte, text string, n int) []byte {
	if len(text) > 2 {
		for k := range n {
			if w := &h.Values[k]; w.Text == text {
				return binary.AppendUvarint(to, uint64(2*k+2))
			}
		}
	}
	to = binary.AppendUvarint(to, uint64(2*len(text)+3))
	return append(to, text...)
}

func appendTexts(to []byte, all []string) []byte {
	to = binary.AppendUvarint(to, uint64(len(all)))
	for _, h := range all {
		to = state.AppendBytes(to, h)
	}
	return to
}

// ErrHit says that bytes are no packed hit.
var ErrHit = errors.New("not a packed hit")

// Unpack reads a packed hit. Its texts share the bytes given, which must not change while it lives.
func (h *Hit) Unpack(b []byte) error {
	f := state.Read(b)
	h.first(f)
	h.body = len(b) - f.Len()
	h.Tenant = f.Text()
	if h.Key = texts(f, h.Key[:0]); f.Err() != nil {
		return ErrHit
	}
	return nil
}

// Parts are the first part of the packed hit that was read last, and the length of its head.
func (h *Hit) Parts(packed []byte) (held []byte, head int) { return packed[:h.body], h.head }

// nothing is a value that a hit does not carry.
var nothing Value

// at is a value by its place.
func (h *Hit) at(i int) *Value {
	if i < len(h.Values) {
		return &h.Values[i]
	}
	return &nothing
}

// RuleAt is where the number of the rule lies in a packed hit, behind its head: four bytes, the highest first.
func RuleAt(packed []byte) (at int, err error) {
	f := state.Read(packed)
	f.Word()
	for range 3 {
		f.Sorted()
	}
	if at = len(packed) - f.Len(); f.Len() < 4 {
		return 0, ErrHit
	}
	return at, nil
}

// TimeOf is the time of a packed hit.
func TimeOf(packed []byte) (time.Time, error) {
	if len(packed) < 8 {
		return time.Time{}, ErrHit
	}
	return time.Unix(0, int64(binary.BigEndian.Uint64(packed)^1<<63)).UTC(), nil
}

// UnpackHeld reads the first part of a packed hit.
func (h *Hit) UnpackHeld(b []byte) error {
	f := state.Read(b)
	if h.first(f); f.Err() != nil {
		return ErrHit
	}
	h.Tenant, h.Key = "", h.Key[:0]
	return nil
}

// first reads the first part.
func (h *Hit) first(f *state.Fields) {
	h.readHead(f)
	h.Rule = int32(f.Short())
	h.Clauses = f.Byte()
	flags := f.Byte()
	h.setFlags(flags)
	if flags&flagTold == 0 && flags&(flagLate|flagGone) != 0 {
		f.Fail()
	}
	h.readEnqueued(f)
	n := f.Many()
	h.Values = slices.Grow(h.Values[:0], n)[:n]
	for i := range h.Values {
		h.value(f, i)
	}
	if h.Told = nil; flags&flagTold != 0 {
		h.Told = &Told{Late: flags&flagLate != 0, Gone: flags&flagGone != 0, Revision: int(f.Uint()), Because: f.Bytes(), Shown: f.Bytes()}
	}
}

// readHead reads what appendHead wrote.
func (h *Hit) readHead(f *state.Fields) {
	whole := f.Len()
	h.Time = time.Unix(0, int64(f.Word()^1<<63)).UTC()
	h.ID, h.Action, h.Outcome = f.Sorted(), f.Sorted(), f.Sorted()
	h.head = whole - f.Len()
}

// readEnqueued reads what appendEnqueued wrote.
func (h *Hit) readEnqueued(f *state.Fields) {
	h.Enqueued = time.Time{}
	if n := f.Int(); n != 0 {
		h.Enqueued = time.Unix(0, n).UTC()
	}
}

// setFlags sets what the flags say of every hit.
func (h *Hit) setFlags(flags byte) {
	h.Excused, h.Cut, h.Raised = flags&flagExcused != 0, flags&flagCut != 0, flags>>raisedAt
}

func (h *Hit) value(f *state.Fields, i int) {
	v := &h.Values[i]
	v.Has, v.Text, v.List = true, "", v.List[:0]
	switch n := f.Uint(); {
	case n == 0:
		v.Has, v.List = false, nil
	case n == 1:
		if v.List = texts(f, v.List); v.List == nil {
			v.List = []string{}
		}
	case n%2 == 0:
		k := n/2 - 1
		if v.List = nil; k >= uint64(i) {
			f.Fail()
			return
		}
		v.Text = h.Values[k].Text
	default:
		v.Text, v.List = f.Some((n-3)/2), nil
	}
}

// texts reads what appendTexts wrote.
func texts(f *state.Fields, to []string) []string {
	for n := f.Many(); n > 0; n-- {
		to = append(to, f.Text())
	}
	return to
}

var seed = maphash.MakeSeed()

// hashOf is a text as memory compares it, never 0; a process has its own, so that nobody can make two texts alike.
func hashOf(text string) uint64 { return max(1, maphash.String(seed, text)) }
