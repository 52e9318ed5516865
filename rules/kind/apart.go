package kind

import (
	"slices"

	"noroshi/internal/state"
)

// mixed reports whether a sequence has steps that are alerts and steps that are events.
func (s *sequence) mixed() bool {
	alerts := 0
	for _, one := range s.steps {
		if one.alerts {
			alerts++
		}
	}
	return alerts > 0 && alerts < len(s.steps)
}

// because is Told.Because of a packed alert.
func because(packed []byte) []byte {
	var h Hit
	if h.UnpackHeld(packed) != nil || h.Told == nil {
		return nil
	}
	return h.Told.Because
}

// maxWays is how many entries are looked at in search of a way to fill the places.
const maxWays = 1 << 18

// clashing is the search for a way to fill places in which no alert stands beside an event that counted for it.
type clashing struct {
	*sequence
	w       *state.Window
	all     []state.Entry
	kept    int
	reach   *reach
	alerts  []int         // those that clash with another entry
	with    map[int][]int // what each clashes with
	out     []bool        // what fills no place
	visited int
}

// apart reports whether the places can be filled so that an alert and an event that counted for it do not both fill one. Without that
// condition they can be filled.
func (s *sequence) apart(w *state.Window, all []state.Entry, kept int) bool {
	if !w.Clash() || s.straight(w, all, kept) {
		return true
	}
	c := clashing{sequence: s, w: w, all: all, kept: kept}
	c.find()
	if len(c.alerts) == 0 {
		return true
	}
	c.out = make([]bool, len(all))
	for _, i := range c.with[kept] { // the kept one fills the last place, whatever else does
		c.out[i] = true
	}
	c.alerts = slices.DeleteFunc(c.alerts, func(i int) bool {
		clash := i == kept || slices.Contains(c.with[i], kept)
		c.out[i] = c.out[i] || i != kept && clash
		return clash || c.out[i]
	})
	if c.choose(nil, 0, c.places()) {
		return true
	}
	if c.visited > maxWays {
		w.Unsearched++
	}
	return false
}

// find finds which alerts clash with what.
func (c *clashing) find() {
	at := map[uint64]int{}
	c.reach = c.sequence.reach(c.all, c.kept)
	for i := range c.all {
		if e := &c.all[i]; e.Clashes() && (i == c.kept || c.reach.holds(e)) {
			at[e.Hash()] = i
		}
	}
	if len(at) < 2 {
		return
	}
	c.with = map[int][]int{}
	for i := range c.all {
		e := &c.all[i]
		if !e.Clashes() || !e.Linked() {
			continue
		}
		if _, have := at[e.Hash()]; !have {
			continue
		}
		c.w.EachClash(e, func(hash uint64) {
			if k, have := at[hash]; have {
				c.with[i] = append(c.with[i], k)
			}
		})
		if c.with[i] != nil {
			c.alerts = append(c.alerts, i)
		}
	}
}

// places are how many alerts are needed beside the kept entry.
func (c *clashing) places() (n int) {
	for _, one := range c.steps {
		if one.alerts {
			n += one.count
		}
	}
	if c.all[c.kept].Linked() {
		n--
	}
	return n
}

// choose reports whether the places can be filled with alerts that clash, those chosen and at most so many more from one on, and with
// what does not clash.
func (c *clashing) choose(chosen []int, from, most int) bool {
	if c.fits(chosen) {
		return true
	}
	if most == 0 || c.hopeless(chosen, from) {
		return false
	}
	for n := from; n < len(c.alerts) && c.visited <= maxWays; n++ {
		if c.choose(append(slices.Clone(chosen), c.alerts[n]), n+1, most-1) {
			return true
		}
	}
	return false
}

// hopeless reports whether the places cannot be filled even if alerts from one on could stand beside what they clash with. Of an alert
// and an entry that it clashes with at most one fills a place, so as many entries fill none as there are such pairs apart from each
// other.
func (c *clashing) hopeless(chosen []int, from int) bool {
	if c.visited += len(c.all); c.visited > maxWays {
		return true
	}
	out := c.leave(chosen, c.alerts[:from])
	f := c.filling(c.w)
	places, able := f.sum()-1, 0
	taken := make([]bool, len(c.all)) // fill no place, or are one of a pair
	for i := range c.all {
		e := &c.all[i]
		taken[i] = out[i] || i == c.kept || c.steps[0].distinct > 0 && e.Clauses&1 != 0 || !c.reach.holds(e)
		if !taken[i] {
			able++
		}
	}
	for _, i := range c.alerts[from:] {
		if taken[i] {
			continue
		}
		if n := slices.IndexFunc(c.with[i], func(k int) bool { return !taken[k] }); n >= 0 {
			taken[i], taken[c.with[i][n]] = true, true
			able--
		}
	}
	return able < places || !c.filled(c.w, c.all, c.kept, out)
}

// leave are the entries that fill no place: some alerts, but for those that are chosen, and what these clash with.
func (c *clashing) leave(chosen, alerts []int) []bool {
	out := slices.Clone(c.out)
	for _, i := range alerts {
		out[i] = out[i] || !slices.Contains(chosen, i)
	}
	for _, i := range chosen {
		for _, k := range c.with[i] {
			out[k] = true
		}
	}
	return out
}

// fits reports whether the places can be filled when of the alerts that clash only the chosen ones may fill one.
func (c *clashing) fits(chosen []int) bool {
	if c.visited += len(c.all); c.visited > maxWays {
		return false
	}
	return c.filled(c.w, c.all, c.kept, c.leave(chosen, c.alerts))
}
