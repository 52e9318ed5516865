package detector_test

import (
	"math/rand/v2"
	"strconv"
	"sync"
	"time"
)

// maker makes random rules and events: few accounts, addresses and ids, so that things happen.
type maker struct{ *rand.Rand }

func newMaker(seed uint64) maker { return maker{rand.New(rand.NewPCG(seed, 7))} }

// pick is one of several.
func (m maker) pick(texts ...string) string { return texts[m.IntN(len(texts))] }

// span is one of several spans of time.
func (m maker) span(all ...time.Duration) time.Duration { return all[m.IntN(len(all))] }

// one reports true in one of n cases.
func (m maker) one(n int) bool { return m.IntN(n) == 0 }

// start is when the events begin; hours and days end soon after it.
var start = time.Date(2026, 1, 2, 22, 51, 0, 0, time.UTC)

// theCase is rules, the last of which is looked at, and events.
type theCase struct {
	rules  []*rule
	events []*event
}

// kinds make cases, by the name of the kind that they are about.
var kinds = map[string]func(maker) theCase{
	"match": maker.match, "threshold": maker.threshold, "sequence": maker.sequence, "steps": maker.stepsOf, "absence": maker.absence,
	"silence":    maker.silence,
	"first_seen": maker.firstSeen, "travel": maker.travel, "baseline": maker.baseline, "correlation": maker.correlation,
}

// event is an event of an act with random fields.
func (m maker) event(name string, at time.Time) *event {
	set := fields{"event.id": {"id-" + strconv.Itoa(m.IntN(24))}, "organization.id": {"t-1"}}
	set["account"] = []string{m.pick("a", "a", "a", "a", "b", "b", "c") + "@contoso.example"}
	some := func(field string, texts ...string) {
		if !m.one(8) {
			set[field] = []string{m.pick(texts...)}
		}
	}
	if m.one(6) {
		set["organization.id"] = []string{"t-2"}
	} else if m.one(30) {
		set["organization.id"] = nil
	}
	if m.one(24) {
		set["account"] = nil
	}
	some("source.ip", "203.0.113.1", "203.0.113.1", "203.0.113.2", "203.0.113.3")
	some("session.id", "s1", "s1", "s2", "")
	some("app.id", "app-1", "app-1", "app-2", "app-3", "")
	some("file.name", "f1", "f2", "f3", "")
	some("mailbox.items", "0", "1", "1", "2", "5")
	some("email.message_id", "m1", "m2", "m3")
	some("email.to.address", "x@fabrikam.example", "y@fabrikam.example")
	for range m.IntN(4) {
		set["inbox_rule.sends_to"] = append(set["inbox_rule.sends_to"], m.pick("d1", "d2", "d3")+"@fabrikam.example")
	}
	return newEvent(name, at, set).from(m.place())
}

// places are where sign-ins come from. Two of them differ in their coordinates only, one has no name, one no coordinates.
var places = []place{
	{"NL", "Noord-Holland", "Amsterdam", 52.37, 4.89, true}, {"NL", "Noord-Holland", "Amsterdam", 52.31, 4.76, true},
	{"JP", "Tokyo", "Tokyo", 35.68, 139.69, true}, {"DE", "", "Berlin", 52.52, 13.41, true},
	{"", "", "", -33.87, 151.21, true}, {"BR", "", "", 0, 0, false},
}

func (m maker) place() place { return places[m.IntN(len(places))] }

// times are n times on a grid of a span, so that ties and ends of windows happen; some a little beside it.
func (m maker) times(n int, grid time.Duration, cells int) (all []time.Time) {
	for range n {
		at := start.Add(time.Duration(m.IntN(cells)) * grid)
		switch m.IntN(6) {
		case 0:
			at = at.Add(m.span(time.Millisecond, -time.Millisecond, 400*time.Millisecond, 999*time.Millisecond))
		case 1:
			at = at.Add(m.span(time.Second, -time.Second, 30*time.Second))
		}
		all = append(all, at)
	}
	return all
}

var allActs = []string{"failed", "in", "download", "send", "delete", "hide", "mail"}

// happen makes events of the acts at the times, and some of others. Of events with one identity the first is kept.
func (m maker) happen(times []time.Time, names ...string) (all []*event) {
	seen := map[string]bool{}
	for _, at := range times {
		name := m.pick(names...)
		if m.one(12) {
			name = m.pick(allActs...)
		}
		if e := m.event(name, at); !seen[e.identity()] {
			seen[e.identity()] = true
			all = append(all, e)
		}
	}
	return all
}

// tests are conditions that single acts satisfy.
var tests = map[string][]*clause{
	"failed":   {is("auth.result", "wrong_credential"), is("event.action", "UserLoginFailed"), is("event.dataset", "entra.signin")},
	"in":       {is("auth.result", "success"), is("event.action", "UserLoggedIn"), is("event.dataset", "entra.signin")},
	"download": {is("event.action", "FileDownloaded"), is("event.dataset", "ual.sharepoint_file_operation")},
	"send":     {oneOf("event.action", "Send", "SendAs"), is("event.dataset", "ual.exchange_item")},
	"delete":   {is("event.action", "HardDelete"), is("event.dataset", "ual.exchange_item_group")},
	"hide":     {is("inbox_rule.op", "create"), is("event.action", "New-InboxRule")},
	"mail":     {is("event.dataset", "defender.email_events")},
}

// test is a condition that an act satisfies, often with another one beside it.
func (m maker) test(name string) *clause {
	c := tests[name][m.IntN(len(tests[name]))]
	switch m.IntN(8) {
	case 0:
		return and(c, not(is("source.ip", "203.0.113.2")))
	case 1:
		return or(c, and(is("event.dataset", "entra.signin"), is("app.id", "app-3")))
	case 2:
		return and(c, or(not(&clause{op: "has", field: "session.id"}), is("session.id", m.pick("s1", "s2"))))
	}
	return c
}

// raises reports whether the engine knows the key.
var raises = sync.OnceValue(func() bool {
	r := rule{id: "r", kind: "match", when: failed, raise: []raise{{"high", in}}}
	_, err := loadRules(theCase{rules: []*rule{&r}})
	return err == nil
})

// common are the keys that all kinds have, for a rule about acts.
func (m maker) common(kind string, names ...string) *rule {
	r := &rule{id: "r", kind: kind, about: m.one(4), shows: m.one(3)}
	for _, name := range names {
		if c := m.test(name); r.when == nil {
			r.when = c
		} else {
			r.when = or(r.when, c)
		}
	}
	switch m.IntN(8) {
	case 0:
		r.by = []string{}
	case 1:
		r.by = []string{m.pick("source.ip", "source.ip", "mailbox.items")}
	case 2:
		r.by = []string{"account", m.pick("source.ip", "session.id", "app.id", "event.dataset")}
	}
	if names[0] == "hide" && m.one(2) {
		r.by = []string{"inbox_rule.sends_to"}
	}
	if m.one(6) && raises() {
		r.raise = []raise{{m.pick("medium", "high"), is("source.ip", "203.0.113.1")}, {m.pick("info", "critical"), is("session.id", "s2")}}
	}
	if m.one(3) {
		r.unless = append(r.unless, exception{when: is("app.id", "app-2"), until: m.pick("2026-01-01", "2026-01-02", "2026-01-03", "2028-01-01")})
	}
	return r
}

// repeats sets how often the rule's findings are told.
func (m maker) repeats(r *rule) {
	if m.one(2) {
		r.repeat = m.span(each, time.Minute, time.Hour, 7*time.Minute, day)
	}
}

func (m maker) match() theCase {
	r := m.common("match", m.pick("failed", "in", "hide", "download"))
	m.repeats(r)
	return theCase{[]*rule{r}, m.happen(m.times(1+m.IntN(6), 13*time.Minute, 12), "failed", "in", "hide", "download")}
}

func (m maker) threshold() theCase {
	name := m.pick("failed", "failed", "download", "delete", "hide")
	r := m.common("threshold", name)
	m.repeats(r)
	r.within = m.span(time.Second, time.Minute, 10*time.Minute, 2*time.Hour, 3*day)
	switch m.IntN(4) {
	case 0:
		r.distinct, r.least = m.pick("source.ip", "session.id", "account", "app.id", "mailbox.items"), 2+m.IntN(2)
	case 1:
		r.sum, r.least = "mailbox.items", 1+m.IntN(6)
		if name != "delete" {
			r.when = or(r.when, m.test("delete"))
		}
	default:
		r.count = 2 + m.IntN(4)
	}
	if name == "hide" && r.distinct != "" && m.one(2) {
		r.distinct = "inbox_rule.sends_to"
	}
	names := []string{name}
	if r.sum != "" {
		names = append(names, "delete")
	}
	n := 4 + m.IntN(20)
	if m.one(24) { // more than an alert has evidence
		n = 60 + m.IntN(200)
	}
	return theCase{[]*rule{r}, m.happen(m.times(n, r.within/4, 4+m.IntN(28)), names...)}
}

// shortly are the times of a story whose steps lie close together, often within one second.
func (m maker) shortly(n int, within time.Duration) []time.Time {
	all := m.times(n, within/8, 3+m.IntN(12))
	for i := range all {
		if i > 0 && m.one(3) {
			all[i] = all[i-1].Add(m.span(0, time.Millisecond, 300*time.Millisecond, time.Second, 2*time.Second))
		}
	}
	return all
}

func (m maker) sequence() theCase {
	r := m.common("sequence", "in")
	r.when = nil
	m.repeats(r)
	r.within = m.span(2*time.Second, time.Minute, time.Hour, day)
	names := []string{m.pick("failed", "in", "hide", "download", "send"), m.pick("failed", "in", "hide"), m.pick("in", "hide", "delete")}
	for i := range 2 + m.IntN(2)*m.IntN(4) {
		s := step{id: "s" + strconv.Itoa(i), when: m.test(m.pick(names...))}
		if m.one(4) {
			s.count = 2 + m.IntN(2)
		}
		if m.one(6) {
			s.when = or(s.when, m.test(m.pick(names...)))
		}
		if i == 0 && m.one(5) {
			s.distinct, s.least, s.count = m.pick("source.ip", "session.id", "app.id"), 2, 0
			s.when = and(s.when, not(is("app.id", "app-3"))) // what satisfies it fills no other step: leave some for the others
		}
		if len(r.fields()) == 1 && m.one(8) {
			s.by = []string{m.pick("account", "source.ip", "user.target.name")}
		}
		r.steps = append(r.steps, s)
	}
	return theCase{[]*rule{r}, m.happen(m.shortly(10+m.IntN(14), r.within), names...)}
}

func (m maker) absence() theCase {
	r := m.common("absence", "send")
	m.repeats(r)
	r.without, r.needs = m.test("mail"), []string{"defender.email_events"}
	switch m.IntN(4) {
	case 0:
		r.by = []string{"email.message_id"}
	case 1:
		r.by = []string{"account"}
	default:
		r.by = []string{"account", "email.message_id"}
	}
	if m.one(4) {
		r.without = or(r.without, m.test("send"))
	}
	if m.one(6) {
		r.needs = append(r.needs, "entra.signin")
	}
	r.after = m.span(30*time.Minute, 30*time.Minute, time.Minute, 10*time.Second, 12*time.Hour)
	if m.one(3) {
		r.before = m.span(5*time.Minute, r.after, 2*time.Hour)
	}
	if r.before > 0 && m.one(3) {
		r.after = 0
	}
	names := []string{"send", "send", "send", "mail"}
	if len(r.needs) > 1 {
		names = append(names, "in")
	}
	events := m.happen(m.times(5+m.IntN(16), max(r.after, r.before)/4, 6+m.IntN(24)), names...)
	if !m.one(8) {
		events = append(events, m.event("mail", start.Add(30*max(r.after, r.before)/4)))
	}
	return theCase{[]*rule{r}, distinctEvents(events)}
}

// distinctEvents keeps the first of those with one identity.
func distinctEvents(events []*event) (all []*event) {
	seen := map[string]bool{}
	for _, e := range events {
		if !seen[e.identity()] {
			seen[e.identity()] = true
			all = append(all, e)
		}
	}
	return all
}

func (m maker) silence() theCase {
	names := []string{m.pick("in", "download"), m.pick("in", "mail")}
	r := m.common("silence", names...)
	r.raise = nil
	if m.one(3) {
		r.by = []string{"event.dataset"}
	}
	if m.one(4) {
		r.when = nil
	}
	r.longer = m.span(20*time.Second, time.Minute, 10*time.Minute, 2*time.Hour, 30*time.Second)
	r.history = 7 * day
	if m.one(2) {
		r.ratio, r.history = 10+m.IntN(30), m.span(7*day, 3*r.longer, 10*r.longer, r.longer)
	}
	return theCase{[]*rule{r}, m.happen(m.times(4+m.IntN(24), r.longer/10, 10+m.IntN(90)), names...)}
}
