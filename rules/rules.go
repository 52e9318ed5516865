// Package rules reads rule files into programs.
package rules

import (
	"slices"
	"strings"
	"sync"
	"time"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/alert"
	"noroshi/internal/cond"
	"noroshi/internal/event"
	"noroshi/internal/incident"
	"noroshi/internal/list"
	"noroshi/rules/kind"
)

// State says whether a rule takes part.
type State string

// The states of a rule.
const (
	Live     State = "live"
	Shadow   State = "shadow"   // its alerts are counted and shown by replay, and not delivered
	Building State = "building" // its alerts are for other rules alone
	Off      State = "off"
)

var states = []string{string(Live), string(Shadow), string(Building), string(Off)}

// Rule is one rule, compiled.
type Rule struct {
	ID       string
	Title    string
	Guide    []string // items of the guide that it answers
	Severity string
	Class    string
	Points   int
	Attack   []string
	Kind     *kind.Rule // how it fires
	Unless   []Exception
	Raise    []Raise
	Summary  *cond.Template // nil: the title and the account
	Facts    []event.Slot   // what alerts show beside the fields that the conditions name
	Respond  []Remedy
	State    State
	StateAt  string // where a configuration sets the state, as file:line; "" where it is the rule's own
	Tests    []Test
	Revision string   // the first 12 hexadecimal digits of the SHA-256 of the file's text, line ends aside
	Shipped  bool     // part of the library
	Named    bool     // there because another rule names it
	Names    []string // other rules that it names
	File     string
	Line     int
	About

	at      place      // where its file lies
	base    string     // the file's name there
	changed *yaml.Node // what stands in the place of the file's text, in a rule that was changed
}

// Raise makes an alert graver for some of the events for which the rule fires.
type Raise struct {
	To   int // the severity, by its place among Severities
	When *cond.Program
}

// Exception is a case in which a rule is silent.
type Exception struct {
	Because string
	Owner   string
	Until   time.Time // the day after the last one on which it holds, UTC; zero: no end
	When    *cond.Program
	Outside bool // of the configuration: no part of what makes the rule's memory
}

// Expired reports whether the exception no longer holds at a time.
func (x *Exception) Expired(at time.Time) bool { return !x.Until.IsZero() && !at.Before(x.Until) }

// Remedy is a step of remediation.
type Remedy = incident.Remedy

// Set is the rules that could be read.
type Set struct {
	Rules []*Rule
	Scope *cond.Scope // what their conditions speak of
	Lists list.Set
	// Story are the lines of accounts' stories, where these were asked for.
	Story []*Line
	// Excused are the exceptions of the configuration that have tests.
	Excused []*Excused

	remedies  map[string]Remedy
	compiling *sync.Mutex // shared by sets that are made of this one: conditions number their fields in one layout
}

// Compiling calls a function that compiles rules of the set, or makes a detector of them, while nobody else does.
func (s *Set) Compiling(do func()) {
	s.compiling.Lock()
	defer s.compiling.Unlock()
	do()
}

// Find is the rule of an id, or nil if there is none.
func (s *Set) Find(id string) *Rule {
	for _, r := range s.Rules {
		if r.ID == id {
			return r
		}
	}
	return nil
}

// Answers reports whether a reference takes the rule in: its id, or, of rules that look at events alone, guide:S3 or class:access.
func (r *Rule) Answers(reference string) bool {
	family, word, found := strings.Cut(reference, ":")
	switch {
	case !found:
		return reference == r.ID
	case r.Kind == nil || len(r.Kind.Of) > 0:
		return false
	case family == "guide":
		return slices.Contains(r.Guide, word)
	}
	return family == "class" && word == r.Class
}

// Looking is the rule with all those of the set whose alerts it looks at, or whose alerts these look at.
func (s *Set) Looking(r *Rule) *Set {
	few := *s
	taken := map[*Rule]bool{r: true}
	for open := []*Rule{r}; len(open) > 0; open = open[1:] {
		for _, other := range s.Rules {
			if !taken[other] && open[0].Kind != nil && slices.ContainsFunc(open[0].Kind.Of, other.Answers) {
				taken[other] = true
				open = append(open, other)
			}
		}
	}
	few.Rules = slices.DeleteFunc(slices.Clone(s.Rules), func(r *Rule) bool { return !taken[r] })
	return &few
}

// AllLive makes every rule live, as tests have it: they prove a rule whatever its state.
func (s *Set) AllLive() {
	for _, r := range s.Rules {
		r.State = Live
	}
}

// GuideItems are the items of the guide on hijacked accounts, in its order: signs, investigation, prevention, and X for what
// lies beyond it.
var GuideItems = []string{"S1", "S2", "S3", "S4", "S5", "I1", "I2", "I3", "I4", "I5", "P1", "P2", "P3", "P4", "P5", "P6", "X"}

// GuideTexts say what the items are.
var GuideTexts = map[string]string{
	"S1": "messages are missing or deleted",
	"S2": "others got mail from the account, its Sent Items hold no copy",
	"S3": "inbox rules or forwarding nobody set up",
	"S4": "the name in the Global Address List was changed",
	"S5": "the account is blocked from sending outside",
	"I1": "investigate: source address and place of sign-ins",
	"I2": "investigate: how many sign-ins succeeded and failed",
	"I3": "investigate: forwarding settings nobody recognises",
	"I4": "investigate: more administrators than before",
	"I5": "investigate: what the account did, from the unified audit log",
	"P1": "prevent: needless delegate access",
	"P2": "prevent: forwarding to external domains",
	"P3": "prevent: multi-factor authentication",
	"P4": "prevent: strong passwords",
	"P5": "prevent: mailbox audit and unified audit log switched on",
	"P6": "prevent: privileged accounts, Identity Protection, PIM",
	"X":  "beyond the guide",
}

// Severities are the severities of a rule, the mildest first.
var Severities = alert.Severities

// Classes are what a rule's findings are to an account's story.
var Classes = alert.Classes
