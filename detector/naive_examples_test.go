package detector_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// An example is a rule, events and the alerts that the rule must give for them, all in short lines.
//
// An event: id, act, account and time since the start, and fields: "1 failed a 20s ip=1". A hyphen is an absent account.
// An alert: key, time since the start, what was counted, and the events: "a 20s 3: 1 2 3", in sequences each with its step.
type example struct {
	name   string
	rule   rule
	among  []rule // that the rule looks at
	events []string
	want   []string
}

// noon is when the events of examples begin.
var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// short names of fields, and what stands before their texts.
var short = map[string][2]string{"ip": {"source.ip", "203.0.113."}, "session": {"session.id"}, "app": {"app.id"}, "to": {"inbox_rule.sends_to"}, "items": {"mailbox.items"}, "msg": {"email.message_id"},
	"tenant": {"organization.id"}, "file": {"file.name"}}

// read makes an event of its line.
func read(t *testing.T, line string) *event {
	t.Helper()
	words := strings.Fields(line)
	if len(words) < 4 || acts[words[1]] == nil {
		t.Fatalf("not an event: %q", line)
	}
	since, err := time.ParseDuration(words[3])
	if err != nil {
		t.Fatal(err)
	}
	set := fields{"event.id": {words[0]}, "account": {words[2] + "@contoso.example"}}
	if words[2] == "-" {
		set["account"] = nil
	}
	where := place{}
	for _, w := range words[4:] {
		name, text, _ := strings.Cut(w, "=")
		if name == "place" {
			where = named[text]
			continue
		}
		field := short[name]
		for _, one := range strings.Split(text, ",") {
			set[field[0]] = append(set[field[0]], field[1]+one)
		}
	}
	if set["organization.id"] == nil {
		set["organization.id"] = []string{"t-1"}
	}
	return newEvent(words[1], noon.Add(since), set).from(where)
}

// named are places by a short name.
var named = map[string]place{"amsterdam": places[0], "schiphol": places[1], "tokyo": places[2], "berlin": places[3], "nowhere": places[4], "brazil": places[5],
	"utrecht": {"NL", "Utrecht", "Utrecht", 52.09, 5.12, true}}

// line is an alert as an example has it.
func (f *finding) line() string {
	var key, events []string
	for _, k := range f.key {
		key = append(key, strings.TrimSuffix(k, "@contoso.example"))
	}
	for _, e := range f.evidence() {
		id, _, _ := strings.Cut(e.id, "/")
		if e.step != "" {
			id += ":" + e.step
		}
		events = append(events, id)
	}
	count := fmt.Sprint(len(f.counted))
	switch {
	case f.rule.distinct != "":
		count += " distinct " + fmt.Sprint(len(values(f.events(), f.rule.distinct)))
	case f.rule.sum != "":
		count += " sum " + fmt.Sprint(total(f.events(), f.rule.sum))
	}
	return strings.TrimSpace(fmt.Sprintf("%s %s %s: %s", strings.Join(key, "/"), f.time.Sub(noon), count, strings.Join(events, " ")))
}

// theCase is the example as the engine is tried on it.
func (x *example) theCase(t *testing.T) (c theCase) {
	for i := range x.among {
		r := x.among[i]
		c.rules = append(c.rules, &r)
	}
	r := x.rule
	r.id = "example"
	c.rules = append(c.rules, &r)
	for _, line := range x.events {
		c.events = append(c.events, read(t, line))
	}
	return c
}

// examples are those of all kinds.
func examples() (all []example) {
	for _, some := range [][]example{matches, thresholds, sequences, absences, silences, firsts, travels, baselines, correlations} {
		all = append(all, some...)
	}
	return all
}

// TestExamples: the oracle finds what a reader of the definitions finds.
func TestExamples(t *testing.T) {
	seen := map[string]bool{}
	for _, x := range examples() {
		if seen[x.name] {
			t.Errorf("two examples are called %s", x.name)
		}
		seen[x.name] = true
		t.Run(x.name, func(t *testing.T) {
			c := x.theCase(t)
			w := newWorld(c.events)
			c.evaluate(w)
			var got []string
			for _, f := range w.found["example"] {
				got = append(got, f.line())
			}
			if d := cmp.Diff(got, x.want); d != "" {
				t.Errorf("got, want:\n%s\n%s", d, c)
			}
		})
	}
}

var (
	failed = is("auth.result", "wrong_credential")
	in     = is("auth.result", "success")
	hide   = is("inbox_rule.op", "create")
	delet  = is("event.action", "HardDelete")
)

var matches = []example{
	{name: "every event is an alert", rule: rule{kind: "match", when: in},
		events: []string{"1 in a 0s", "2 in a 1s", "3 failed a 2s"}, want: []string{"a 0s 1: 1", "a 1s 1: 2"}},
	{name: "one alert an hour, of the clock's hours", rule: rule{kind: "match", when: in, repeat: time.Hour},
		events: []string{"1 in a 59m", "2 in a 59m59s", "3 in a 60m", "4 in b 59m"}, want: []string{"a 59m0s 2: 1 2", "b 59m0s 1: 4", "a 1h0m0s 1: 3"}},
	{name: "events of one time are both in their bucket", rule: rule{kind: "match", when: in, repeat: time.Minute}, events: []string{"1 in a 0s", "2 in a 0s"}, want: []string{"a 0s 2: 1 2"}},
	{name: "a field that is absent is empty text in match alone", rule: rule{kind: "match", when: in, by: []string{"account", "source.ip"}, repeat: time.Hour},
		events: []string{"1 in a 0s", "2 in a 1s ip=1", "3 in a 2s"}, want: []string{"a/ 0s 2: 1 3", "a/203.0.113.1 1s 1: 2"}},
	{name: "an event counts once under each element of a list", rule: rule{kind: "match", when: hide, by: []string{"inbox_rule.sends_to"}},
		events: []string{"1 hide a 0s to=x,y,x"}, want: []string{"x 0s 1: 1", "y 0s 1: 1"}},
	{name: "an exception holds on its last day and no longer", rule: rule{kind: "match", when: in, unless: []exception{{"2026-01-02", is("app.id", "known")}}},
		events: []string{"1 in a 0s app=known", "2 in a 11h59m59s app=known", "3 in a 12h app=known", "4 in a 1s"}, want: []string{"a 1s 1: 4", "a 12h0m0s 1: 3"}},
	{name: "an event that comes again is no second one", rule: rule{kind: "match", when: in}, events: []string{"1 in a 0s", "1 in a 0s",
		"1 in a 1s", "1 failed a 0s"}, want: []string{"a 0s 1: 1", "a 1s 1: 1"}},
	{name: "tenants are apart", rule: rule{kind: "match", when: in, by: []string{}, repeat: time.Hour}, events: []string{"1 in a 0s", "2 in a 1s tenant=t-2", "3 in a 2s"}, want: []string{"0s 2: 1 3", "1s 1: 2"}},
}

var thresholds = []example{
	{name: "the third within a minute", rule: rule{kind: "threshold", when: failed, within: time.Minute, count: 3},
		events: []string{"1 failed a 0s", "2 failed a 20s", "3 in a 30s", "4 failed a 40s"}, want: []string{"a 40s 3: 1 2 4"}},
	{name: "an event as old as the window is outside", rule: rule{kind: "threshold", when: failed, within: time.Minute, count: 3},
		events: []string{"1 failed a 0s", "2 failed a 20s", "3 failed a 60s"}, want: nil},
	{name: "a millisecond less is inside", rule: rule{kind: "threshold", when: failed, within: time.Minute, count: 3},
		events: []string{"1 failed a 1ms", "2 failed a 20s", "3 failed a 60s"}, want: []string{"a 1m0s 3: 1 2 3"}},
	{name: "what counted is the union of the windows of a bucket", rule: rule{kind: "threshold", when: failed, within: time.Minute, count: 3},
		events: []string{"1 failed a 0s", "2 failed a 20s", "3 failed a 40s", "4 failed a 70s", "5 failed a 200s"}, want: []string{"a 40s 4: 1 2 3 4"}},
	{name: "on both sides of a bucket's end are two alerts", rule: rule{kind: "threshold", when: failed, within: time.Minute, count: 2, repeat: time.Minute},
		events: []string{"1 failed a 40s", "2 failed a 50s", "3 failed a 65s"}, want: []string{"a 50s 2: 1 2", "a 1m5s 3: 1 2 3"}},
	{name: "every firing event may be an alert", rule: rule{kind: "threshold", when: failed, within: time.Minute, count: 2, repeat: each},
		events: []string{"1 failed a 0s", "2 failed a 50s", "3 failed a 59s"}, want: []string{"a 50s 2: 1 2", "a 59s 3: 1 2 3"}},
	{name: "events of one time are in each other's window", rule: rule{kind: "threshold", when: failed, within: time.Minute, count: 2, repeat: each},
		events: []string{"2 failed a 0s", "1 failed a 0s"}, want: []string{"a 0s 2: 1 2", "a 0s 2: 1 2"}},
	{name: "different values, absent and empty ones aside", rule: rule{kind: "threshold", when: failed, within: time.Minute, distinct: "session.id", least: 2},
		events: []string{"1 failed a 0s session=x", "2 failed a 1s session=", "3 failed a 2s", "4 failed a 3s session=x", "5 failed a 4s session=y"}, want: []string{"a 4s 5 distinct 2: 1 2 3 4 5"}},
	{name: "each element of a list is a value", rule: rule{kind: "threshold", when: hide, within: time.Minute, distinct: "inbox_rule.sends_to", least: 3},
		events: []string{"1 hide a 0s to=x,y", "2 hide a 1s to=x,z"}, want: []string{"a 1s 2 distinct 3: 1 2"}},
	{name: "a sum, in which what is absent is nothing", rule: rule{kind: "threshold", when: delet, within: time.Minute, sum: "mailbox.items", least: 5},
		events: []string{"1 delete a 0s items=2", "2 delete a 1s", "3 delete a 2s items=3"}, want: []string{"a 2s 3 sum 5: 1 2 3"}},
	{name: "an event without a key does not count", rule: rule{kind: "threshold", when: failed, by: []string{"source.ip"}, within: time.Minute, count: 2},
		events: []string{"1 failed a 0s", "2 failed a 1s", "3 failed b 2s ip=1", "4 failed c 3s ip=1"}, want: []string{"203.0.113.1 3s 2: 3 4"}},
	{name: "an excused event does not count", rule: rule{kind: "threshold", when: failed, within: time.Minute, count: 2, unless: []exception{{"2026-02-01", is("app.id", "known")}}},
		events: []string{"1 failed a 0s", "2 failed a 1s app=known"}, want: nil},
}

var guessed = []step{{id: "guess", when: failed, count: 2}, {id: "in", when: in}}

var sequences = []example{
	{name: "guesses, then in", rule: rule{kind: "sequence", within: time.Hour, steps: guessed},
		events: []string{"1 failed a 0s", "2 failed a 20s", "3 in a 5m"}, want: []string{"a 5m0s 3: 1:guess 2:guess 3:in"}},
	{name: "in, then guesses", rule: rule{kind: "sequence", within: time.Hour, steps: guessed},
		events: []string{"1 in a 0s", "2 failed a 20s", "3 failed a 5m"}, want: nil},
	{name: "within a second the order does not matter", rule: rule{kind: "sequence", within: time.Hour, steps: guessed},
		events: []string{"1 failed a 0s", "2 failed a 900ms", "3 in a 100ms"}, want: []string{"a 100ms 3: 1:guess 3:in 2:guess"}},
	{name: "a second later is too late", rule: rule{kind: "sequence", within: time.Hour, steps: guessed},
		events: []string{"1 failed a 0s", "2 failed a 1s", "3 in a 999ms"}, want: nil},
	{name: "what satisfies a step counts, whatever place it fills", rule: rule{kind: "sequence", within: time.Hour, steps: guessed},
		events: []string{"1 in a 0s", "2 failed a 1s", "3 failed a 2s", "4 failed a 3s", "5 in a 4s"}, want: []string{"a 4s 5: 1:in 2:guess 3:guess 4:guess 5:in"}},
	{name: "one event fills one place", rule: rule{kind: "sequence", within: time.Hour, steps: []step{{id: "x", when: in}, {id: "y", when: in}}},
		events: []string{"1 in a 0s", "2 in b 0s", "3 in b 1s"}, want: []string{"b 1s 2: 2:x 3:y"}},
	{name: "an event that satisfies two steps is told as the first, one that fires as the last", rule: rule{kind: "sequence", within: time.Hour, steps: []step{{id: "x", when: in}, {id: "y", when: in}, {id: "z", when: in}}},
		events: []string{"1 in a 0s", "2 in a 1s", "3 in a 2s", "4 in a 3s"}, want: []string{"a 2s 4: 1:x 2:x 3:z 4:z"}},
	{name: "the first step counts different values", rule: rule{kind: "sequence", within: time.Hour, steps: []step{{id: "x", when: failed, distinct: "source.ip", least: 2}, {id: "y", when: in}}},
		events: []string{"1 failed a 0s ip=1", "2 failed a 1s ip=1", "3 in a 2s", "4 failed a 3s ip=2", "5 in a 4s"}, want: []string{"a 4s 5: 1:x 2:x 3:y 4:x 5:y"}},
	{name: "different values, and nothing between them and the end", rule: rule{kind: "sequence", within: time.Hour, steps: []step{{id: "x", when: failed, distinct: "source.ip", least: 2}, {id: "y", when: in}}},
		events: []string{"1 failed a 0s ip=1", "2 failed a 1s ip=2", "3 in a 2s"}, want: []string{"a 2s 3: 1:x 2:x 3:y"}},
	{name: "a window holds until the second of its event is over", rule: rule{kind: "sequence", within: 2 * time.Second, repeat: each, steps: guessed},
		events: []string{"1 failed a 250ms", "2 in a 2s", "3 failed a 2.65s"}, want: []string{"a 2s 3: 1:guess 2:in 3:guess"}},
	{name: "what a first step with different values takes fills no other", rule: rule{kind: "sequence", within: time.Hour,
		steps: []step{{id: "x", when: is("event.dataset", "entra.signin"), distinct: "source.ip", least: 2}, {id: "y", when: in}}},
		events: []string{"1 failed a 0s ip=1", "2 failed a 1s ip=2", "3 in a 2s"}, want: nil},
	{name: "a key by another name", rule: rule{kind: "sequence", within: time.Hour, by: []string{"user.target.name"}, steps: []step{{id: "x", when: in, by: []string{"account"}}, {id: "y", when: hide}}},
		events: []string{"1 in a 0s", "2 hide a 1s", "3 hide b 2s"}, want: []string{"a 1s 2: 1:x 2:y"}},
	{name: "the last step counts, too", rule: rule{kind: "sequence", within: time.Hour, steps: []step{{id: "x", when: in}, {id: "y", when: hide, count: 2}}},
		events: []string{"1 hide a 0s", "2 in a 1s", "3 hide a 2s", "4 hide a 3s"}, want: []string{"a 3s 4: 1:y 2:x 3:y 4:y"}},
	{name: "the window begins exactly", rule: rule{kind: "sequence", within: time.Minute, steps: []step{{id: "x", when: in}, {id: "y", when: hide}}},
		events: []string{"1 in a 0s", "2 hide a 60s", "3 in b 1ms", "4 hide b 60s"}, want: []string{"b 1m0s 2: 3:x 4:y"}},
	{name: "a step is an alert", rule: rule{kind: "sequence", within: time.Hour, steps: []step{{id: "x", of: []string{"many"}}, {id: "y", when: hide}}},
		among:  []rule{{id: "many", kind: "threshold", when: failed, within: time.Minute, count: 2}},
		events: []string{"1 failed a 0s", "2 failed a 1s", "3 hide a 2s"}, want: []string{"a 2s 2: 1:x 2:x 3:y"}},
	{name: "an alert and its own event fill one place", rule: rule{kind: "sequence", within: time.Hour, steps: []step{{id: "x", of: []string{"any"}}, {id: "y", when: hide}}},
		among:  []rule{{id: "any", kind: "match", when: hide}},
		events: []string{"1 hide a 0s", "2 hide b 0s", "3 hide b 1s"}, want: []string{"b 1s 4: 2:y 2:x 3:y 3:x"}},
}
