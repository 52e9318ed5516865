package detector_test

import "time"

var unsent = rule{kind: "absence", when: is("event.action", "Send"), by: []string{"account", "email.message_id"}, without: is("event.dataset", "defender.email_events"), after: 30 * time.Minute,
	needs: []string{"defender.email_events"}}

// with is the rule with a change.
func (r rule) with(change func(*rule)) rule {
	change(&r)
	return r
}

var absences = []example{
	{name: "sent and never seen", rule: unsent, events: []string{"1 send a 0s msg=m1", "2 send a 0s msg=m2", "3 mail a 1m msg=m2", "4 mail b 31m msg=m3"}, want: []string{"a/m1 0s 1: 1"}},
	{name: "seen at the last moment", rule: unsent, events: []string{"1 send a 0s msg=m1", "2 mail a 30m msg=m1", "4 mail b 31m"}, want: nil},
	{name: "seen a moment too late", rule: unsent, events: []string{"1 send a 0s msg=m1", "2 mail a 30m0.001s msg=m1"}, want: []string{"a/m1 0s 1: 1"}},
	{name: "a feed that shows nothing later makes nobody guilty", rule: unsent, events: []string{"1 send a 0s msg=m1", "2 in a 31m", "3 mail b 30m"}, want: nil},
	{name: "a feed of another tenant shows nothing", rule: unsent, events: []string{"1 send a 0s msg=m1", "2 mail b 31m tenant=t-2"}, want: nil},
	{name: "a feed that comes back a day later is no proof", rule: unsent, events: []string{"1 send a 0s msg=m1", "2 in a 25h", "3 mail b 26h"}, want: nil},
	{name: "not yet decided at the end", rule: unsent, events: []string{"1 send a 0s msg=m1", "2 mail b 29m"}, want: nil},
	{name: "seen before it was sent does not help without before", rule: unsent, events: []string{"1 send a 10m msg=m1", "2 mail a 9m msg=m1", "3 mail b 41m"}, want: []string{"a/m1 10m0s 1: 1"}},
	{name: "seen before it was sent helps with before", rule: unsent.with(func(r *rule) { r.before = 5 * time.Minute }),
		events: []string{"1 send a 10m msg=m1", "2 mail a 5m msg=m1", "3 send a 10m msg=m2", "4 mail a 4m59s msg=m2", "5 mail b 41m"}, want: []string{"a/m2 10m0s 1: 3"}},
	{name: "exceptions excuse the one and not the other", rule: unsent.with(func(r *rule) { r.unless = []exception{{"2026-02-01", is("account", "a@contoso.example")}} }),
		events: []string{"1 send a 0s msg=m1", "2 send b 0s msg=m1", "3 mail b 31m"}, want: []string{"b/m1 0s 1: 2"}},
	{name: "an event does not explain itself", rule: unsent.with(func(r *rule) { r.without, r.by = is("event.dataset", "ual.exchange_item"), nil }),
		events: []string{"1 send a 0s", "2 send b 0s", "3 send b 1m", "4 mail c 62m"}, want: []string{"a 0s 1: 1", "b 1m0s 1: 3"}},
	{name: "several in a bucket are one alert", rule: unsent.with(func(r *rule) { r.by = nil }), events: []string{"1 send a 0s msg=m1", "2 send a 9m msg=m2", "3 mail b 40m"}, want: []string{"a 0s 2: 1 2"}},
}

var silent = rule{kind: "silence", when: in, longer: time.Minute, history: 7 * day}

// Cells of these are three seconds.
var silences = []example{
	{name: "a source falls silent", rule: silent, events: []string{"1 in a 0s", "2 in a 30s", "3 in b 93s"}, want: []string{"a 1m30s 1: 2"}},
	{name: "the clock has not passed yet", rule: silent, events: []string{"1 in a 0s", "2 in a 30s", "3 in b 92.999s"}, want: nil},
	{name: "a gap of the limit is no silence", rule: silent, events: []string{"1 in a 0s", "2 in a 62s"}, want: nil},
	{name: "a longer gap was a silence", rule: silent, events: []string{"1 in a 2s", "2 in a 1s", "3 in a 63s"}, want: []string{"a 1m0s 1: 2"}},
	{name: "what speaks seldom may be silent for longer", rule: silent.with(func(r *rule) { r.ratio = 20 }), // the gap of 45 s allows one of 90 s, that one of 180 s, and 93 s of 186 s
		events: []string{"1 in a 0s", "2 in a 45s", "3 in a 135s", "4 in a 228s", "5 in b 470s"}, want: []string{"a 6m54s 1: 4"}},
	{name: "a silence is no example to others", rule: silent.with(func(r *rule) { r.ratio = 20 }), // 120 s was a silence
		events: []string{"1 in a 0s", "2 in a 120s", "3 in a 183s"}, want: []string{"a 1m0s 1: 1", "a 3m0s 1: 2"}},
	{name: "gaps that ended before the history are forgotten", rule: silent.with(func(r *rule) { r.ratio, r.history = 20, time.Minute }),
		events: []string{"1 in a 0s", "2 in a 45s", "3 in a 75s", "4 in a 105s", "5 in a 169s", "6 in a 172s"}, want: []string{"a 2m45s 1: 4"}},
	{name: "silent by dataset", rule: silent.with(func(r *rule) { r.by, r.when = []string{"event.dataset"}, nil }),
		events: []string{"1 in a 0s", "2 hide a 0s", "3 in b 58s"}, want: nil},
}

var many = rule{id: "many", kind: "threshold", class: "access", guide: []string{"S1"}, points: 20, when: failed, within: time.Minute, count: 2}

var hides = rule{id: "hides", kind: "match", class: "hiding", guide: []string{"S3", "X"}, points: 40, when: hide}

var correlations = []example{
	{name: "two findings about one account", rule: rule{kind: "correlation", of: []string{"many", "hides"}, within: day, count: 2}, among: []rule{many, hides},
		events: []string{"1 failed a 0s", "2 failed a 1s", "3 hide a 1h", "4 hide b 2h"}, want: []string{"a 1h0m0s 2: 1 2 3"}},
	{name: "of different rules", rule: rule{kind: "correlation", of: []string{"guide:S1", "class:hiding"}, within: day, distinct: "rule", least: 2}, among: []rule{many, hides},
		events: []string{"1 hide a 0s", "2 hide a 1s", "3 failed a 2s", "4 failed a 3s"}, want: []string{"a 3s 3 distinct 2: 1 2 3 4"}},
	{name: "every item of the guide counts", rule: rule{kind: "correlation", of: []string{"hides"}, within: day, distinct: "guide", least: 2}, among: []rule{many, hides},
		events: []string{"1 hide a 0s"}, want: []string{"a 0s 1 distinct 2: 1"}},
	{name: "points sum up", rule: rule{kind: "correlation", of: []string{"many", "hides"}, within: day, sum: "points", least: 60}, among: []rule{many, hides},
		events: []string{"1 hide a 0s", "2 failed a 2s", "3 failed a 3s"}, want: []string{"a 3s 2 sum 60: 1 2 3"}},
	{name: "an alert without the key does not count", rule: rule{kind: "correlation", of: []string{"hides"}, by: []string{"source.ip"}, within: day, count: 1}, among: []rule{hides},
		events: []string{"1 hide a 0s", "2 hide a 1s ip=1"}, want: []string{"203.0.113.1 1s 1: 2"}},
	{name: "a rule in shadow feeds none", rule: rule{kind: "correlation", of: []string{"hides"}, within: day, count: 1}, among: []rule{hides.with(func(r *rule) { r.state = "shadow" })},
		events: []string{"1 hide a 0s"}, want: nil},
	{name: "a rule for other rules alone feeds them", rule: rule{kind: "correlation", of: []string{"hides"}, within: day, count: 1}, among: []rule{hides.with(func(r *rule) { r.state = "building" })},
		events: []string{"1 hide a 0s"}, want: []string{"a 0s 1: 1"}},
	{name: "an alert is as old as its first event", rule: rule{kind: "correlation", of: []string{"many", "hides"}, within: time.Minute, count: 2}, among: []rule{many, hides},
		events: []string{"1 failed a 0s", "2 failed a 1s", "3 failed a 50s", "4 hide a 61s"}, want: nil},
	{name: "an absence is decided late and counts all the same", rule: rule{kind: "correlation", of: []string{"absent", "hides"}, within: day, count: 2},
		among:  []rule{hides, unsent.with(func(r *rule) { r.id = "absent" })},
		events: []string{"1 send a 0s msg=m1", "2 hide a 1m", "3 mail b 31m"}, want: []string{"a 1m0s 2: 1 2"}},
}
