package detector_test

import (
	"strconv"
	"time"
)

func (m maker) firstSeen() theCase {
	name := m.pick("in", "failed", "download", "delete")
	r := m.common("first_seen", name)
	r.value = []string{m.pick("source.ip", "source.ip", "session.id", "app.id")}
	if m.one(4) {
		r.value = append(r.value, m.pick("event.action", "source.geo.country_iso_code", "mailbox.items"))
	}
	names := []string{name, name, name}
	if m.one(3) {
		r.among = m.test(m.pick("in", "failed", "hide"))
		names = append(names, "in", "hide")
	}
	r.within = m.span(time.Hour, day, 8*time.Second, 7*day, 30*day)
	r.learn = m.span(r.within/4, r.within/4, r.within/2, r.within)
	if m.one(4) {
		r.only = m.test(m.pick("in", "failed", "hide"))
	}
	if m.one(2) {
		r.changing = 2 + m.IntN(3)
	}
	cells := 10 + m.IntN(30)
	if m.one(30) { // a key sleeps until its beginning is forgotten
		cells = 200
		r.within = 30 * day
	}
	return theCase{[]*rule{r}, m.happen(m.times(4+m.IntN(20), r.within/8, cells), names...)}
}

func (m maker) travel() theCase {
	r := m.common("travel", m.pick("in", "failed"))
	if m.one(2) {
		r.repeat = m.span(time.Hour, 7*day)
	}
	r.within = m.span(12*time.Hour, time.Hour, 7*day)
	r.leastKm, r.leastKmh = 400+100*m.IntN(3), m.IntN(3)*400+100
	if m.one(4) {
		r.ignore = []string{m.pick("203.0.113.2", "203.0.113.1")}
	}
	if m.one(2) { // no place is learned in so short a time: the findings do not depend on the order
		return theCase{[]*rule{r}, m.happen(m.times(3+m.IntN(12), r.within/16, 1+int(36*time.Hour/(r.within/16))/4), "in", "failed")}
	}
	times := m.times(3+m.IntN(6), r.within/8, 12)
	for i := range times {
		times[i] = times[i].Add(20 * day)
	}
	for range 10 + m.IntN(20) {
		times = append(times, start.Add(time.Duration(m.IntN(24))*day+time.Duration(m.IntN(3))*time.Hour))
	}
	return theCase{[]*rule{r}, m.happen(times, "in", "failed")}
}

func (m maker) baseline() theCase {
	name := m.pick("download", "delete", "failed")
	r := m.common("baseline", name)
	r.span = m.span(time.Hour, day)
	r.ratio, r.floor = 10+m.IntN(50), 1+m.IntN(4)
	r.history = r.span * time.Duration(3+m.IntN(12))
	r.learn = r.span * time.Duration(1+m.IntN(3))
	if r.peak = m.one(3); r.peak && m.one(2) {
		r.learn = 0
	}
	if r.history > 30*day || r.history%day != 0 && m.one(2) {
		r.history = 3 * day
	}
	switch m.IntN(4) {
	case 0:
		r.distinct = m.pick("source.ip", "session.id", "app.id")
	case 1:
		if name == "delete" {
			r.sum = "mailbox.items"
		}
	}
	var times []time.Time
	n := 4 + m.IntN(10)
	for range 4 + m.IntN(20) {
		at := m.IntN(n)
		if m.one(2) {
			at = n
		}
		times = append(times, start.Add(time.Duration(at)*r.span+time.Duration(m.IntN(8))*r.span/16))
	}
	if m.one(4) { // it begins anew after a long silence
		for range 6 {
			times = append(times, start.Add(time.Duration(n)*r.span+r.history+time.Duration(m.IntN(4)-1)*r.span))
		}
	}
	return theCase{[]*rule{r}, m.happen(times, name)}
}

// plain are rules that others look at, and events for them.
func (m maker) plain() theCase {
	var all theCase
	for i := range 2 + m.IntN(2) {
		var one theCase
		switch m.IntN(6) {
		case 0, 1:
			one = m.match()
		case 2:
			one = m.sequence()
		case 3:
			one = m.absence()
		default:
			one = m.threshold()
		}
		r := one.rules[0]
		if r.kind == "threshold" || r.kind == "sequence" {
			r.within = m.span(time.Minute, time.Hour)
		}
		if m.one(2) {
			r.by = nil
		}
		r.id, r.class, r.points = "r"+strconv.Itoa(i), m.pick("access", "hiding"), 10*m.IntN(4)
		r.guide = [][]string{{"S1"}, {"S1", "S3"}, {"S3"}}[m.IntN(3)]
		if m.one(10) {
			r.state = m.pick("shadow", "building")
		}
		all.rules, all.events = append(all.rules, r), append(all.events, one.events...)
	}
	all.events = distinctEvents(all.events)
	return all
}

// names are names for the rules of a case, as `of` has them.
func (m maker) names(c theCase) (of []string) {
	for _, r := range c.rules {
		if !m.one(3) {
			of = append(of, r.id)
		}
	}
	if of == nil || m.one(4) {
		of = append(of, m.pick("guide:S1", "guide:S3", "class:access", "class:hiding", c.rules[0].id))
	}
	return distinct(of)
}

func (m maker) correlation() theCase {
	c := m.plain()
	for i := range 1 + m.IntN(5)/4 {
		r := &rule{id: "c" + strconv.Itoa(i), kind: "correlation", of: m.names(c), about: m.one(3)}
		if i > 0 { // one over the one before
			r.of = distinct(append(r.of, "c0"))
		}
		r.within = m.span(6*time.Hour, day, day, 30*day)
		m.repeats(r)
		switch m.IntN(5) {
		case 0:
			r.by = []string{}
		case 1:
			r.by = []string{m.pick("source.ip", "session.id", "app.id")}
		}
		switch m.IntN(4) {
		case 0:
			r.distinct, r.least = m.pick("rule", "account", "guide"), 2
		case 1:
			r.sum, r.least = "points", 10+10*m.IntN(5)
		default:
			r.count = 2 + m.IntN(6)/5
		}
		c.rules = append(c.rules, r)
	}
	return c
}

// stepsOf makes a sequence of which a step is an alert.
func (m maker) stepsOf() theCase {
	c := m.plain()
	one := m.sequence()
	r := one.rules[0]
	r.id, r.by, r.within = "q", nil, m.span(time.Hour, 6*time.Hour)
	if m.one(4) {
		r.by = []string{m.pick("source.ip", "session.id")}
	}
	r.steps = r.steps[:2]
	for i := range r.steps {
		r.steps[i].by = nil
	}
	s := &r.steps[m.IntN(2)]
	s.when, s.of, s.distinct, s.count = nil, m.names(c), "", min(s.count, 2)
	for _, e := range one.events {
		if e.at.Before(start.Add(day)) {
			c.events = append(c.events, e)
		}
	}
	c.events = distinctEvents(c.events)
	c.rules = append(c.rules, r)
	return c
}
