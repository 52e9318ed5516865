package detector_test

import (
	"fmt"
	"slices"
	"time"
)

// part is a step of a sequence for one key: which events satisfy it.
type part struct {
	step
	events map[*event]bool
}

// sequence fires for an event that satisfies the last step when the others can be filled from other events in its window.
func sequence(r *rule, w *world, among []*rule) (all []firing) {
	type kept struct {
		events []keyed
		parts  []part
	}
	var byStep [][]keyed
	for _, s := range r.steps {
		by := r.fields()
		if s.by != nil {
			by = s.by
		}
		in := under(w.events, by, func(e *event) bool { return r.relevant(s.when, e) })
		if s.of != nil { // alerts are not excused
			in = under(w.alerts(s.of, among), by, func(*event) bool { return true })
		}
		byStep = append(byStep, in)
	}
	same := sameAlerts{}
	for s := range byStep {
		for i := range byStep[s] {
			byStep[s][i].event = same.one(byStep[s][i].event)
		}
	}
	for _, key := range keysOfAll(byStep) {
		k := kept{}
		for i, s := range r.steps {
			p := part{step: s, events: map[*event]bool{}}
			for _, e := range byStep[i] {
				if e.same(key) {
					p.events[e.event] = true
					if !slices.ContainsFunc(k.events, func(x keyed) bool { return x.event == e.event }) {
						k.events = append(k.events, e)
					}
				}
			}
			k.parts = append(k.parts, p)
		}
		slices.SortFunc(k.events, func(a, b keyed) int { return order(a.event, b.event) })
		all = append(all, r.inKey(k.events, k.parts)...)
	}
	return all
}

// sameAlerts makes one event of those that stand for the same alert in different steps.
type sameAlerts map[string]*event

func (s sameAlerts) one(e *event) *event {
	if e.finding == nil {
		return e
	}
	if s[e.id] == nil {
		s[e.id] = e
	}
	return s[e.id]
}

// keysOfAll are the different keys of the events of all steps, each with some event of its.
func keysOfAll(byStep [][]keyed) (all []keyed) {
	for _, in := range byStep {
		for _, e := range in {
			if !slices.ContainsFunc(all, e.same) {
				all = append(all, e)
			}
		}
	}
	return all
}

// inKey are the firings of one key.
func (r *rule) inKey(in []keyed, parts []part) (all []firing) {
	fires := map[*event]bool{}
	windows := map[*event][]*event{}
	for _, e := range in {
		end := e.at.Truncate(time.Second).Add(time.Second - 1)
		windows[e.event] = window(in, e, r.within, end)
		fires[e.event] = complete(parts, e.event, windows[e.event])
	}
	for _, e := range in {
		if !fires[e.event] {
			continue
		}
		f := firing{key: e.key, bucket: r.bucket(e.event), event: e.event}
		for _, x := range windows[e.event] {
			var satisfied []string
			for _, p := range parts {
				if p.events[x] {
					satisfied = append(satisfied, p.id)
				}
			}
			f.counted = append(f.counted, counted{x, satisfied[0], satisfied})
		}
		all = append(all, f)
	}
	return all
}

// complete reports whether e can be the last of the sequence, with the other places filled from the window.
func complete(parts []part, e *event, in []*event) bool {
	first, last := parts[0], len(parts)-1
	if !parts[last].events[e] || first.distinct != "" && first.events[e] {
		return false
	}
	s := search{end: e.at.Unix(), in: in, used: map[*event]bool{e: true}, dead: map[string]bool{}}
	for i, p := range parts {
		n := max(p.count, 1)
		if i == last {
			n-- // e has one of its places
		}
		if p.distinct != "" {
			n = 0
		}
		for range n {
			s.places = append(s.places, i)
		}
	}
	s.parts = parts
	if first.distinct == "" {
		return s.fill(0, s.floor(), s.floor())
	}
	for _, x := range in { // the first step may end with the second of any of its events
		if first.events[x] {
			var until []*event
			for _, y := range in {
				if first.events[y] && y.at.Unix() <= x.at.Unix() {
					until = append(until, y)
				}
			}
			clear(s.dead)
			if len(values(until, first.distinct)) >= first.least && s.fill(0, x.at.Unix(), x.at.Unix()) {
				return true
			}
		}
	}
	return false
}

// search tries all ways to fill places with events.
type search struct {
	parts  []part
	places []int // the step of each, in order
	in     []*event
	used   map[*event]bool
	end    int64           // second of the last event
	dead   map[string]bool // from where no way was found
}

func (s *search) floor() int64 {
	floor := s.end
	for _, x := range s.in {
		floor = min(floor, x.at.Unix())
	}
	return floor
}

// fill fills the places from the given one on. Events of its step are not before from, which is the latest second of the steps
// before; latest is the latest so far.
func (s *search) fill(place int, from, latest int64) bool {
	if place == len(s.places) {
		return latest <= s.end
	}
	step := s.places[place]
	if place > 0 && s.places[place-1] != step {
		from = latest
	}
	if place == 0 {
		from = latest
	}
	state := fmt.Sprint(place, from, latest, s.mask())
	if s.dead[state] {
		return false
	}
	for _, x := range s.in {
		second := x.at.Unix()
		spoken := s.parts[0].distinct != "" && s.parts[0].events[x] // it fills no step but the first
		if !s.parts[step].events[x] || s.used[x] || spoken || second < from || second > s.end || s.clashes(x) {
			continue
		}
		s.used[x] = true
		if s.fill(place+1, from, max(latest, second)) {
			return true
		}
		delete(s.used, x)
	}
	s.dead[state] = true
	return false
}

// mask tells which events are used.
func (s *search) mask() (m uint64) {
	for i, x := range s.in {
		if s.used[x] {
			m |= 1 << i
		}
	}
	return m
}

// clashes reports whether an alert and an event that counted for its first event would both fill a place.
func (s *search) clashes(x *event) bool {
	for y := range s.used {
		if x.countedFor(y) || y.countedFor(x) {
			return true
		}
	}
	return false
}

// countedFor reports whether an event counted for the first event of the alert that another one stands for.
func (e *event) countedFor(alert *event) bool {
	return alert.finding != nil && slices.ContainsFunc(alert.finding.because, func(c counted) bool { return c.event == e })
}
