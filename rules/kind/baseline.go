package kind

import (
	"bytes"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"noroshi/internal/event"
	"noroshi/internal/state"
)

// Baseline fires for far more than usual.
type Baseline struct{}

// Name implements Kind.
func (Baseline) Name() string { return "baseline" }

// Doc implements Kind.
func (Baseline) Doc() string {
	return "Fires when a key shows far more in an hour or a day than it usually does."
}

// Keys implements Kind.
func (Baseline) Keys() []Key {
	distinct, sum := keyDistinct, keySum
	distinct.Doc, distinct.Keys = "Different values are counted instead of events.", keyDistinct.Keys[:1]
	sum.Doc, sum.Keys = "A sum is compared instead of the number of events.", keySum.Keys[:1]
	return []Key{keyWhen, keyBy, {Name: "bucket", Doc: "What is compared: hours or days.", Type: Text, Required: true, Choices: []string{"1h", "1d"}},
		{Name: "ratio", Doc: "How many times as much as the mean, or the peak, is too much.", Type: Number, Required: true, Least: 1, Most: 1e6},
		keyAgainst,
		{Name: "floor", Doc: "What is too much at least.", Type: Number, Required: true, Least: 1, Most: maxNumber},
		{Name: "history", Doc: "How far back buckets are compared.", Type: Duration, Required: true, Least: time.Hour.Seconds(), Most: maxWithin.Seconds()},
		{Name: "learn", Doc: "How long a key is known before it fires.", Type: Duration, Least: 0, Most: maxWithin.Seconds(), Default: "3d"}, sum, distinct, keyAbout}
}

// keyAgainst says what buckets are compared with.
var keyAgainst = Key{Name: "against", Type: Text, Choices: []string{"mean", "peak"}, Default: "mean",
	Doc: "What a bucket is compared with: the mean of those before it, or the most that a bucket held on two earlier days at least."}

// New implements Kind.
func (k Baseline) New(v *Values) *Rule {
	r := &Rule{Kind: k, Learns: true}
	s := &baselineSpec{bucket: int64(time.Hour), ratio: v.Number("ratio"), floor: v.Number("floor"), learn: int64(3 * 24 * time.Hour)}
	if v.Text("bucket") == "1d" {
		s.bucket = day
	}
	s.peak = v.Text("against") == "peak"
	s.history = int64(v.Duration("history")) / s.bucket
	if s.history < 1 || int64(v.Duration("history"))%s.bucket != 0 {
		v.Wrong("history", "value", "expected whole buckets of "+v.Text("bucket"))
	}
	if v.Has("learn") {
		s.learn = int64(v.Duration("learn"))
	}
	s.times = decimal(s.ratio)
	switch short := s.learn > s.history*s.bucket; {
	case short && v.Has("learn"):
		v.Wrong("learn", "value", "expected at most as long as history: nothing is known of a key for longer")
	case short:
		v.Wrong("history", "value", "history is shorter than learn, which is 3d where it is not written; write learn, at most as long as history")
	}
	for _, key := range []string{"distinct", "sum"} {
		g := v.Group(key)
		if g == nil {
			continue
		}
		if len(r.Looks) > 0 {
			v.Wrong(key, "value", "expected one of the keys sum and distinct, or neither")
		}
		of := g.Field("of")
		if key == "sum" && of.Name != "" && of.Type != event.Number {
			g.Wrong("of", "type", of.Name+" is no number, so its values cannot be added up; use distinct to count different ones")
		}
		r.Looks = append(r.Looks, of)
		r.Distinct, r.Sum = r.Distinct || key == "distinct", r.Sum || key == "sum"
		s.distinct, s.sum = r.Distinct, r.Sum
	}
	r.Shape = shape(s.bucket, s.distinct, s.sum)
	r.Settles = time.Duration(s.bucket)
	r.Memory = func() Memory { return &baseline{baselineSpec: s} }
	return r
}

type baselineSpec struct {
	bucket, history, learn int64 // history in buckets
	ratio, floor           float64
	times                  *big.Rat // the ratio as its author wrote it
	distinct, sum          bool
	peak                   bool // instead of the mean
}

// maxBucketValues is how many events and different values of a bucket are told from each other; no more count.
const maxBucketValues = 10_000

// shownEnds is how many events of each end of a bucket are kept to be shown.
const shownEnds = 25

// baseline is what a key shows in a bucket, and what it showed before.
type baseline struct {
	*baselineSpec
	begin  int64 // bucket of the first event
	known  bool
	past   []past // buckets that are over and held something, in order
	now    int64  // the bucket at hand
	value  float64
	count  int
	values map[string]struct{}
	seen   map[uint64]struct{} // identities of the bucket at hand, as hashes
	head   []state.Entry
	tail   []state.Entry // the last ones, behind head
	fired  *state.Entry  // the first for which the rule fires
	unsaid bool          // what counted has changed since it was told
	usual  *usual        // of the buckets before; nil: to be made
	raised uint8         // the most of the events for which the rule fires
	told   int
	said   struct {
		count    int
		distinct int
		sum      float64
		entries  []state.Counted
	}
}

// Add implements Memory.
func (b *baseline) Add(c *state.Context, h *Hit, e state.Entry) {
	at := state.Floor(e.Time, b.bucket)
	switch {
	case !b.known || at > b.now && at-b.now > b.history:
		b.close(c)
		if b.known {
			b.turn(c, at)
		}
		*b = baseline{baselineSpec: b.baselineSpec, begin: at, known: true, past: b.past, now: at}
	case at > b.now:
		b.turn(c, at)
	case at < b.now:
		b.late(c, h, at)
		return
	}
	if !b.enter(c, h, &e) || h.Excused || !b.tooMuch() {
		return
	}
	e.Came(c)
	if b.fired == nil {
		b.fired = &e
	}
	b.raised = max(b.raised, h.Raised)
	b.note(&e)
	switch over := c.Passed(b.over(c)); {
	case over:
		b.close(c)
	case c.Live && b.told == 0:
		b.tell(c, false)
	}
}

// over is when the bucket at hand is over, and what comes of it is late.
func (b *baseline) over(c *state.Context) int64 { return state.Plus((b.now+1)*b.bucket, c.Wait) }

// enter counts an event, once.
func (b *baseline) enter(c *state.Context, h *Hit, e *state.Entry) bool {
	if b.seen == nil {
		b.seen, b.values = map[uint64]struct{}{}, map[string]struct{}{}
	}
	same := h.Same().Hash("")
	if _, have := b.seen[same]; have {
		return false
	}
	if len(b.seen) >= maxBucketValues { // it could not be told from a repeat later
		c.Counts.Overflow++
		return false
	}
	b.seen[same] = struct{}{}
	b.count++
	switch {
	case b.sum:
		b.value = added(c, b.value, numberOf(h.at(0)))
	case b.distinct:
		b.differ(c, h.at(0))
	default:
		b.value++
	}
	e.Packed = c.Held(e.Packed)
	b.show(*e)
	return true
}

// added is a sum. One that is too large for a number stays the greatest there is, and is counted.
func added(c *state.Context, a, b float64) float64 {
	sum := event.AddNumbers(a, b)
	if sum == math.MaxFloat64 {
		c.Counts.Overflow++
	}
	return sum
}

// show keeps an event to be shown if it is one of the first or the last in order.
func (b *baseline) show(e state.Entry) {
	b.head = state.Insert(b.head, e)
	if len(b.head) <= shownEnds {
		return
	}
	b.tail = state.Insert(b.tail, b.head[shownEnds])
	b.head = b.head[:shownEnds]
	if len(b.tail) > shownEnds {
		b.tail = slices.Delete(b.tail, 0, 1)
	}
}

// differ counts values that are new in the bucket.
func (b *baseline) differ(c *state.Context, v *Value) {
	for _, t := range append(slices.Clone(v.List), v.Text) {
		switch _, have := b.values[t]; {
		case t == "" || have:
		case len(b.values) >= maxBucketValues:
			c.Counts.Overflow++
		default:
			b.values[strings.Clone(t)] = struct{}{}
		}
	}
	b.value = float64(len(b.values))
}

// tooMuch compares the bucket at hand with the mean of those before it, without rounding.
func (b *baseline) tooMuch() bool {
	first := max(b.now-b.history, b.begin)
	n := b.now - first
	if b.peak {
		return n*b.bucket >= b.learn && b.value >= b.floor && rational(b.value).Cmp(new(big.Rat).Mul(rational(b.top(b.past, first, b.now)), b.times)) >= 0
	}
	if n < 1 || n*b.bucket < b.learn || b.value < b.floor {
		return false
	}
	b.usual = b.usual.from(first, b.past)
	here := new(big.Rat).Mul(new(big.Rat).SetInt64(n), rational(b.value))
	return here.Cmp(new(big.Rat).Mul(&b.usual.sum, b.times)) >= 0
}

// note keeps what counted up to an event for which the rule fires.
func (b *baseline) note(e *state.Entry) {
	b.unsaid = true
	b.said.count, b.said.distinct, b.said.sum = b.count, len(b.values), b.value
	b.said.entries = b.said.entries[:0]
	for _, all := range [...][]state.Entry{b.head, b.tail} {
		for i := range all {
			one := all[i]
			b.said.entries = append(b.said.entries, state.Counted{Entry: &one, Fires: bytes.Equal(one.Identity(), e.Identity())})
		}
	}
}

func (b *baseline) tell(c *state.Context, final bool) {
	b.told++
	b.unsaid = false
	f := state.Finding{Anchor: []string{strconv.FormatInt(b.now, 10)}, Time: b.fired.Time, First: b.fired, Late: b.fired.Late(), Counted: b.said.entries,
		Total: b.said.count, Distinct: b.said.distinct, Sum: b.said.sum, Revision: b.told, Raised: b.raised, Final: final}
	c.Tell(&f)
}

// close tells the bucket at hand for the last time.
func (b *baseline) close(c *state.Context) {
	if b.unsaid {
		b.tell(c, true)
	}
}

// turn begins another bucket.
func (b *baseline) turn(c *state.Context, at int64) {
	b.close(c)
	b.past = append(b.past, past{b.now, b.value, b.seen})
	b.usual.add(b.now, b.value)
	if b.usual != nil { // what goes now is taken away
		b.usual = b.usual.from(max(at-b.history, b.usual.first), b.past)
	}
	for i := range b.past {
		if c.Passed((b.past[i].bucket+1)*b.bucket + c.Wait + c.Keep) {
			b.past[i].seen = nil
		}
	}
	b.past = slices.DeleteFunc(b.past, func(p past) bool { return p.seen == nil && p.bucket < at-b.history })
	*b = baseline{baselineSpec: b.baselineSpec, begin: b.begin, known: true, past: b.past, usual: b.usual, now: at}
}

// late adds an event to a bucket that is over: it was not looked at in its order, and it changes what comes.
func (b *baseline) late(c *state.Context, h *Hit, at int64) {
	same := h.Same().Hash("")
	i, have := find(b.past, at)
	if have {
		if _, repeated := b.past[i].seen[same]; repeated {
			return
		}
	}
	if b.distinct {
		return // which values it had is not known any more
	}
	value := 1.0
	if b.sum {
		value = numberOf(h.at(0))
	}
	if !have {
		b.past = slices.Insert(b.past, i, past{bucket: at, seen: map[uint64]struct{}{}})
	}
	if p := &b.past[i]; p.seen != nil {
		if len(p.seen) >= maxBucketValues {
			c.Counts.Overflow++
			return
		}
		p.seen[same] = struct{}{}
	}
	was := b.past[i].value
	b.past[i].value = added(c, was, value)
	b.usual.replace(at, was, b.past[i].value)
	b.begin = min(b.begin, max(at, b.now-b.history))
}

// Due implements state.Memory.
func (b *baseline) Due(c *state.Context) int64 {
	if b.unsaid {
		return b.over(c)
	}
	return b.forgotten(c)
}

// forgotten is when nothing of the key can count, and no event of it is expected to come again.
func (b *baseline) forgotten(c *state.Context) int64 {
	return state.Plus((b.now+b.history+2)*b.bucket, c.Wait+c.Keep)
}

// Advance implements state.Memory.
func (b *baseline) Advance(c *state.Context) (empty bool) {
	if b.unsaid && c.Passed(b.over(c)) {
		b.close(c)
	}
	return c.Passed(b.forgotten(c))
}

// Close implements state.Memory.
func (b *baseline) Close(c *state.Context) { b.close(c) }
