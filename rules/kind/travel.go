package kind

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"noroshi/internal/event"
	"noroshi/internal/state"
)

// Travel fires for two places that are too far apart for the time between them.
type Travel struct{}

// Name implements Kind.
func (Travel) Name() string { return "travel" }

// Doc implements Kind.
func (Travel) Doc() string {
	return "Fires for an event from a place that cannot be reached in the time since another one."
}

const (
	day       = int64(24 * time.Hour)
	learnFrom = 30 // days before an event's, from which on
	learnTo   = 2  // and up to which places are learned
	learnDays = 2  // on how many of them a place must have been seen
	maxPlaces = 1000
)

// Keys implements Kind.
func (Travel) Keys() []Key {
	repeat := keyRepeat
	repeat.Default = "1d"
	return []Key{keyWhen, keyBy, keyWithin,
		{Name: "least_km", Doc: "How far apart the places must be, in kilometres.", Type: Number, Required: true, Least: 1, Most: 20_000},
		{Name: "least_kmh", Doc: "How fast the journey must be, in kilometres an hour.", Type: Number, Required: true, Least: 1, Most: 1e6},
		{Name: "ignore", Doc: "Networks whose events do not count, such as those of a VPN.", Type: Texts, Of: Networks, Most: 20}, repeat, keyAbout}
}

// New implements Kind.
func (k Travel) New(v *Values) *Rule {
	r := &Rule{Kind: k}
	for _, name := range placeFields {
		r.Looks = append(r.Looks, v.Named(name))
	}
	every := day
	if v.Has("repeat") {
		every = int64(v.Repeat("repeat"))
	}
	km := v.Number("least_km")
	s := &state.Spec{Pairs: &journeys{km: km, kmh: v.Number("least_kmh"), chord: chordOf(km)}, Within: int64(v.Duration("within")),
		Repeat: every, Anchor: identity, Value: valueBy(whereHash)}
	r.Settles = settles(s)
	r.Memory = func() Memory {
		t := &travelled{Window: state.NewWindow(s), days: map[string][]int32{}}
		t.Own = t
		return t
	}
	return r
}

// The fields that tell where an event was.
const (
	placeLocation = iota
	placeCountry
	placeRegion
	placeCity
)

var placeFields = []string{placeLocation: "source.geo.location", placeCountry: "source.geo.country_iso_code", placeRegion: "source.geo.region_name", placeCity: "source.geo.city_name"}

// place is the name of where a hit was: country, region and city as far as known, else the coordinates in whole degrees.
func place(h *Hit) string {
	country, region, city := h.at(placeCountry).Text, h.at(placeRegion).Text, h.at(placeCity).Text
	if country != "" || region != "" || city != "" {
		return strings.ToLower(country + "/" + region + "/" + city)
	}
	lat, lon, _ := event.ParseLocation(h.at(placeLocation).Text)
	return fmt.Sprintf("%.0f,%.0f", math.Round(lat)+0, math.Round(lon)+0)
}

// whereHash is the same for events of one place and the same coordinates.
func whereHash(h *Hit) uint64 { return hashOf(place(h) + "\x00" + h.at(placeLocation).Text) }

// travelled is the memory of a key: a window, and the days on which each place was seen.
type travelled struct {
	*state.Window
	days   map[string][]int32 // since 1970, sorted
	learnt bool               // a day more than is written
	spots
}

// Add implements Memory. Events without a place do not count.
func (t *travelled) Add(c *state.Context, h *Hit, e state.Entry) {
	if _, _, ok := event.ParseLocation(h.at(placeLocation).Text); !ok {
		return
	}
	t.learn(c, place(h), int32(state.Floor(e.Time, day)))
	e.Value = whereHash(h)
	t.tidy(t.Entries)
	t.Window.Add(c, e)
}

// learn notes that a place was seen on a day, and forgets days that no event held can ask for.
func (t *travelled) learn(c *state.Context, name string, today int32) {
	days, known := t.days[name]
	if !known && len(t.days) >= maxPlaces {
		c.Counts.Overflow++
		return
	}
	if at, have := slices.BinarySearch(days, today); !have {
		oldest := today
		if len(t.Entries) > 0 {
			oldest = min(oldest, int32(state.Floor(t.Entries[0].Time, day)))
		}
		days = slices.Insert(days, at, today)
		days = slices.DeleteFunc(days, func(d int32) bool { return d < oldest-learnFrom })
		t.learnt = true
		t.days[name] = days
	}
}

// learned reports whether a place was known before a day.
func (t *travelled) learned(name string, today int32) bool {
	n := 0
	for _, d := range t.days[name] {
		if d >= today-learnFrom && d <= today-learnTo {
			n++
		}
	}
	return n >= learnDays
}

// bothLearned reports whether both places were known before the day of a time.
func (t *travelled) bothLearned(one, other *site, at int64) bool {
	today := int32(state.Floor(at, day))
	return t.learned(one.name, today) && t.learned(other.name, today)
}

// Due implements state.Memory: learned places outlive the window.
func (t *travelled) Due(c *state.Context) int64 {
	if due := t.Window.Due(c); due != state.Never {
		return due
	}
	return t.forget()
}

// forget is when no place can be learned any more.
func (t *travelled) forget() int64 {
	last := math.MinInt64 / day
	for _, days := range t.days {
		last = max(last, int64(days[len(days)-1]))
	}
	return (last + learnFrom + 1) * day
}

// Advance implements state.Memory.
func (t *travelled) Advance(c *state.Context) (empty bool) {
	return t.Window.Advance(c) && (len(t.days) == 0 || c.Passed(t.forget()))
}

// Append implements state.Memory.
func (t *travelled) Append(to []byte) []byte {
	return state.AppendBytes(t.appendDays(to), t.Window.Append(nil))
}

// AppendAdded implements state.Growing. No days stand for those that are written.
func (t *travelled) AppendAdded(to []byte) (added []byte, ok bool) {
	window, ok := t.Window.AppendAdded(nil)
	switch {
	case !ok:
		return to, false
	case len(window) == 0 && !t.learnt:
		return to, true
	case t.learnt:
		to = t.appendDays(to)
	default:
		to = append(to, 0)
	}
	return state.AppendBytes(to, window), true
}

// Written implements state.Growing.
func (t *travelled) Written() {
	t.learnt = false
	t.Window.Written()
}

func (t *travelled) appendDays(to []byte) []byte {
	to = binary.AppendUvarint(to, uint64(len(t.days)))
	for _, name := range slices.Sorted(maps.Keys(t.days)) {
		to = binary.AppendUvarint(state.AppendBytes(to, name), uint64(len(t.days[name])))
		for _, d := range t.days[name] {
			to = binary.AppendVarint(to, int64(d))
		}
	}
	return to
}

// Load implements state.Memory.
func (t *travelled) Load(row []byte) error {
	f := state.Read(row)
	var window []byte
	for again := false; f.Len() > 0 || !again; again = true {
		n := f.Many()
		if n > 0 {
			clear(t.days)
		}
		for ; n > 0; n-- {
			name := string(f.Bytes())
			for k := f.Many(); k > 0; k-- {
				t.days[name] = append(t.days[name], int32(f.Int()))
			}
		}
		window = append(window, f.Bytes()...)
	}
	if err := f.Err(); err != nil {
		return err
	}
	if err := t.Window.Load(window); err != nil {
		return err
	}
	t.Own = t
	return nil
}

// journeys finds places that are too far.
type journeys struct {
	km, kmh float64
	chord   float64 // of km
}

// Pairs implements state.Pairs: of every place the latest event from which the journey is too fast. Of events from the same
// coordinates the latest is the one from which it is fastest, so each is looked at once.
func (j *journeys) Pairs(w *state.Window, i int, to []state.Pair) []state.Pair {
	t, e := w.Own.(*travelled), &w.Entries[i]
	var here *spot // nil: nobody has asked yet
	for k := state.After(w.Entries, e.Time) - 1; k >= 0 && w.Entries[k].Time > e.Time-w.Within; k-- {
		x := &w.Entries[k]
		if x.Value == e.Value {
			continue
		}
		if here == nil {
			here = t.spot(e)
			t.question++
		}
		there := t.spot(x)
		if there.asked == t.question || there.site.asked == t.question {
			continue
		}
		there.asked = t.question
		if !j.tooFast(t, here, there, e.Time-x.Time) {
			continue
		}
		there.site.asked = t.question
		if t.bothLearned(here.site, there.site, e.Time) {
			continue
		}
		if to = append(to, state.Pair{With: k, Place: between(here.site, there.site)}); len(to) > state.MaxPairs {
			break
		}
	}
	return to
}

// Pair implements state.Pairs.
func (j *journeys) Pair(w *state.Window, i, k int) (two state.Place, ok bool) {
	e, x := &w.Entries[i], &w.Entries[k]
	if e.Value == x.Value || x.Time > e.Time || x.Time <= e.Time-w.Within {
		return two, false
	}
	t := w.Own.(*travelled)
	here, there := t.spot(e), t.spot(x)
	if !j.tooFast(t, here, there, e.Time-x.Time) || t.bothLearned(here.site, there.site, e.Time) {
		return two, false
	}
	return between(here.site, there.site), true
}

// Of implements state.Pairs.
func (j *journeys) Of(w *state.Window, two state.Place, from, to int, each func(i, k int)) {
	if from == to {
		return
	}
	t := w.Own.(*travelled)
	r := t.route(two)
	for i := state.After(w.Entries, w.Entries[from].Time-w.Within); i < to; {
		first, at := i, w.Entries[i].Time
		for ; i < len(w.Entries) && w.Entries[i].Time == at; i++ {
			r.pass(t.spot(&w.Entries[i]), i)
		}
		for k := max(first, from); k < min(i, to); k++ {
			if with := j.latest(w, r, k); with >= 0 {
				each(k, with)
			}
		}
	}
}

// latest is the latest entry on a route from which the journey to entry i is too fast; -1: none.
func (j *journeys) latest(w *state.Window, r *route, i int) int {
	t, e := w.Own.(*travelled), &w.Entries[i]
	here := t.spot(e)
	for there := r.across(here); there != nil; there = there.older {
		x := &w.Entries[there.last]
		switch {
		case x.Time <= e.Time-w.Within:
			return -1
		case there != here && j.tooFast(t, here, there, e.Time-x.Time):
			if t.bothLearned(here.site, there.site, e.Time) {
				return -1
			}
			return there.last
		}
	}
	return -1
}

// tooFast reports whether nobody gets from one spot to another in a time.
func (j *journeys) tooFast(t *travelled, a, b *spot, nanoseconds int64) bool {
	t.compared++
	if a.chord(b) < j.chord {
		return false
	}
	km := a.distance(b)
	return km >= j.km && (nanoseconds == 0 || km/(float64(nanoseconds)/float64(time.Hour)) >= j.kmh)
}
