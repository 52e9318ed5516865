package detector_test

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The oracle of the kinds says which alerts a rule must give for a set of events, straight from the definitions: over sets,
// with loops in loops, without streams, and with none of the engine's code. This file has the words that all kinds share.

// fields are an event's values by the name of the field. A field that is absent is not in it; a list has a text for each element.
type fields map[string][]string

// event is one event; where rules look at alerts, it stands for one.
type event struct {
	at      time.Time
	fields  fields
	place   place // of the address
	act     *act
	finding *finding
	id      string // the alert's; other events have theirs in a field
}

// text is a field's text, "" where it is absent.
func (e *event) text(name string) string {
	if all := e.fields[name]; len(all) > 0 {
		return all[0]
	}
	return ""
}

// order compares two events by time, id, action and outcome.
func order(a, b *event) int {
	return cmp.Or(a.at.Compare(b.at),
		cmp.Compare(a.named(), b.named()), cmp.Compare(a.action(), b.action()), cmp.Compare(a.outcome(), b.outcome()))
}

// named is the id of an event, or of the alert that it stands for.
func (e *event) named() string {
	if e.finding != nil {
		return e.id
	}
	return e.text("event.id")
}

func (e *event) tenant() string { return e.text("organization.id") }

func (e *event) action() string { return e.text("event.action") }

// outcome is what an event is known by beside others: of sign-ins alone.
func (e *event) outcome() string {
	if e.text("event.dataset") == "entra.signin" {
		return e.text("event.outcome")
	}
	return ""
}

// identity is what an event is known by: two records that share it are one event.
func (e *event) identity() string {
	return strings.Join([]string{e.tenant(), e.at.Format(time.RFC3339Nano), e.named(), e.action(), e.outcome()}, "\x00")
}

// clause is a condition: an operation over a field and texts, or over other clauses.
type clause struct {
	op    string // and, or, not, ==, in, has
	field string
	texts []string
	of    []*clause
}

func is(field, text string) *clause { return &clause{op: "==", field: field, texts: []string{text}} }

func oneOf(field string, texts ...string) *clause {
	return &clause{op: "in", field: field, texts: texts}
}
func and(of ...*clause) *clause { return &clause{op: "and", of: of} }
func or(of ...*clause) *clause  { return &clause{op: "or", of: of} }
func not(of *clause) *clause    { return &clause{op: "not", of: []*clause{of}} }

// holds reports whether an event satisfies the condition. No condition at all is satisfied by every event.
func (c *clause) holds(e *event) bool {
	switch {
	case c == nil:
		return true
	case c.op == "and":
		return !slices.ContainsFunc(c.of, func(c *clause) bool { return !c.holds(e) })
	case c.op == "or":
		return slices.ContainsFunc(c.of, func(c *clause) bool { return c.holds(e) })
	case c.op == "not":
		return !c.of[0].holds(e)
	case c.op == "has":
		return len(e.fields[c.field]) > 0
	}
	return slices.Contains(c.texts, e.text(c.field))
}

// exception is a case in which a rule is silent, up to the end of a day.
type exception struct {
	until string // a day, the last on which it holds
	when  *clause
}

// excused reports whether an exception of the rule holds for an event.
func (r *rule) excused(e *event) bool {
	return slices.ContainsFunc(r.unless, func(x exception) bool {
		return x.when.holds(e) && e.at.UTC().Format(time.DateOnly) <= x.until
	})
}

// relevant reports whether an event counts for a condition of the rule.
func (r *rule) relevant(c *clause, e *event) bool { return c.holds(e) && !r.excused(e) }

// keyed is an event under one of its keys.
type keyed struct {
	*event
	key []string
}

// same reports whether two events stand under the same key of the same tenant.
func (k keyed) same(o keyed) bool {
	return k.tenant() == o.tenant() && slices.Equal(k.key, o.key)
}

// under gives the events that satisfy a condition, each under each of its keys. An event without one of the fields has no key.
func under(events []*event, by []string, holds func(*event) bool) (all []keyed) {
	for _, e := range events {
		if holds(e) {
			for _, key := range keysOf(e, by) {
				all = append(all, keyed{e, key})
			}
		}
	}
	return all
}

// keysOf are the keys of an event: one, of a list one for each element that is not equal to another.
func keysOf(e *event, by []string) [][]string {
	all := [][]string{nil}
	for _, field := range by {
		var longer [][]string
		for _, key := range all {
			for _, text := range distinct(e.fields[field]) {
				longer = append(longer, append(slices.Clone(key), text))
			}
		}
		all = longer
	}
	return all
}

// distinct are the texts without repeats.
func distinct(texts []string) []string {
	texts = slices.Clone(texts)
	slices.Sort(texts)
	return slices.Compact(texts)
}

// window are the events of the same key from after its beginning up to an end.
func window(in []keyed, e keyed, within time.Duration, end time.Time) (all []*event) {
	for _, x := range in {
		if x.same(e) && x.at.After(e.at.Add(-within)) && !x.at.After(end) {
			all = append(all, x.event)
		}
	}
	return all
}

const (
	day  = 24 * time.Hour
	each = time.Duration(-1) // a bucket for every event for which the rule fires
)

// bucket is the bucket of an event, as a text that tells it from the others.
func (r *rule) bucket(e *event) string {
	repeat := r.repeat
	if repeat == 0 {
		repeat = min(max(r.within, r.after, r.before, time.Hour), day)
		if r.kind == "travel" {
			repeat = day
		}
	}
	if repeat == each || r.kind == "match" && r.repeat == 0 {
		return e.identity()
	}
	return number(e.at, repeat)
}

// number is the number of the span of time in which a time lies, counted from 1970.
func number(at time.Time, span time.Duration) string {
	return strconv.FormatInt(at.UnixNano()/int64(span), 10)
}

// rule is what an author writes. The kinds use what they need of it.
type rule struct {
	id, kind, class string
	state           string // "": live; shadow, building
	guide           []string
	points          int
	when            *clause
	unless          []exception
	raise           []raise
	by              []string // nil: account
	about           bool     // an alert names the account of its event
	shows           bool     // its summary shows all that it can, see finding.summary
	within, repeat  time.Duration

	count     int
	distinct  string
	sum       string
	least     int
	steps     []step
	without   *clause
	withoutBy []string
	after     time.Duration
	before    time.Duration
	needs     []string

	longer   time.Duration
	ratio    int // in tenths; 0: none
	history  time.Duration
	value    []string
	among    *clause
	only     *clause
	changing int
	learn    time.Duration

	leastKm, leastKmh int
	ignore            []string // addresses

	span  time.Duration // of a baseline's buckets
	floor int
	peak  bool // a baseline is compared with the peak
	of    []string
}

// raise makes an alert graver for some events.
type raise struct {
	to   string
	when *clause
}

// step is a part of a sequence.
type step struct {
	id       string
	when     *clause
	of       []string // rules, instead of when
	count    int
	distinct string // of the first alone
	least    int
	by       []string // nil: the rule's
}

// fields are those of the rule's key.
func (r *rule) fields() []string {
	if r.by == nil {
		return []string{"account"}
	}
	return r.by
}

// keys are the rule's relevant events for a condition, under their keys.
func (r *rule) keys(c *clause, events []*event) []keyed {
	return under(events, r.fields(), func(e *event) bool { return r.relevant(c, e) })
}
