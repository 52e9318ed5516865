package kind

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/maphash"
	"strings"
	"time"
	"unsafe"

	"noroshi/internal/event"
)

// Hit is what is left of one record that satisfied clauses of a rule: all that the rule's memory looks at and an alert says, and
// no more. Texts are made of it when the rule fires.
type Hit struct {
	Rule     int32 // its number in the rule set
	Clauses  uint8 // those that the record satisfies, a bit each
	Excused  bool  // an exception holds: it counts for nothing, and is learned from
	Cut      bool  // values were too long
	Time     time.Time
	Enqueued time.Time // when the source took the record, else when it reached Kafka; zero in files
	ID       string    // event.id
	Action   string
	Outcome  string // event.outcome of a sign-in, else ""
	Tenant   string
	Key      []string // the values of the rule's `by`
	Values   []Value  // what the rule carries, in its order

	head, body int // of the packed hit that was read last
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
	to = binary.BigEndian.AppendUint64(to, uint64(h.Time.UnixNano())^1<<63)
	to = appendSorted(appendSorted(appendSorted(to, h.ID), h.Action), h.Outcome)
	head = len(to) - from
	to = binary.BigEndian.AppendUint32(to, uint32(h.Rule))
	flags := byte(0)
	if h.Excused {
		flags = 1
	}
	if h.Cut {
		flags |= 2
	}
	to = append(to, h.Clauses, flags)
	enqueued := int64(0)
	if !h.Enqueued.IsZero() {
		enqueued = h.Enqueued.UnixNano()
	}
	to = binary.AppendVarint(to, enqueued)
	to = binary.AppendUvarint(to, uint64(len(h.Values)))
	for i := range h.Values {
		to = h.appendValue(to, i)
	}
	body = len(to) - from
	to = appendText(to, h.Tenant)
	return appendTexts(to, h.Key), body, head
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
	if len(v.Text) > 2 {
		for k := range i {
			if w := &h.Values[k]; w.Text == v.Text {
				return binary.AppendUvarint(to, uint64(2*k+2))
			}
		}
	}
	to = binary.AppendUvarint(to, uint64(2*len(v.Text)+3))
	return append(to, v.Text...)
}

// appendSorted appends a text so that the bytes compare as the texts do: a zero byte in it is followed by 255, its end is two zeros.
func appendSorted(to []byte, h string) []byte {
	for {
		before, after, zero := strings.Cut(h, "\x00")
		to = append(to, before...)
		if !zero {
			return append(to, 0, 0)
		}
		to, h = append(to, 0, 255), after
	}
}

func appendText(to []byte, h string) []byte {
	return append(binary.AppendUvarint(to, uint64(len(h))), h...)
}

func appendTexts(to []byte, all []string) []byte {
	to = binary.AppendUvarint(to, uint64(len(all)))
	for _, h := range all {
		to = appendText(to, h)
	}
	return to
}

// ErrHit says that bytes are no packed hit.
var ErrHit = errors.New("not a packed hit")

// Unpack reads a packed hit. Its texts share the bytes given, which must not change while it lives.
func (h *Hit) Unpack(b []byte) error {
	r := reading{b: b}
	if !h.first(&r) {
		return ErrHit
	}
	h.body = len(b) - len(r.b)
	h.Tenant = r.text()
	if h.Key = r.texts(h.Key[:0]); r.failed || len(r.b) > 0 {
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

// TimeOf is the time of a packed hit.
func TimeOf(packed []byte) (time.Time, error) {
	if len(packed) < 8 {
		return time.Time{}, ErrHit
	}
	return time.Unix(0, int64(binary.BigEndian.Uint64(packed)^1<<63)).UTC(), nil
}

// UnpackHeld reads the first part of a packed hit.
func (h *Hit) UnpackHeld(b []byte) error {
	r := reading{b: b}
	if !h.first(&r) || len(r.b) > 0 {
		return ErrHit
	}
	h.Tenant, h.Key = "", h.Key[:0]
	return nil
}

func (h *Hit) first(r *reading) bool {
	if len(r.b) < 8 {
		return false
	}
	h.Time = time.Unix(0, int64(binary.BigEndian.Uint64(r.b)^1<<63)).UTC()
	r.b = r.b[8:]
	before := len(r.b)
	h.ID, h.Action, h.Outcome = r.sorted(), r.sorted(), r.sorted()
	h.head = 8 + before - len(r.b)
	if len(r.b) < 6 {
		return false
	}
	h.Rule = int32(binary.BigEndian.Uint32(r.b))
	h.Clauses, h.Excused, h.Cut = r.b[4], r.b[5]&1 != 0, r.b[5]&2 != 0
	odd := r.b[5]&^3 != 0
	r.b = r.b[6:]
	h.Enqueued = time.Time{}
	if n := r.signed(); n != 0 {
		h.Enqueued = time.Unix(0, n).UTC()
	}
	n := r.number()
	if n > uint64(len(r.b)) {
		return false
	}
	for len(h.Values) < int(n) {
		h.Values = append(h.Values, Value{})
	}
	h.Values = h.Values[:n]
	for i := range h.Values {
		h.value(r, i)
	}
	return !r.failed && !odd
}

func (h *Hit) value(r *reading, i int) {
	v := &h.Values[i]
	v.Has, v.Text, v.List = true, "", v.List[:0]
	switch n := r.number(); {
	case n == 0:
		v.Has, v.List = false, nil
	case n == 1:
		if v.List = r.texts(v.List); v.List == nil {
			v.List = []string{}
		}
	case n%2 == 0:
		if k := n/2 - 1; k < uint64(i) {
			v.Text, v.List = h.Values[k].Text, nil
		} else {
			r.failed = true
		}
	default:
		v.Text, v.List = r.some((n-3)/2), nil
	}
}

// reading takes a packed hit apart.
type reading struct {
	b      []byte
	failed bool
}

func (r *reading) number() uint64 {
	n, k := binary.Uvarint(r.b)
	if k <= 0 {
		r.failed, r.b = true, nil
		return 0
	}
	r.b = r.b[k:]
	return n
}

func (r *reading) signed() int64 {
	n, k := binary.Varint(r.b)
	if k <= 0 {
		r.failed, r.b = true, nil
		return 0
	}
	r.b = r.b[k:]
	return n
}

// sorted reads what appendSorted wrote.
func (r *reading) sorted() string {
	i := bytes.IndexByte(r.b, 0)
	if i >= 0 && i+1 < len(r.b) && r.b[i+1] == 0 { // all but always
		t := r.b[:i:i]
		r.b = r.b[i+2:]
		return unsafe.String(unsafe.SliceData(t), len(t))
	}
	var text []byte
	for i := 0; i+1 < len(r.b); i++ {
		switch {
		case r.b[i] != 0:
			text = append(text, r.b[i])
			continue
		case r.b[i+1] == 0:
			r.b = r.b[i+2:]
			return string(text)
		case r.b[i+1] == 255:
			text = append(text, 0)
			i++
			continue
		}
		break
	}
	r.failed, r.b = true, nil
	return ""
}

func (r *reading) text() string { return r.some(r.number()) }

func (r *reading) some(n uint64) string {
	if n > uint64(len(r.b)) {
		r.failed, r.b = true, nil
		return ""
	}
	t := r.b[:n:n]
	r.b = r.b[n:]
	return unsafe.String(unsafe.SliceData(t), len(t))
}

func (r *reading) texts(to []string) []string {
	for n := r.number(); n > 0 && !r.failed; n-- {
		to = append(to, r.text())
	}
	return to
}

var seed = maphash.MakeSeed()

// hashOf is a text as memory compares it, never 0; a process has its own, so that nobody can make two texts alike.
func hashOf(text string) uint64 { return max(1, maphash.String(seed, text)) }
