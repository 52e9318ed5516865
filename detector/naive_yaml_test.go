package detector_test

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// source is the condition as an author writes it.
func (c *clause) source() string {
	switch c.op {
	case "and", "or":
		var all []string
		for _, c := range c.of {
			all = append(all, c.source())
		}
		return "(" + strings.Join(all, map[string]string{"and": " && ", "or": " || "}[c.op]) + ")"
	case "not":
		return "!(" + c.of[0].source() + ")"
	case "has":
		return "has(" + c.field + ")"
	case "in":
		return c.field + " in " + flow(c.texts)
	}
	return c.field + " == " + strconv.Quote(c.texts[0])
}

// flow is a list in one line.
func flow(texts []string) string {
	if texts == nil {
		return "[]"
	}
	b, _ := json.Marshal(texts)
	return string(b)
}

// quoted is a condition as a text of YAML.
func quoted(c *clause) string { return "'" + strings.ReplaceAll(c.source(), "'", "''") + "'" }

// written is a span of time in the largest unit that fits.
func written(d time.Duration) string {
	for _, unit := range []struct {
		name string
		of   time.Duration
	}{{"d", day}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}} {
		if d != 0 && d%unit.of == 0 {
			return fmt.Sprint(int64(d/unit.of), unit.name)
		}
	}
	return "0s"
}

// yaml is the rule as an author writes it.
func (r *rule) yaml() string {
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	span := func(name string, d time.Duration) {
		if d != 0 {
			say("%s: %s", name, written(d))
		}
	}
	say("id: %s\ntitle: Rule\nseverity: low\nkind: %s", r.id, r.kind)
	if r.class != "" {
		say("class: %s\npoints: %d\nguide: %s", r.class, r.points, flow(r.guide))
	}
	if r.state != "" {
		say("state: %s", r.state)
	}
	if r.when != nil {
		say("when: %s", quoted(r.when))
	}
	if r.by != nil {
		say("by: %s", flow(r.by))
	}
	if r.shows {
		say("summary: '%s'", r.summary())
	}
	if r.about {
		say("about: account")
	}
	span("within", r.within)
	if r.repeat == each {
		say("repeat: each")
	} else {
		span("repeat", r.repeat)
	}
	if r.count > 0 {
		say("count: %d", r.count)
	}
	least := fmt.Sprintf(", least: %d", r.least)
	if r.kind == "baseline" {
		least = ""
	}
	if r.distinct != "" {
		say("distinct: {of: %s%s}", r.distinct, least)
	}
	if r.sum != "" {
		say("sum: {of: %s%s}", r.sum, least)
	}
	r.own(say, span)
	if len(r.raise) > 0 {
		say("raise:")
	}
	for _, x := range r.raise {
		say("  - {to: %s, when: %s}", x.to, quoted(x.when))
	}
	if len(r.unless) > 0 {
		say("unless:")
	}
	for _, x := range r.unless {
		say("  - {because: It is known, owner: soc, until: %s, when: %s}", x.until, quoted(x.when))
	}
	return b.String()
}

// summary is what the rule says of its alerts: all that it can, with blanks between.
func (r *rule) summary() string {
	names := []string{"account", "source.ip"}
	if r.kind != "match" || r.repeat > 0 {
		names = append(names, "window.count", "window.first", "window.last")
	}
	if r.distinct != "" {
		names = append(names, "window.distinct", "window.values")
	}
	if r.sum != "" {
		names = append(names, "window.sum")
	}
	for _, s := range r.steps {
		for _, field := range shown {
			names = append(names, "steps."+s.id+"."+field)
		}
	}
	return "{{ " + strings.Join(names, " }}/{{ ") + " }}"
}

// shown are the fields that the summaries of sequences show of each step.
var shown = []string{"source.ip", "event.action"}

// own are the keys of single kinds.
func (r *rule) own(say func(string, ...any), span func(string, time.Duration)) {
	if len(r.steps) > 0 {
		say("steps:")
	}
	for _, s := range r.steps {
		line := s.yaml()
		if r.shows {
			line = strings.TrimSuffix(line, "}") + ", show: " + flow(shown) + "}"
		}
		say("  - %s", line)
	}
	if r.without != nil {
		line := "without: {when: " + quoted(r.without)
		if r.after != 0 {
			line += ", after: " + written(r.after)
		}
		if r.before != 0 {
			line += ", before: " + written(r.before)
		}
		if r.withoutBy != nil {
			line += ", by: " + flow(r.withoutBy)
		}
		say("%s}\nneeds: %s", line, flow(r.needs))
	}
	span("longer", r.longer)
	if r.ratio > 0 {
		say("ratio: %s", strconv.FormatFloat(float64(r.ratio)/10, 'f', -1, 64))
	}
	if r.kind != "silence" || r.ratio > 0 {
		span("history", r.history)
	}
	if r.value != nil {
		say("value: %s", flow(r.value))
	}
	if r.among != nil {
		say("among: %s", quoted(r.among))
	}
	if r.only != nil {
		say("only: %s", quoted(r.only))
	}
	if r.changing > 0 {
		say("changing: %d", r.changing)
	}
	if span("learn", r.learn); r.peak && r.learn == 0 {
		say("learn: 0s")
	}
	if r.leastKm > 0 {
		say("least_km: %d\nleast_kmh: %d", r.leastKm, r.leastKmh)
	}
	if r.ignore != nil {
		var lists []string
		for _, address := range r.ignore {
			lists = append(lists, "lists.net"+strings.TrimPrefix(address, "203.0.113."))
		}
		say("ignore: %s", flow(lists))
	}
	span("bucket", r.span)
	if r.peak {
		say("against: peak")
	}
	if r.floor > 0 {
		say("floor: %d", r.floor)
	}
	if r.of != nil {
		say("of: %s", flow(r.of))
	}
}

// String is the case for a person: rules and records.
func (c theCase) String() string {
	var b strings.Builder
	for _, r := range c.rules {
		b.WriteString(r.yaml() + "---\n")
	}
	for _, e := range c.events {
		b.WriteString(string(e.bytes()) + "\n")
	}
	return b.String()
}

func (s *step) yaml() string {
	parts := []string{"id: " + s.id}
	if s.when != nil {
		parts = append(parts, "when: "+quoted(s.when))
	}
	if s.of != nil {
		parts = append(parts, "of: "+flow(s.of))
	}
	if s.count > 1 {
		parts = append(parts, fmt.Sprintf("count: %d", s.count))
	}
	if s.distinct != "" {
		parts = append(parts, fmt.Sprintf("distinct: {of: %s, least: %d}", s.distinct, s.least))
	}
	if s.by != nil {
		parts = append(parts, "by: "+flow(s.by))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}
