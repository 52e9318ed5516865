package detector_test

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// firing is an event for which a rule fires, and what counted for it.
type firing struct {
	key     []string
	bucket  string
	event   *event
	time    time.Time // of the finding, where it is not that of the event
	counted []counted
}

// counted is an event that counted for a finding, in sequences as which step.
type counted struct {
	*event
	step  string
	steps []string // all that it satisfies
}

func counting(events ...*event) (all []counted) {
	for _, e := range events {
		all = append(all, counted{event: e})
	}
	return all
}

// finding is one alert, in its last revision.
type finding struct {
	rule    *rule
	tenant  string
	key     []string
	bucket  string
	time    time.Time
	fires   []*event  // for which the rule fires in the bucket, in order
	first   *event    // of these
	because []counted // what counted for it
	counted []counted // for all events for which the rule fires in the bucket
}

// findings gives one alert for each key and bucket in which a rule fires.
func findings(r *rule, fired []firing) (all []*finding) {
	groups := map[string][]firing{}
	for _, f := range fired {
		name := strings.Join(append([]string{f.event.tenant(), f.bucket}, f.key...), "\x00")
		groups[name] = append(groups[name], f)
	}
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		group := groups[name]
		slices.SortFunc(group, func(a, b firing) int { return order(a.event, b.event) })
		f := group[0]
		one := &finding{rule: r, tenant: f.event.tenant(), key: f.key, bucket: f.bucket, time: f.event.at, first: f.event}
		if !f.time.IsZero() {
			one.time = f.time
		}
		one.because, one.counted = f.counted, union(group)
		for _, f := range group {
			one.fires = append(one.fires, f.event)
		}
		for i, c := range one.counted { // an event for which the rule fires in the bucket is told as the last step
			if len(r.steps) > 0 && slices.Contains(one.fires, c.event) {
				one.counted[i].step = r.steps[len(r.steps)-1].id
			}
		}
		all = append(all, one)
	}
	slices.SortStableFunc(all, func(a, b *finding) int { return a.time.Compare(b.time) })
	return all
}

// union is what counted for any of the firings, each event once, in order.
func union(group []firing) (all []counted) {
	seen := map[*event]bool{}
	for _, f := range group {
		for _, c := range f.counted {
			if !seen[c.event] {
				seen[c.event] = true
				all = append(all, c)
			}
		}
	}
	slices.SortFunc(all, func(a, b counted) int { return order(a.event, b.event) })
	return all
}

// account is whom the alert is about.
func (f *finding) account() string {
	for i, name := range f.rule.fields() {
		if name == "account" {
			return f.key[i]
		}
	}
	if f.rule.about {
		return f.first.text("account")
	}
	return ""
}

// severities are from the mildest to the gravest.
var severities = []string{"info", "low", "medium", "high", "critical"}

// severity is the rule's, or the highest to which an event raises it for which the rule fires.
func (f *finding) severity() string {
	highest := slices.Index(severities, "low")
	for _, e := range f.fires {
		for _, x := range f.rule.raise {
			if x.when.holds(e) {
				highest = max(highest, slices.Index(severities, x.to))
			}
		}
	}
	return severities[highest]
}

// summary is what the rule's summary makes of the alert.
func (f *finding) summary() string {
	if !f.rule.shows {
		return "Rule: " + f.first.text("account")
	}
	events := f.events()
	texts := map[string]string{"window.count": strconv.Itoa(len(events)), "window.sum": strconv.Itoa(total(events, f.rule.sum)),
		"window.first": events[0].at.UTC().Format(time.RFC3339), "window.last": events[len(events)-1].at.UTC().Format(time.RFC3339)}
	different := values(events, f.rule.distinct)
	texts["window.distinct"], texts["window.values"] = strconv.Itoa(len(different)), strings.Join(different[:min(len(different), 10)], ", ")
	for _, s := range f.rule.steps {
		for _, c := range f.because { // the last one stays
			if slices.Contains(c.steps, s.id) {
				for _, field := range shown {
					texts["steps."+s.id+"."+field] = c.text(field)
				}
			}
		}
	}
	summary := f.rule.summary()
	for name, text := range texts {
		summary = strings.ReplaceAll(summary, "{{ "+name+" }}", text)
	}
	return strings.NewReplacer("{{ account }}", f.first.text("account"), "{{ source.ip }}", f.first.text("source.ip")).Replace(summary)
}

// accounts are those of the events that counted.
func (f *finding) accounts() (all []string) {
	for _, c := range f.counted {
		if a := c.text("account"); a != "" {
			all = append(all, a)
		}
	}
	return distinct(all)
}

// events are those that counted.
func (f *finding) events() (all []*event) {
	for _, c := range f.counted {
		all = append(all, c.event)
	}
	return all
}

// entry is an event among the evidence.
type entry struct {
	at               time.Time
	id, action, step string
}

// evidence are the events that counted, in order; the first and last 25 of more than 50. Of alerts it is their own.
func (f *finding) evidence() (all []entry) {
	for _, c := range f.counted {
		if c.finding == nil {
			all = append(all, entry{c.at, c.named(), c.action(), c.step})
			continue
		}
		for _, e := range c.finding.evidence() {
			if c.step != "" || f.rule.kind == "sequence" {
				e.step = c.step
			}
			all = append(all, e)
		}
	}
	if f.rule.kind == "correlation" || len(f.linked()) > 0 {
		all = distinctEntries(all)
	}
	if len(all) > 50 {
		all = append(all[:25:25], all[len(all)-25:]...)
	}
	return all
}

func distinctEntries(all []entry) (once []entry) {
	for _, e := range all {
		if !slices.Contains(once, e) {
			once = append(once, e)
		}
	}
	return once
}

// linked are the alerts that counted, the first 50.
func (f *finding) linked() (all []string) {
	for _, c := range f.counted {
		if c.finding != nil && len(all) < 50 {
			all = append(all, c.id)
		}
	}
	slices.Sort(all)
	return all
}

// values are the different values of a field among events; absent and empty ones are none.
func values(events []*event, field string) (all []string) {
	for _, e := range events {
		for _, text := range e.fields[field] {
			if text != "" {
				all = append(all, text)
			}
		}
	}
	return distinct(all)
}

// total is the sum of a field over events: what is absent or negative counts as nothing.
func total(events []*event, field string) (sum int) {
	for _, e := range events {
		n, _ := strconv.Atoi(e.text(field))
		sum += max(n, 0)
	}
	return sum
}

// asAlert is the alert as an event that other rules look at. Its id is given by whoever knows it.
func (f *finding) asAlert(id string) *event {
	e := &event{at: f.time, finding: f, id: id, fields: fields{"organization.id": {f.tenant}}}
	e.fields["rule"], e.fields["guide"], e.fields["points"] = []string{f.rule.id}, f.rule.guide, []string{strconv.Itoa(f.rule.points)}
	for _, name := range []string{"source.ip", "session.id", "app.id", "user.name", "user.target.name"} {
		if text := f.first.text(name); text != "" {
			e.fields[name] = []string{text}
		}
	}
	if account := f.account(); account != "" {
		e.fields["account"] = []string{account}
	}
	return e
}

const clock = "2006-01-02T15:04:05.999999999"

// String is all that the alert must say but for its id, to be compared with what the engine says.
func (f *finding) String() string {
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	say("rule %s %s tenant %q key %q account %q", f.rule.id, f.rule.state, f.tenant, f.key, f.account())
	say("time %s actor %q", f.time.UTC().Format(clock), f.first.text("user.name"))
	say("severity %s summary %q", f.severity(), f.summary())
	say("target %q address %q", f.first.text("user.target.name"), f.first.text("source.ip"))
	events := f.events()
	say("window %s to %s count %d", events[0].at.UTC().Format(clock), events[len(events)-1].at.UTC().Format(clock), len(events))
	switch {
	case f.rule.distinct != "":
		say("distinct %d", len(values(events, f.rule.distinct)))
	case f.rule.sum != "":
		say("sum %d", total(events, f.rule.sum))
	}
	for _, e := range f.evidence() {
		say("  %s %q %q %s", e.at.UTC().Format(clock), e.id, e.action, e.step)
	}
	say("accounts %q", f.accounts())
	if f.rule.kind == "correlation" || len(f.linked()) > 0 {
		say("linked %q", f.linked())
	}
	return b.String()
}

// world is the set of events that rules are evaluated over, and what their findings are called.
type world struct {
	events []*event // in order, each once
	clock  time.Time
	found  map[string][]*finding
	names  func(*finding) string
	// Counted where the clock or a dataset stands in the way of a late decision.
	waiting, undecided int
}

// newWorld sorts the events, and leaves out those that repeat another one.
func newWorld(events []*event) *world {
	w := &world{found: map[string][]*finding{}, names: func(f *finding) string {
		return strings.Join(append([]string{f.rule.id, f.bucket}, f.key...), " ")
	}}
	seen := map[string]bool{}
	for _, e := range events {
		if !seen[e.identity()] {
			seen[e.identity()] = true
			w.events = append(w.events, e)
		}
	}
	slices.SortFunc(w.events, order)
	if n := len(w.events); n > 0 {
		w.clock = w.events[n-1].at
	}
	return w
}

// alerts are those of the rules that a rule names, as events in order.
func (w *world) alerts(of []string, among []*rule) (all []*event) {
	for _, r := range among {
		if r.state == "shadow" || !slices.ContainsFunc(of, func(name string) bool { return r.answers(name) }) {
			continue
		}
		for _, f := range w.found[r.id] {
			all = append(all, f.asAlert(w.names(f)))
		}
	}
	slices.SortFunc(all, order)
	return all
}

// answers reports whether a name of `of` takes in the rule: its id; its class or an item of the guide where it looks at no alerts.
func (r *rule) answers(name string) bool {
	plain := r.of == nil && !slices.ContainsFunc(r.steps, func(s step) bool { return s.of != nil })
	what, _, _ := strings.Cut(name, ":")
	switch what {
	case "class":
		return plain && name == "class:"+r.class
	case "guide":
		return plain && slices.ContainsFunc(r.guide, func(g string) bool { return name == "guide:"+g })
	}
	return name == r.id
}

// evaluate gives what a rule finds. Rules whose alerts it looks at have been evaluated before.
func (w *world) evaluate(r *rule, among []*rule) []*finding {
	var fired []firing
	switch r.kind {
	case "match":
		fired = match(r, w.events)
	case "threshold":
		fired = threshold(r, r.keys(r.when, w.events))
	case "sequence":
		fired = sequence(r, w, among)
	case "absence":
		fired = absence(r, w)
	case "silence":
		fired = silence(r, w)
	case "first_seen":
		fired = firstSeen(r, w.events)
	case "travel":
		fired = travel(r, w.events)
	case "baseline":
		fired = baseline(r, w.events)
	case "correlation":
		fired = correlation(r, w.alerts(r.of, among))
	default:
		panic("no kind " + r.kind)
	}
	w.found[r.id] = findings(r, fired)
	return w.found[r.id]
}
