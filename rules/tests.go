package rules

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/list"
	"noroshi/internal/strictyaml"
	"noroshi/rules/sample"
)

// Test is one of a rule's own: records and the alerts that they give, each a subset of the alert's JSON.
type Test struct {
	Name   string
	Start  time.Time // what the times of its events count from
	Events []Event
	Until  time.Time // the clock at the end; zero: the time of the last event
	Arrive Arrive
	Want   []any
	Lists  list.Set // what stands in the place of the configuration's lists of these names
	Line   int

	listed *yaml.Node // where the lists stand
}

// Arrive says in which orders a test's records come beside their own.
type Arrive struct {
	Shuffled bool // in many orders
	Doubled  bool // each twice
}

// Event is an entry of a test's events: a base record, how often it comes and when, and what is other in it.
type Event struct {
	Base   []byte
	Sample string         // the file of the base record, beside the rule or shipped; "" where the record stands in the test
	Whole  bool           // a record that stands in the test; it keeps its own time and id unless these are given
	At     *time.Duration // since the test's start; nil: that of the record before it
	Times  int
	Every  time.Duration
	ID     string
	Line   int
	edits  []edit
	each   int // how many of them, the first ones, have numbers
}

// edit is what is put at a place of a record, or taken away there.
type edit struct {
	path  sample.Path
	value *sample.Node // nil: taken away; {n} in its texts is the number of the repeat
}

// number stands for the number of a repeat.
const number = "{n}"

// Edit makes a record what the entry says of its nth repeat, from 1; it has been tried on the base record.
func (e *Event) Edit(n *sample.Node, nth int) {
	for i, x := range e.edits {
		switch {
		case x.value == nil:
			_ = x.path.Unset(n)
		case i < e.each:
			_ = x.path.Set(n, x.value.Replaced(number, strconv.Itoa(nth)))
		default:
			_ = x.path.Set(n, x.value)
		}
	}
}

// Record is the first record, with the time and the id of its base.
func (e *Event) Record() []byte {
	if len(e.edits) == 0 {
		return e.Base
	}
	n, err := sample.Parse(e.Base)
	if err != nil {
		return e.Base
	}
	e.Edit(n, 1)
	return n.Append(nil)
}

// The bounds of a test.
const (
	maxTimes   = 10_000
	maxRecords = 20_000
)

// testStart is when tests start that do not say.
var testStart = time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)

// draft is a test as it is written.
type draft struct {
	Test
	node  *yaml.Node
	like  *yaml.Node
	has   map[string]*yaml.Node
	until *time.Duration
	done  bool
	open  bool // its like is being followed
}

// tests reads a rule's own tests.
func (l *loader) tests(d *strictyaml.Doc, n *yaml.Node) (all []Test) {
	var some []*draft
	for _, c := range d.Items(n) {
		if t := l.test(d, c); t != nil {
			if i := slices.IndexFunc(some, func(x *draft) bool { return x.Name == t.Name }); i >= 0 && t.Name != "" {
				d.At(c, "tests", fmt.Sprintf("the test in line %d has this name", some[i].Line))
			}
			some = append(some, t)
		}
	}
	for _, t := range some {
		t.follow(d, some)
		t.complete(d)
		all = append(all, t.Test)
	}
	return all
}

func (l *loader) test(d *strictyaml.Doc, c *yaml.Node) *draft {
	t := &draft{node: c, has: map[string]*yaml.Node{}}
	t.Line, t.Start = c.Line, testStart
	keys := map[string]func(*yaml.Node){
		"name":  func(n *yaml.Node) { t.Name = d.Text(n) },
		"start": func(n *yaml.Node) { t.Start = moment(d, n) },
		"like":  func(n *yaml.Node) { t.like = n },
		"until": func(n *yaml.Node) { t.until = span(d, n) },
		"events": func(n *yaml.Node) {
			for _, e := range d.Items(n) {
				t.Events = append(t.Events, l.event(d, e))
			}
		},
		"arrive": func(n *yaml.Node) {
			for _, a := range d.Items(n) {
				switch d.OneOf(a, "tests", "shuffled", "doubled") {
				case "shuffled":
					t.Arrive.Shuffled = true
				case "doubled":
					t.Arrive.Doubled = true
				}
			}
		},
		"lists": func(n *yaml.Node) { t.Lists, t.listed = list.ReadEntries(d, n), n },
		"want":  func(n *yaml.Node) { t.Want = l.expected(d, n) },
	}
	for name, read := range keys {
		keys[name] = func(n *yaml.Node) {
			t.has[name] = n
			read(n)
		}
	}
	d.Fields(c, keys)
	if c.Kind != yaml.MappingNode {
		return nil // it has been said
	}
	return t
}

// follow takes what a test does not say from the one that it is like.
func (t *draft) follow(d *strictyaml.Doc, all []*draft) {
	if t.like == nil || t.done {
		return
	}
	t.done, t.open = true, true
	defer func() { t.open = false }()
	name := d.Text(t.like)
	i := slices.IndexFunc(all, func(x *draft) bool { return x.Name == name })
	switch {
	case name == "":
		return
	case i < 0:
		var names []string
		for _, x := range all {
			names = append(names, x.Name)
		}
		d.At(t.like, "tests", fmt.Sprintf("no test of this rule has the name %q", name)).Suggestion = closest(name, names)
		return
	case all[i].open:
		d.At(t.like, "tests", fmt.Sprintf("the test %q is like itself", t.Name))
		return
	}
	of := all[i]
	of.follow(d, all)
	for key, take := range map[string]func(){
		"start": func() { t.Start = of.Start }, "events": func() { t.Events = of.Events }, "until": func() { t.until = of.until },
		"arrive": func() { t.Arrive = of.Arrive }, "lists": func() { t.Lists = of.Lists }, "want": func() { t.Want = of.Want },
	} {
		if n := of.has[key]; t.has[key] == nil && n != nil {
			take()
			t.has[key] = n
		}
	}
}

// complete tells what a test lacks, and what goes together in it.
func (t *draft) complete(d *strictyaml.Doc) {
	records := 0
	for i := range t.Events {
		records += t.Events[i].Times
	}
	switch {
	case t.Name == "":
		d.At(t.node, "missing", "a test needs the key name")
	case t.like != nil && t.has["events"] == nil: // it has been said why
	case len(t.Events) == 0:
		d.At(t.node, "missing", "a test needs the key events, with a record at least")
	case t.has["want"] == nil:
		d.At(t.node, "missing", "a test needs the key want; [] for silence")
	case records > maxRecords:
		d.At(t.has["events"], "tests", fmt.Sprintf("these are %d records; a test has at most %d", records, maxRecords))
	}
	if t.until != nil {
		t.Until = t.Start.Add(*t.until)
	}
}

// expected are the alerts that a test wants.
func (l *loader) expected(d *strictyaml.Doc, n *yaml.Node) (all []any) {
	if n.Kind != yaml.SequenceNode {
		d.At(n, "type", "expected the alerts as a list, such as [{account: taro@contoso.example}], or [] for silence, got "+strictyaml.Kind(n))
		return nil
	}
	for _, w := range d.Items(n) {
		if w.Kind != yaml.MappingNode {
			d.At(w, "type", "expected members of an alert, such as {account: taro@contoso.example}, got "+strictyaml.Kind(w))
			continue
		}
		members(d, w, cmp.Or(l.wants, alertMembers))
		all = append(all, value(d, w))
	}
	return all
}

// value is what a test wants, as encoding/json would give it.
func value(d *strictyaml.Doc, n *yaml.Node) any {
	dec := json.NewDecoder(bytes.NewReader(nodeOf(d, n).Append(nil)))
	var v any
	if err := dec.Decode(&v); err != nil {
		d.At(n, "tests", "this is no JSON value: "+err.Error())
	}
	return v
}

// The years of times that 64 bits of nanoseconds hold wholly: records of others are not read.
const (
	firstYear = 1678
	lastYear  = 2261
)

// moment is a time, or a day.
func moment(d *strictyaml.Doc, n *yaml.Node) time.Time {
	for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
		if t, err := time.Parse(layout, n.Value); err == nil && n.Kind == yaml.ScalarNode {
			if y := t.UTC().Year(); y < firstYear || y > lastYear {
				d.At(n, "value", fmt.Sprintf("expected a time in the years %d to %d, got %d", firstYear, lastYear, y))
			}
			return t.UTC()
		}
	}
	d.At(n, "value", "expected a time such as 2026-01-02T03:00:00Z, got "+strictyaml.Kind(n))
	return testStart
}

// span is a time since the start, such as +5m, +1d12h or -30s.
func span(d *strictyaml.Doc, n *yaml.Node) *time.Duration {
	if v, ok := duration(n.Value); ok && n.Kind == yaml.ScalarNode {
		return &v
	}
	p := d.At(n, "value", "expected a duration such as +90s, +5m, +2h or +1d, got "+strictyaml.Kind(n))
	if n.Tag == "!!int" {
		p.Message += "; the unit is missing"
	}
	return nil
}

// duration reads days, too; of other units what time.ParseDuration reads.
func duration(text string) (time.Duration, bool) {
	sign := time.Duration(1)
	switch {
	case strings.HasPrefix(text, "-"):
		sign, text = -1, text[1:]
	case strings.HasPrefix(text, "+"):
		text = text[1:]
	}
	var days time.Duration
	if count, rest, ok := strings.Cut(text, "d"); ok {
		n, err := strconv.Atoi(count)
		if err != nil || n < 0 || n > 4000 {
			return 0, false
		}
		if days, text = time.Duration(n)*24*time.Hour, rest; rest == "" {
			return sign * days, true
		}
	}
	rest, err := time.ParseDuration(text)
	if err != nil || rest < 0 || rest > 100_000*time.Hour {
		return 0, false
	}
	return sign * (days + rest), true
}

// recordText is a record as JSON in text.
func recordText(d *strictyaml.Doc, n *yaml.Node) []byte {
	if n.Tag != "!!str" || !strings.HasPrefix(strings.TrimSpace(n.Value), "{") {
		d.At(n, "tests", `an event is a sample with changes, such as {like: signin}, or a record: a mapping, or a JSON object in text`)
		return nil
	}
	var b bytes.Buffer
	var all json.RawMessage
	err := json.Unmarshal([]byte(n.Value), &all) // Compact tells no place
	if err == nil {
		err = json.Compact(&b, all)
	}
	if err == nil {
		return b.Bytes()
	}
	at := 0
	var broken *json.SyntaxError
	if errors.As(err, &broken) { // its offset counts the byte that it stumbles over
		at = utf8.RuneCountInString(n.Value[:min(max(int(broken.Offset)-1, 0), len(n.Value))])
	}
	d.Inside(n, at, "tests", "this is no JSON: "+err.Error())
	return nil
}
