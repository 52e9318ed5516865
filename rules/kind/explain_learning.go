package kind

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"noroshi/internal/event"
	"noroshi/internal/state"
)

// Explain implements Explaining.
func (s *seen) Explain(c *state.Context, of *Asked) *Progress {
	at := c.Now
	if of.Hit != nil {
		at = of.Entry.Time
	}
	if s.begin == state.Never {
		return nil
	}
	p := newProgress()
	known := max(0, state.Plus(at, -s.begin))
	learn := learning(known, s.learn, state.Plus(s.begin, s.learn))
	p.Parts = []Part{s.newness(at, of.Hit), learn}
	if !learn.Holds {
		p.Parts[0].Short = ""
	}
	full := s.full != math.MinInt64 && state.Plus(at, -s.within) < s.full
	if full {
		note := "more different values came than are held; the rule fires for none before " + said(state.Plus(s.full, s.within))
		p.Parts = append(p.Parts, Part{Name: "values", Note: note, Short: note})
	}
	restless := s.restless(at)
	if restless {
		n, stay, _ := s.staying(at)
		note := fmt.Sprintf("of %d values that the key has shown lately %d stayed, so another one says nothing", n, stay)
		p.Parts = append(p.Parts, Part{Name: "changing", Note: note, Short: note})
	}
	p.Fires = of.Hit != nil && !of.Hit.Excused && of.Hit.Satisfies(0) && p.Parts[0].Holds && learn.Holds && !full && !restless
	return p
}

// newness tells whether the value of a hit is new, and without a hit which values are not.
func (s *seen) newness(at int64, h *Hit) Part {
	p := Part{Name: "value"}
	if h == nil {
		held := slices.DeleteFunc(slices.Clone(s.values), func(v seenValue) bool { return !s.counts(v.last, at) })
		slices.SortFunc(held, func(a, b seenValue) int {
			return cmp.Or(cmp.Compare(b.last, a.last), strings.Compare(a.value, b.value))
		})
		var known []string
		for _, v := range held[:min(len(held), shownValues)] {
			known = append(known, fmt.Sprintf("%s (%s)", s.shown(v.value), said(v.last)))
		}
		p.Short = "nothing new has come"
		if p.Note = p.Short; len(known) > 0 {
			p.Note += "; known are " + strings.Join(known, ", ")
		}
		if n := len(held) - len(known); n > 0 {
			p.Note += fmt.Sprintf(" and %d more", n)
		}
		return p
	}
	bytes, ok := s.valueOf(nil, h)
	if !ok {
		p.Note = "the event has none"
		p.Short = "the event has no value that could be new"
		return p
	}
	value := string(bytes)
	text := s.shown(value)
	i := slices.IndexFunc(s.values, func(v seenValue) bool { return v.value == value })
	switch {
	case i < 0:
		p.Note = text + " is not held any more"
	case s.values[i].last > at:
		p.Note = text + " came later, too, at " + said(s.values[i].last) + ", but before this event was read"
	case s.counts(s.values[i].before, at):
		p.Note = text + " is not new: it was there at " + said(s.values[i].before)
	case s.values[i].before != math.MinInt64:
		p.Note, p.Holds = text+" is new; it was there at "+said(s.values[i].before)+", too long ago to count", true
	default:
		p.Note, p.Holds = text+" is new", true
	}
	if !p.Holds {
		p.Short = p.Note
	}
	return p
}

// shownValues is how many known values are told.
const shownValues = 10

// shown is a value as notes have it.
func (s *seen) shown(value string) string {
	var all []string
	for _, t := range s.texts(value) {
		all = append(all, strconv.Quote(t))
	}
	return strings.Join(all, ", ")
}

// Explain implements Explaining.
func (t *travelled) Explain(c *state.Context, of *Asked) *Progress {
	if of.Hit != nil {
		if _, _, ok := event.ParseLocation(of.Hit.at(placeLocation).Text); !ok {
			p := newProgress()
			p.Parts = []Part{{Name: "source.geo.location", Note: "the event has none, so it does not count",
				Short: "the event has no source.geo.location, so it does not count"}}
			return p
		}
	}
	return explainWindow(t.Window, c, of)
}

// explain implements explaining: at a time it tells of the last entry.
func (j *journeys) explain(w *state.Window, i int, at int64, _ bool) *Progress {
	asked := i >= 0
	if !asked {
		i = state.After(w.Entries, at) - 1
	}
	if i < 0 || w.Entries[i].Time <= state.Plus(at, -w.Within) {
		return nil
	}
	e := &w.Entries[i]
	p := newProgress()
	p.From, p.To, p.Later = e.Time-w.Within, e.Time, e.Time
	if !asked {
		p.Left = state.Plus(e.Time, w.Within)
	}
	p.Fires = asked && len(j.Pairs(w, i, nil)) > 0
	best, seen := -1.0, map[uint64]struct{}{}
	for k := state.After(w.Entries, e.Time) - 1; k >= 0 && w.Entries[k].Time > e.Time-w.Within; k-- {
		if _, have := seen[w.Entries[k].Value]; have { // of events from the same coordinates the latest is the one from which it is fastest
			continue
		}
		seen[w.Entries[k].Value] = struct{}{}
		parts, ok := j.parts(w, i, k)
		if !ok {
			continue
		}
		if near := (&Progress{Parts: parts}).Near(); near > best {
			best, p.Parts = near, parts
		}
	}
	if best < 0 {
		p.Parts = []Part{j.onePlace(w, i)}
	}
	return p
}

// onePlace tells that no event came from another place.
func (j *journeys) onePlace(w *state.Window, i int) Part {
	return Part{Name: "within", Note: "no event from another place", Entries: []*state.Entry{&w.Entries[i]},
		Short: "no event from another place came within " + Written(time.Duration(w.Within))}
}

// shownPlace is a place as notes have it: without what its record does not tell.
func shownPlace(place string) string {
	return strings.Join(strings.FieldsFunc(place, func(r rune) bool { return r == '/' }), "/")
}

// parts are what must hold for a journey from entry k to entry i; false where they are in one place.
func (j *journeys) parts(w *state.Window, i, k int) ([]Part, bool) {
	e, x := &w.Entries[i], &w.Entries[k]
	if e.Value == x.Value {
		return nil, false
	}
	known := w.Own.(*travelled)
	here, there := known.spot(e), known.spot(x)
	one, other, km := here.name, there.name, here.distance(there)
	if one == other && km < j.km { // of one name, and near
		return nil, false
	}
	took := e.Time - x.Time
	far := counted("least_km", km, j.km, Kilometres)
	way := fmt.Sprintf("from %s to %s", shownPlace(other), shownPlace(one))
	far.Note, far.Entries = way+" in "+Written(time.Duration(took)), []*state.Entry{x, e}
	if !far.Holds {
		far.Short = fmt.Sprintf("%s it is %.0f km; the rule fires from %.0f km", way, km, j.km)
	}
	fast := Part{Name: "least_kmh", Holds: true, Note: "at the same time", Need: j.kmh, Have: j.kmh, Unit: KilometresAnHour}
	if took > 0 {
		fast = counted("least_kmh", km/(seconds(took)/3600), j.kmh, KilometresAnHour)
	}
	if !fast.Holds && far.Holds {
		fast.Short = fmt.Sprintf("%s it was %.0f km/h; the rule fires from %.0f km/h", way, fast.Have, j.kmh)
	}
	usual := Part{Name: "learned", Holds: true, Note: "the account has not often been in both places"}
	if known.bothLearned(here.site, there.site, e.Time) {
		usual.Holds, usual.Note = false, fmt.Sprintf("the account has often been in %s and in %s", shownPlace(other), shownPlace(one))
		usual.Short = usual.Note
	}
	return []Part{far, fast, usual}, true
}

// Explain implements Explaining.
func (b *baseline) Explain(c *state.Context, of *Asked) *Progress {
	if !b.known {
		return nil
	}
	now, value, held := b.now, b.value, b.past
	at := state.Floor(c.Now, b.bucket)
	if of.Hit != nil {
		if at = state.Floor(of.Entry.Time, b.bucket); at != b.now {
			return &Progress{Gone: true}
		}
	}
	if at > now { // nothing has come in the bucket at hand
		held, now, value = append(slices.Clone(b.past), past{bucket: b.now, value: b.value}), at, 0
		if at-b.now > b.history {
			return nil
		}
	}
	p := newProgress()
	p.From, p.To = now*b.bucket, (now+1)*b.bucket-1
	p.Parts = b.parts(now, value, held)
	if p.Parts[2].Holds { // else the bucket's end changes nothing
		p.Left = (now + 1) * b.bucket
	}
	for _, all := range [...][]state.Entry{b.head, b.tail} {
		if now == b.now {
			p.Parts[0].Entries = append(p.Parts[0].Entries, pointers(all)...)
		}
	}
	p.Fires = of.Hit != nil && !of.Hit.Excused && b.tooMuch()
	if of.Hit == nil && now == b.now {
		p.Fired = b.fired
	}
	return p
}

// inBucket says what a bucket holds.
func inBucket(value float64, unit Unit) string {
	format := map[Unit]string{Events: "the bucket has %s events", Different: "the bucket has %s different values", Amount: "the bucket has a sum of %s"}[unit]
	if value == 1 {
		format = strings.TrimSuffix(format, "s")
	}
	return fmt.Sprintf(format, quantity(value))
}

func buckets(n int64) string {
	if n == 1 {
		return "1 bucket"
	}
	return fmt.Sprintf("%d buckets", n)
}

// parts are what must hold of a bucket.
func (b *baseline) parts(now int64, value float64, held []past) []Part {
	unit := Events
	switch {
	case b.sum:
		unit = Amount
	case b.distinct:
		unit = Different
	}
	first := max(now-b.history, b.begin)
	n, sum := now-first, 0.0
	for _, p := range held {
		if p.bucket >= first {
			sum += p.value
		}
	}
	least, against, usual := max(b.learn, b.bucket), "mean", sum/float64(max(1, n))
	if b.peak {
		least, against, usual = b.learn, "peak", b.top(held, first, now)
	}
	ratio := counted("ratio", value, b.ratio*usual, unit)
	ratio.Note = fmt.Sprintf("the %s of the %s before it is %s", against, buckets(n), quantity(usual))
	learn := learning(n*b.bucket, least, state.Plus(first*b.bucket, (least+b.bucket-1)/b.bucket*b.bucket))
	floor := counted("floor", value, b.floor, unit)
	switch {
	case !learn.Holds: // what is usual is not known yet
	case !floor.Holds && floor.Need >= ratio.Need:
		floor.Short = fmt.Sprintf("%s; the rule fires from %s, its floor", inBucket(value, unit), quantity(b.floor))
	case !ratio.Holds:
		ratio.Short = fmt.Sprintf("%s; the rule fires from %s, %s times the %s of %s", inBucket(value, unit), quantity(ratio.Need), quantity(b.ratio),
			against, quantity(usual))
	}
	return []Part{floor, ratio, learn}
}
