// Package explain says what a rule makes of an event, and how far it is from firing, as a tree for people and programs.
package explain

import (
	"encoding/json"
	"time"

	"noroshi/internal/decode"
)

// Tree is what a rule makes of an event, or what it holds for a key.
type Tree struct {
	Rule    string  `json:"rule"`
	Title   string  `json:"title"`
	Kind    string  `json:"kind"`
	State   string  `json:"state,omitempty"` // where the rule is not live
	Event   *Event  `json:"event,omitempty"`
	Verdict Verdict `json:"verdict"`
	// CountsAs are the conditions of a rule that remembers which the event satisfies.
	CountsAs []string `json:"counts_as,omitempty"`
	// Because is why an exception excuses the event, which field of the key it lacks, and the like.
	Because string   `json:"because,omitempty"`
	Missing []string `json:"missing,omitempty"` // in words
	Near    float64  `json:"near"`              // to firing: 0 to 1
	Tenant  string   `json:"tenant,omitempty"`
	Key     []Value  `json:"key,omitempty"`
	// Events between From and To are looked at.
	From *Time `json:"from,omitempty"`
	To   *Time `json:"to,omitempty"`
	// Left is when more is missing, because an event is too old then.
	Left  *Time  `json:"left_until,omitempty"`
	Waits *Time  `json:"waits_until,omitempty"` // when it can be decided
	Parts []Part `json:"parts,omitempty"`

	at     time.Time // what Left is told from
	raises []Part    // what lifts the severity
	tells  bool      // whose tenant it is
}

// Verdict is what a rule makes of an event or a key.
type Verdict string

// The verdicts, the nearest first.
const (
	Fires     Verdict = "fires"
	Fired     Verdict = "fired"         // of a key: for an event before
	Waits     Verdict = "waits"         // it cannot be decided yet
	Silent    Verdict = "does not fire" // the event counts, and something is missing
	Undecided Verdict = "undecided"     // it could not be decided
	Excused   Verdict = "is excused"
	NoKey     Verdict = "has no key"
	NotHeld   Verdict = "is not held"
	Uncounted Verdict = "does not count"
)

// Value is a field and its value.
type Value struct {
	Field string          `json:"field"`
	Value json.RawMessage `json:"value"`
}

// Event is an event as trees speak of it, or an alert of a rule, which has no action.
type Event struct {
	Rule    string  `json:"rule,omitempty"`
	ID      string  `json:"id"`
	Time    Time    `json:"time"`
	Action  string  `json:"action"`
	Account string  `json:"account,omitempty"`
	Values  []Value `json:"values,omitempty"`
}

// Time is a time that JSON has as all output does.
type Time struct{ time.Time }

// MarshalJSON implements json.Marshaler.
func (t Time) MarshalJSON() ([]byte, error) { return json.Marshal(t.String()) }

// String is the time as all output has it.
func (t Time) String() string { return decode.FormatTime(t.UTC()) }

// Part is one of the things that must hold.
type Part struct {
	Name      string  `json:"name,omitempty"` // the step, or the key in the rule's file
	Holds     bool    `json:"holds"`
	Condition string  `json:"condition,omitempty"`
	Error     string  `json:"error,omitempty"`
	Have      float64 `json:"have,omitempty"`
	Need      float64 `json:"need,omitempty"`
	Missing   float64 `json:"missing,omitempty"`
	Unit      string  `json:"unit,omitempty"`
	Says      string  `json:"says,omitempty"` // in words
	Values    []Value `json:"values,omitempty"`
	Events    []Event `json:"events,omitempty"` // the first and the last of them
	More      int     `json:"more_events,omitempty"`
	Parts     []Part  `json:"parts,omitempty"`
}
