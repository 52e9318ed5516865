package kind

import (
	"math"
	"slices"

	"noroshi/internal/event"
	"noroshi/internal/state"
)

// Threshold fires for an event whose window holds enough events, different values, or a large enough sum.
type Threshold struct{}

// Name implements Kind.
func (Threshold) Name() string { return "threshold" }

// Doc implements Kind.
func (Threshold) Doc() string {
	return "Fires for an event with enough events, different values or a large enough sum within a time."
}

// The keys that say how much is enough.
var (
	keyOf       = Key{Name: "of", Doc: "The field whose values count; those of a list each.", Type: FieldName, Required: true, Lists: true}
	keyCount    = Key{Name: "count", Doc: "How many events are enough.", Type: Whole, Least: 2, Most: state.MaxEntries}
	keyDistinct = Key{Name: "distinct", Doc: "How many different values are enough.", Type: Group, Keys: []Key{keyOf,
		{Name: "least", Doc: "How many different values are enough.", Type: Whole, Required: true, Least: 2, Most: 1000}}}
	keySum = Key{Name: "sum", Doc: "How large a sum is enough.", Type: Group, Keys: []Key{{Name: "of", Doc: "The field whose numbers are added up.", Type: FieldName, Required: true},
		{Name: "least", Doc: "How large a sum is enough.", Type: Number, Required: true, Least: math.SmallestNonzeroFloat64, Most: maxNumber}}}
)

// Keys implements Kind.
func (Threshold) Keys() []Key {
	return []Key{keyWhen, keyBy, keyWithin, keyCount, keyDistinct, keySum, keyRepeat, keyAbout}
}

// New implements Kind.
func (t Threshold) New(v *Values) *Rule {
	r := &Rule{Kind: t}
	enoughOf(v, r).remember(v, r)
	return r
}

// remember gives the rule its memory.
func (t *enough) remember(v *Values, r *Rule) {
	s := &state.Spec{Kind: t, Within: int64(v.Duration("within")), Repeat: repeat(v, v.Duration("within")), Distinct: r.Distinct, Sum: r.Sum}
	if t.lists {
		s.Values = listed
	}
	r.Memory, r.Settles = window(s, t.value()), settles(s)
}

// enough is how much of what makes a threshold fire.
type enough struct {
	count    int
	distinct int
	sum      float64
	lists    bool // the values are those of a list
}

// enoughOf reads exactly one of count, distinct and sum.
func enoughOf(v *Values, r *Rule) *enough {
	e := &enough{}
	given := 0
	if v.Has("count") {
		given++
		e.count = v.Whole("count")
	}
	if d := v.Group("distinct"); d != nil {
		given++
		e.distinct, r.Distinct = d.Whole("least"), true
		of := v.counted(d)
		e.lists = of.Type == event.List
		r.Looks = append(r.Looks, of)
		r.Shape = append(r.Shape, shape("distinct", of.Name)...)
	}
	if s := v.Group("sum"); s != nil {
		given++
		e.sum, r.Sum = s.Number("least"), true
		of := v.counted(s)
		if of.Name != "" && of.Type != event.Number {
			s.Wrong("of", "type", of.Name+" is no number, so its values cannot be added up; use distinct to count different ones")
		}
		r.Looks = append(r.Looks, of)
		r.Shape = append(r.Shape, shape("sum", of.Name)...)
	}
	switch {
	case given == 0:
		v.Wrong("", "missing", "expected one of the keys count, distinct and sum: how much is enough")
	case given > 1:
		last := "sum"
		if r.Distinct && !r.Sum {
			last = "distinct"
		}
		v.Wrong(last, "value", "expected exactly one of the keys count, distinct and sum")
	}
	return e
}

// value is what an entry is counted by.
func (t *enough) value() func(h *Hit) uint64 {
	switch {
	case t.lists, t.count > 0:
		return nil
	case t.distinct > 0:
		return func(h *Hit) uint64 { return valueOf(h.at(0)) }
	}
	return func(h *Hit) uint64 { return math.Float64bits(numberOf(h.at(0))) }
}

// valueOf is a value as memory compares it, 0 where it is absent or empty.
func valueOf(v *Value) uint64 {
	if v.Text == "" {
		return 0
	}
	return hashOf(v.Text)
}

// numberOf is a value as a number, 0 where it is absent or negative.
func numberOf(v *Value) float64 {
	n, _ := event.NumberOf(v.Text)
	return max(0, n)
}

// listed are the values of an entry that holds a list, which is read once.
func listed(e *state.Entry) []uint64 {
	all, known := e.Made().([]uint64)
	if !known {
		all = readList(e)
		e.Make(all)
	}
	return all
}

func readList(e *state.Entry) (all []uint64) {
	var h Hit
	if h.UnpackHeld(e.Packed) != nil || len(h.Values) == 0 {
		return nil
	}
	for _, t := range h.at(0).List {
		if t != "" {
			all = append(all, hashOf(t))
		}
	}
	return all
}

// Fires implements state.Kind.
func (t *enough) Fires(w *state.Window, i int) bool {
	from, to := t.Span(w, i)
	return t.reached(w, w.Entries[from:to])
}

// Span implements state.Kind.
func (*enough) Span(w *state.Window, i int) (from, to int) {
	at := w.Entries[i].Time
	return state.After(w.Entries, at-w.Within), state.After(w.Entries, at)
}

func (t *enough) reached(w *state.Window, all []state.Entry) bool {
	switch {
	case t.count > 0:
		return len(all) >= t.count
	case t.distinct > 0:
		return different(w, all, t.distinct)
	}
	return sumOf(all) >= t.sum
}

func sumOf(all []state.Entry) (sum float64) {
	for i := range all {
		sum = event.AddNumbers(sum, math.Float64frombits(all[i].Value))
	}
	return sum
}

// different reports whether entries have at least so many different values. The newest are looked at first.
func different(w *state.Window, all []state.Entry, least int) bool {
	if len(all) < least && w.Values == nil {
		return false
	}
	seen := makeValues(least)
	for i := len(all) - 1; i >= 0; i-- {
		if e := &all[i]; w.Values == nil {
			seen.add(e.Value)
		} else {
			w.EachValue(e, seen.add)
		}
		if seen.n >= least {
			return true
		}
	}
	return false
}

// values is a set of values that stays small as a rule: a look through a few of them is cheaper than a map, and a value that comes
// again at once is cheaper still.
type values struct {
	n    int
	last uint64
	few  [32]uint64
	many map[uint64]struct{} // where more than a few are wanted
}

func makeValues(most int) (v values) {
	if most > len(v.few) {
		v.many = make(map[uint64]struct{}, most)
	}
	return v
}

// add adds a value that is not 0.
func (v *values) add(value uint64) {
	switch {
	case value == v.last || value == 0:
	case v.many != nil:
		v.many[value] = struct{}{}
		v.last, v.n = value, len(v.many)
	case !slices.Contains(v.few[:v.n], value):
		v.last = value
		if v.n < len(v.few) {
			v.few[v.n] = value
			v.n++
		}
	default:
		v.last = value
	}
}

// Sweep implements state.Sweeper. Both ends of the window move forward only.
func (t *enough) Sweep(w *state.Window, from, to int, fires func(i int)) {
	first, end := t.Span(w, from)
	s := sliding{w: w, seen: map[uint64]int{}, values: t.distinct > 0}
	for i := first; i < end; i++ {
		s.count(i, 1)
	}
	reached := false
	for i := from; i < to; i++ {
		if i == from || w.Entries[i].Time != w.Entries[i-1].Time { // what is at one time has one window
			begins, ends := t.Span(w, i)
			for ; end < ends; end++ {
				s.count(end, 1)
			}
			for ; first < begins; first++ {
				s.count(first, -1)
			}
			reached = t.slid(&s, w.Entries[first:end])
		}
		if reached {
			fires(i)
		}
	}
}

// slid reports whether a window that has moved holds enough.
func (t *enough) slid(s *sliding, all []state.Entry) bool {
	switch {
	case t.count > 0:
		return len(all) >= t.count
	case t.distinct > 0:
		return len(s.seen) >= t.distinct
	case s.broken: // sums of such numbers depend on the order
		return t.reached(s.w, all)
	default:
		return s.sum >= t.sum
	}
}

// sliding is what a window holds that moves.
type sliding struct {
	w      *state.Window
	values bool
	seen   map[uint64]int // values, with how many entries have them
	sum    float64
	broken bool // a number was not whole, or the sum once too large to be exact
}

// count takes an entry in, or out where by is negative.
func (s *sliding) count(i, by int) {
	e := &s.w.Entries[i]
	if s.values {
		s.w.EachValue(e, func(v uint64) {
			if s.seen[v] += by; s.seen[v] == 0 {
				delete(s.seen, v)
			}
		})
		return
	}
	n := math.Float64frombits(e.Value)
	s.sum += float64(by) * n
	s.broken = s.broken || n != math.Trunc(n) || s.sum > 1<<53
}
