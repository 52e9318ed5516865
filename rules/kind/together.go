package kind

import (
	"encoding/binary"

	"noroshi/internal/state"
)

// Together are the hits of one record in one piece, which holds once what they have in common:
//
//	head     that of a packed hit
//	4 bytes  255 each, where a packed hit has its rule
//	varint   Hit.Enqueued in nanoseconds since 1970; 0: zero
//	text     Hit.Tenant
//	values   their number, then of each its number among all that hits of the rule set carry, and the value as a hit has it
//	hits     to the end: of each the rule, clauses, flags, the number of the key's values, and these as the values above
//
// It reads them one after the other, and makes packed hits of those that are kept.
type Together struct {
	packed  []byte
	head    int
	now     uint32
	values  []common // by number
	given   []int32  // the numbers of those that the record has
	rest    state.Fields
	scratch []byte
	hit     *Hit   // the one at hand
	made    uint32 // hits that were packed
}

// common is a value of the record at hand.
type common struct {
	now      uint32 // the record that has it
	from, to int32  // where it lies, packed
	first    int32  // the number of the first value with this text
	list     bool
	text     string
	hit      uint32 // the hit in which the text was packed last
	at       int32  // its place there
}

// together stands where a packed hit has its rule.
const together = 1<<32 - 1

// NewTogether reads hits of a rule set that carry so many different values.
func NewTogether(values int) *Together { return &Together{values: make([]common, values)} }

// AppendTogether begins to pack the hits of a record: with what is the same of all.
func (h *Hit) AppendTogether(to []byte, values int) []byte {
	to = h.appendHead(to)
	to = binary.BigEndian.AppendUint32(to, together)
	to = h.appendEnqueued(to)
	to = state.AppendBytes(to, h.Tenant)
	return binary.AppendUvarint(to, uint64(values))
}

// AppendCommon appends a value behind its number; those before it are h.Values[:i].
func (h *Hit) AppendCommon(to []byte, i, number int) []byte {
	return h.appendValue(binary.AppendUvarint(to, uint64(number)), i)
}

// AppendRule appends what is a hit's own. The common values are h.Values.
func (h *Hit) AppendRule(to []byte) []byte {
	to = append(binary.AppendUvarint(to, uint64(h.Rule)), h.Clauses, h.flags())
	to = binary.AppendUvarint(to, uint64(len(h.Key)))
	for _, t := range h.Key {
		to = h.appendText(to, t, len(h.Values))
	}
	return to
}

// IsTogether reports whether bytes that begin as a packed hit are hits of one record together.
func IsTogether(packed []byte) bool {
	at, err := RuleAt(packed)
	return err == nil && binary.BigEndian.Uint32(packed[at:]) == together
}

// Read begins to read the hits of a record, and sets what is the same of all in a hit.
func (r *Together) Read(packed []byte, h *Hit) error {
	r.packed, r.given, r.hit = packed, r.given[:0], h
	f := &r.rest
	*f = *state.Read(packed)
	h.readHead(f)
	r.head = h.head
	if f.Short() != together {
		return ErrHit
	}
	h.readEnqueued(f)
	h.Tenant = f.Text()
	h.Told, h.Cut = nil, false
	if r.now++; r.now == 0 {
		clear(r.values)
		r.now = 1
	}
	for n := f.Many(); n > 0; n-- {
		number := f.Uint()
		if number >= uint64(len(r.values)) {
			return ErrHit
		}
		v := &r.values[number]
		*v = common{now: r.now, from: int32(len(packed) - f.Len()), first: int32(number), hit: v.hit}
		r.text(f, v)
		v.to = int32(len(packed) - f.Len())
		r.given = append(r.given, int32(number))
	}
	if f.Failed() {
		return ErrHit
	}
	return nil
}

// text reads a value, or one of a key.
func (r *Together) text(f *state.Fields, v *common) {
	switch n := f.Uint(); {
	case n == 0:
		f.Fail()
	case n == 1:
		v.list = true
		for k := f.Many(); k > 0; k-- {
			f.Bytes()
		}
	case n%2 == 0:
		k := n/2 - 1
		if k >= uint64(len(r.given)) || len(r.values[r.given[k]].text) <= 2 {
			f.Fail()
			return
		}
		was := &r.values[r.given[k]]
		v.first, v.text = was.first, was.text
	default:
		v.text = f.Some((n - 3) / 2)
	}
}

// Next reads the next hit, but for its values; false behind the last one.
func (r *Together) Next() (bool, error) {
	f, h := &r.rest, r.hit
	if f.Len() == 0 {
		return false, nil
	}
	h.Rule = int32(min(f.Uint(), together))
	h.Clauses = f.Byte()
	h.setFlags(f.Byte())
	h.Key = h.Key[:0]
	for n := f.Many(); n > 0; n-- {
		var v common
		r.text(f, &v)
		h.Key = append(h.Key, v.text)
	}
	if f.Failed() {
		return false, ErrHit
	}
	return true, nil
}

// Has reports whether the record has a value.
func (r *Together) Has(number int32) bool { return r.values[number].now == r.now }

// Look sets the values of the hit at hand to those with these numbers.
func (r *Together) Look(numbers []int32) {
	h := r.hit
	for len(h.Values) < len(numbers) {
		h.Values = append(h.Values, Value{})
	}
	h.Values = h.Values[:len(numbers)]
	for i, number := range numbers {
		c, v := &r.values[number], &h.Values[i]
		switch {
		case c.now != r.now:
			*v = Value{}
		case c.list:
			f := state.Read(r.packed[c.from+1 : c.to])
			if *v = (Value{Has: true, List: texts(f, v.List[:0])}); v.List == nil {
				v.List = []string{}
			}
		default:
			*v = Value{Has: true, Text: c.text}
		}
	}
}

// Head is what the record's event is known by, packed.
func (r *Together) Head() []byte { return r.packed[:r.head:r.head] }

// Held packs the hit at hand, as memory holds it, with the values that have these numbers.
func (r *Together) Held(numbers []int32) []byte {
	h := r.hit
	to := append(r.scratch[:0], r.packed[:r.head]...)
	to = binary.BigEndian.AppendUint32(to, uint32(h.Rule))
	to = append(to, h.Clauses, h.flags())
	to = h.appendEnqueued(to)
	to = binary.AppendUvarint(to, uint64(len(numbers)))
	if r.made++; r.made == 0 { // after four thousand million hits the stamps begin anew
		for i := range r.values {
			r.values[i].hit = 0
		}
		r.made = 1
	}
	for i, number := range numbers {
		v := &r.values[number]
		if v.now != r.now {
			to = append(to, 0)
			continue
		}
		first := &r.values[v.first]
		switch {
		case v.list, len(v.text) <= 2:
		case first.hit == r.made:
			to = binary.AppendUvarint(to, uint64(2*first.at+2))
			continue
		default:
			first.hit, first.at = r.made, int32(i)
			v = first
		}
		to = append(to, r.packed[v.from:v.to]...)
	}
	r.scratch = to
	return append(make([]byte, 0, len(to)), to...)
}
