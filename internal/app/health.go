package app

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"noroshi/sinks"
)

// Condition is how a part of an instance is.
type Condition string

// The conditions, from good to bad.
const (
	Well    Condition = "ok"
	Warning Condition = "warning" // it works; somebody should look at it soon
	Failing Condition = "failing" // something is not done, or soon will not be
)

var conditions = []Condition{Well, Warning, Failing}

// Health is how an instance is, part by part.
type Health struct {
	Instance  string    `json:"instance"`
	At        time.Time `json:"at"` // all of it is as of then
	Condition Condition `json:"state"`
	Parts     []Part    `json:"parts"`
}

// Part is how one part of an instance is: the worst of what was found.
type Part struct {
	Name      string    `json:"part"` // kafka, sources, rules, clocks, sinks, disk, dead letters or instance
	Condition Condition `json:"state"`
	Since     time.Time `json:"since,omitzero"` // the first of what was found; zero: it is not known
	Found     []Found   `json:"found,omitempty"`
}

// Found is what is wrong, and what to do.
type Found struct {
	Condition Condition `json:"state"`
	What      string    `json:"what"`
	Do        string    `json:"do"`
	Since     time.Time `json:"since,omitzero"`
}

func (p *Part) add(c Condition, since time.Time, what, do string) {
	p.Found = append(p.Found, Found{c, what, do, since})
	if slices.Index(conditions, c) > slices.Index(conditions, p.Condition) {
		p.Condition = c
	}
	if !since.IsZero() && (p.Since.IsZero() || since.Before(p.Since)) {
		p.Since = since
	}
}

// lettersFresh is for how long a dead letter is something new.
const lettersFresh = time.Hour

// aheadMost is how far clocks may differ.
const aheadMost = time.Minute

// HealthOf tells how an instance is by its last status; nil: it has told none yet.
func HealthOf(s *Status, now time.Time) *Health {
	h := &Health{At: now, Condition: Well}
	of := func(name string, tell func(p *Part)) {
		p := Part{Name: name, Condition: Well}
		tell(&p)
		h.Parts = append(h.Parts, p)
		if slices.Index(conditions, p.Condition) > slices.Index(conditions, h.Condition) {
			h.Condition = p.Condition
		}
	}
	of("instance", func(p *Part) {
		switch {
		case s == nil:
			p.add(Failing, time.Time{}, "it is starting", "wait; if it lasts, the log says what it waits for")
		case s.Stale(now):
			p.add(Failing, s.At, "it has not looked at itself for "+shortly(now.Sub(s.At)), "look into its log; if it says nothing, start it again")
		}
	})
	if s == nil {
		return h
	}
	h.Instance, h.At = s.Instance, s.At
	of("kafka", s.kafkaHealth)
	of("sources", s.sourcesHealth)
	of("rules", s.rulesHealth)
	of("clocks", s.clocksHealth)
	of("sinks", s.sinksHealth)
	of("disk", s.disksHealth)
	of("dead letters", func(p *Part) {
		if s.Letters > 0 && s.At.Sub(s.Letter) < lettersFresh {
			p.add(Warning, s.Letter, fmt.Sprintf("%d dead letters since the start, the last at %s", s.Letters, s.Letter.Format(time.RFC3339)),
				"noroshi dead-letters list says why; replay them when the cause is mended")
		}
	})
	return h
}

func (s *Status) kafkaHealth(p *Part) {
	for _, broker := range s.Unreached {
		p.add(Warning, time.Time{}, "the broker "+broker+" does not answer", "look whether it runs, and at the way there; the log says why")
	}
	if s.Problems > 0 {
		p.add(Failing, time.Time{}, fmt.Sprintf("%d settings of topics may lose records", s.Problems), "the log names each topic and the command that mends it")
	}
	if s.Missed > 0 {
		p.add(Warning, time.Time{}, fmt.Sprintf("up to %d records were deleted before they were read", s.Missed), "alerts of the rule noroshi-log-gap say which; search the tenant's audit log")
	}
	if s.Log != nil && s.Log.Full != "" {
		p.add(Failing, time.Time{}, "the log is full: sources wait for the reader "+s.Log.Full, "mend that reader (of a sink: its destination), or raise kafka.cap_mib and start again")
	}
}

func (s *Status) sourcesHealth(p *Part) {
	for _, one := range s.Sources {
		if one.Fault != "" {
			p.add(Failing, one.Since, "the source "+one.Name+" gives nothing, or not all: "+one.Fault, "the message says what to check; docs/operating.md has a table of troubles")
		}
	}
}

func (s *Status) rulesHealth(p *Part) {
	set := &s.RuleSet
	if set.Fault != "" {
		p.add(Failing, set.Since, "the rules in the files cannot be loaded: "+set.Fault, "mend the file; until then the rules of before are evaluated")
	}
	if len(set.Restart) > 0 {
		p.add(Warning, time.Time{}, "the configuration has changed in "+strings.Join(set.Restart, ", ")+", which is read at the start alone", "start the instance again")
	}
	if len(set.Others) > 0 {
		p.add(Warning, time.Time{}, "other instances have other rules: "+strings.Join(set.Others, ", "), "give all instances the same rules and lists")
	}
	failed := 0
	for _, r := range s.Rules {
		if r.Failed > 0 && r.Failed == r.Evaluated {
			failed++
		}
	}
	if failed > 0 {
		p.add(Warning, time.Time{}, fmt.Sprintf("the conditions of %d rules have failed on every record", failed), "noroshi status names the rules; noroshi explain shows why")
	}
}

func (s *Status) clocksHealth(p *Part) {
	for _, w := range s.Waits {
		p.add(Warning, w.Since, "what is decided late waits for "+w.Source, "see why this source is behind; if it is gone for good: noroshi sources retire "+w.Source)
	}
	if ahead := time.Duration(s.Ahead) * time.Second; ahead > aheadMost {
		p.add(Warning, time.Time{}, "the clock of an instance that reads sources is ahead by "+shortly(ahead), "set the machines by a time server")
	}
	if s.Refused > 0 {
		p.add(Warning, time.Time{}, "there are too many sources, tenants or datasets to wait for each", "nothing is decided late for some of them; run a second noroshi for a part of the tenants")
	}
}

func (s *Status) sinksHealth(p *Part) {
	for _, name := range sortedKeys(s.Sinks) {
		k := s.Sinks[name]
		fault := ""
		if k.Fault != "" {
			fault = ": " + k.Fault
		}
		switch k.State {
		case sinks.Dead:
			p.add(Failing, k.Since, "the destination of the sink "+name+" wants nothing more"+fault, "switch it on there, then start the instance again")
		case sinks.Retrying, sinks.Open:
			p.add(Failing, k.Since, "the sink "+name+" cannot deliver"+fault, "noroshi sinks test "+name+" says what comes back and what to do")
		case sinks.Interrupted:
			p.add(Warning, k.Since, "the sink "+name+" cannot read alerts"+fault, "look at Kafka")
		}
	}
}

func (s *Status) disksHealth(p *Part) {
	for _, d := range s.Disks {
		free := fmt.Sprintf("%d MiB of %d are free where %s lies", d.Free>>20, d.Total>>20, d.Path)
		switch {
		case d.Full():
			p.add(Failing, time.Time{}, free, "make room at once: what cannot be stored is read again later, if the source still has it")
		case d.Filling():
			p.add(Warning, time.Time{}, free, "make room, or lower kafka.cap_mib or the files that a sink keeps")
		}
	}
}

// shortly is a duration for people.
func shortly(d time.Duration) string { return d.Round(time.Second).String() }
