package kind

import (
	"encoding/binary"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"noroshi/internal/state"
)

// FirstSeen fires for something new for somebody.
type FirstSeen struct{}

// Name implements Kind.
func (FirstSeen) Name() string { return "first_seen" }

// Doc implements Kind.
func (FirstSeen) Doc() string {
	return "Fires for an event with a value that the key has not had before."
}

// The bounds of what a key remembers.
const (
	maxValues     = 64
	maxValuesWide = 4096 // where the key does not hold the account
	maxValueNames = 3
	forgetDays    = 400 // UTC days after that of the last event, so that memory need be written once a day at most
	defaultLearn  = 7 * 24 * time.Hour
	eighths       = 8 // a value's last time is known to an eighth of within, so that memory need not be written for every event
)

// The keys that keep a rule silent.
var (
	keyOnly     = Key{Name: "only", Doc: "What an event must satisfy, too, to fire; the others of when are learned from.", Type: Guard}
	keyChanging = Key{Name: "changing", Doc: "From how many values on a key is silent while at most a third of them stay, and others have come again and again.", Type: Whole, Least: 2, Most: maxValues}
)

// Keys implements Kind.
func (FirstSeen) Keys() []Key {
	among := keyWhen
	among.Name, among.Required, among.Doc, among.Default = "among", false, "The condition of events that begin a key's memory, too.", "when"
	return []Key{keyWhen, keyBy, {Name: "value", Doc: "The fields whose values are new, up to three.", Type: FieldNames, Required: true, Least: 1, Most: maxValueNames},
		among, keyOnly, keyChanging, keyWithin, {Name: "learn", Doc: "How long a key is known before it fires.", Type: Duration, Least: 0, Most: maxWithin.Seconds(), Default: "7d"}, keyAbout}
}

// New implements Kind.
func (k FirstSeen) New(v *Values) *Rule {
	r := &Rule{Kind: k, Looks: v.Fields("value"), Only: v.Program("only"), Learns: true}
	s := &seenSpec{changing: v.Whole("changing"), within: int64(v.Duration("within")), learn: int64(defaultLearn), most: maxValuesWide, fields: len(r.Looks)}
	if v.Has("learn") {
		s.learn = int64(v.Duration("learn"))
	}
	if slices.ContainsFunc(v.By, func(f Field) bool { return f.Name == "account" }) {
		s.most = maxValues
	}
	for _, f := range r.Looks {
		r.Shape = append(r.Shape, f.Name)
	}
	if s.changing > 0 {
		r.Shape = append(r.Shape, "changing") // each value has marks
	}
	r.Memory = func() Memory { return &seen{seenSpec: s, begin: state.Never, last: math.MinInt64, full: math.MinInt64} }
	return r
}

type seenSpec struct {
	within, learn int64
	fields        int // that make a value
	most          int // values of a key
	changing      int // see restless; 0: no key is
}

// seen is what a key has had.
type seen struct {
	*seenSpec
	begin, last int64 // the first event and the last
	full        int64 // when a value was forgotten because there were too many
	values      []seenValue
	changed     bool // since it was written, but for times within their eighth
}

// seenValue is one value. Events of one time do not see each other, so the moment of the last is kept beside what lay before it.
type seenValue struct {
	value  string
	last   int64         // time of the last event
	before int64         // time of the last event before it; math.MinInt64: none
	fired  []state.Entry // those of the last moment for which the rule fires, and that are not told
	told   int           // revisions
	marks  marks         // where the rule asks whether values stay
	closed bool          // what the last moment found has been told for good
}

// Add implements Memory.
func (s *seen) Add(c *state.Context, h *Hit, e state.Entry) {
	if e.Time > s.forgotten() {
		s.restart(c)
	}
	s.changed = s.changed || e.Time < s.begin || state.Floor(e.Time, day) > state.Floor(s.last, day)
	s.begin, s.last = min(s.begin, e.Time), max(s.last, e.Time)
	if !h.Satisfies(0) {
		return
	}
	var room [64]byte
	value, ok := s.valueOf(room[:0], h)
	if !ok {
		return
	}
	v := s.find(c, value, e.Time)
	was := s.standing(v)
	s.add(c, h, e, v)
	s.changed = s.changed || s.standing(v) != was
}

// standing is what counts of a value, but for what a time within its eighth changes: events of the same eighth count alike, so memory
// that is read back without them finds the same.
func (s *seen) standing(v *seenValue) (all [5]int64) {
	all = [5]int64{math.MinInt64, math.MinInt64, int64(len(v.fired)), int64(v.told), int64(v.marks)}
	for i, t := range [...]int64{v.last, v.before} {
		if t != math.MinInt64 {
			all[i] = eighth(t, s.within)
		}
	}
	return all
}

// Changed implements state.Coarse.
func (s *seen) Changed() bool { return s.changed }

// add takes an event with a value.
func (s *seen) add(c *state.Context, h *Hit, e state.Entry, v *seenValue) {
	s.mark(v, e.Time)
	switch {
	case e.Time > v.last:
		s.tell(c, v)
		v.before, v.last, v.closed = v.last, e.Time, false
	case e.Time < v.last:
		v.before = max(v.before, e.Time)
		return // it is not new any more
	}
	if v.closed || h.Excused || s.counts(v.before, e.Time) || e.Time-s.learn < s.begin || e.Time-s.within < s.full || s.restless(e.Time) {
		return
	}
	for i := range v.fired {
		if string(v.fired[i].Identity()) == string(e.Identity()) {
			return
		}
	}
	e.Packed = c.Held(e.Packed)
	e.Came(c)
	v.fired = append(v.fired, e)
	slices.SortFunc(v.fired, func(a, b state.Entry) int { return strings.Compare(string(a.Identity()), string(b.Identity())) })
	if c.Live {
		s.send(c, v)
	}
}

// counts reports whether an event before a time is not too old to count.
func (s *seen) counts(before, t int64) bool {
	return before != math.MinInt64 && eighth(before, s.within) >= eighth(t, s.within)-eighths
}

// eighth is floor(8 t / within).
func eighth(t, within int64) int64 {
	whole := state.Floor(t, within)
	return whole*eighths + (t-whole*within)*eighths/within
}

// valueOf appends the value of a hit; an event in which one of the fields is absent does not count.
func (s *seen) valueOf(to []byte, h *Hit) ([]byte, bool) {
	for i := range s.fields {
		if !h.at(i).Has {
			return nil, false
		}
		to = state.AppendBytes(to, h.at(i).Text)
	}
	return to, true
}

// find is the memory of a value; a new one takes the place of the one seen longest ago where there are too many.
func (s *seen) find(c *state.Context, value []byte, at int64) *seenValue {
	for i := range s.values {
		if s.values[i].value == string(value) {
			return &s.values[i]
		}
	}
	s.changed = true
	if len(s.values) >= s.most {
		s.values = slices.DeleteFunc(s.values, func(v seenValue) bool {
			return len(v.fired) == 0 && !s.counts(v.last, at) && v.last < at
		})
	}
	if len(s.values) >= s.most {
		c.Counts.Overflow++
		s.full = max(s.full, at)
		oldest := 0
		for i := range s.values {
			if s.values[i].last < s.values[oldest].last {
				oldest = i
			}
		}
		s.tell(c, &s.values[oldest])
		s.values = slices.Delete(s.values, oldest, oldest+1)
	}
	s.values = append(s.values, seenValue{value: string(value), last: math.MinInt64, before: math.MinInt64})
	return &s.values[len(s.values)-1]
}

// tell says what a value's last moment found: nothing can be added to it any more.
func (s *seen) tell(c *state.Context, v *seenValue) {
	if len(v.fired) > 0 && !c.Live {
		s.send(c, v)
	}
	v.closed = v.closed || len(v.fired) > 0
	v.fired, v.told = nil, 0
}

func (s *seen) send(c *state.Context, v *seenValue) {
	v.told++
	f := state.Finding{First: &v.fired[0], Time: v.fired[0].Time, Window: v.fired, Late: v.fired[0].Late(), Revision: v.told, Final: true,
		Anchor: append(s.texts(v.value), strconv.FormatInt(state.Floor(v.fired[0].Time, s.within), 10))}
	if c.Live && len(v.fired) > 1 { // a second one of the same moment may come before the first
		f.Was = &v.fired[1]
	}
	for i := range v.fired {
		f.Counted = append(f.Counted, state.Counted{Entry: &v.fired[i], Fires: true})
	}
	c.Tell(&f)
}

// texts are the texts that a value is made of.
func (s *seen) texts(value string) []string {
	f := state.Read([]byte(value))
	var all []string
	for range s.fields {
		all = append(all, f.Text())
	}
	return all
}

// Due implements state.Memory.
func (s *seen) Due(*state.Context) int64 {
	due := s.forgotten()
	for i := range s.values {
		if len(s.values[i].fired) > 0 {
			due = min(due, s.values[i].last)
		}
	}
	return due
}

// Advance implements state.Memory.
func (s *seen) Advance(c *state.Context) (empty bool) {
	for i := range s.values {
		if v := &s.values[i]; len(v.fired) > 0 && c.Passed(v.last) {
			s.changed = true
			s.tell(c, v)
		}
	}
	return c.Passed(s.forgotten())
}

// forgotten is the last moment at which the key's beginning is known.
func (s *seen) forgotten() int64 {
	if s.last == math.MinInt64 {
		return state.Never
	}
	return state.Plus(state.Floor(s.last, day)*day, (forgetDays+1)*day-1)
}

// restart forgets everything: the key has been away for too long.
func (s *seen) restart(c *state.Context) {
	s.Close(c)
	s.begin, s.last, s.full, s.values, s.changed = state.Never, math.MinInt64, math.MinInt64, nil, true
}

// Close implements state.Memory.
func (s *seen) Close(c *state.Context) {
	for i := range s.values {
		s.tell(c, &s.values[i])
	}
}

// Append implements state.Memory.
func (s *seen) Append(to []byte) []byte {
	s.changed = false
	for _, t := range [...]int64{s.begin, s.last, s.full} {
		to = binary.AppendVarint(to, t)
	}
	to = binary.AppendUvarint(to, uint64(len(s.values)))
	for i := range s.values {
		v := &s.values[i]
		to = state.AppendBytes(to, v.value)
		to = binary.AppendUvarint(binary.AppendVarint(binary.AppendVarint(to, v.last), v.before), v.rounds())
		if s.changing > 0 {
			to = binary.AppendUvarint(to, uint64(v.marks))
		}
		to = state.AppendEntries(to, v.fired)
	}
	return to
}

// rounds are how often the last moment has been told, and whether that was for good.
func (v *seenValue) rounds() uint64 {
	n := uint64(v.told) << 1
	if v.closed {
		n++
	}
	return n
}

// Load implements state.Memory.
func (s *seen) Load(row []byte) error {
	f := state.Read(row)
	s.begin, s.last, s.full = f.Int(), f.Int(), f.Int()
	for n := f.Many(); n > 0; n-- {
		v := seenValue{value: string(f.Bytes()), last: f.Int(), before: f.Int()}
		rounds := f.Uint()
		v.told, v.closed = int(rounds>>1), rounds&1 == 1
		if s.changing > 0 {
			v.marks = marks(f.Uint())
		}
		v.fired = f.Entries()
		s.values = append(s.values, v)
	}
	return f.Err()
}
