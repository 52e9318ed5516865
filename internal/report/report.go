// Package report tells what a replay has found: as text, as JSON and as a page with plots.
package report

import (
	"strings"
	"time"

	"noroshi/rules"
)

// Schema is the name and version of the JSON form. The form only grows.
const Schema = "noroshi.report/1"

// The bounds of a report, so that it is small whatever the input holds. What goes beyond them is summed and said.
const (
	MaxAccounts = 20_000  // accounts that are told apart
	maxPairs    = 200_000 // accounts and rules that have met
	maxCells    = 200_000 // hours of a rule or a dataset
	maxFindings = 500     // the gravest alerts that are listed
	maxListed   = 1_000   // accounts that are listed
	maxPlaces   = 20      // places of each reason
	maxOf       = 5       // accounts of an exception
)

// Report is what a replay has found. Times are UTC.
type Report struct {
	Schema     string      `json:"schema"`
	Program    string      `json:"program"`                     // the version that wrote it
	Written    time.Time   `json:"written"`                     // when
	Complete   bool        `json:"complete"`                    // the replay came to its end
	Incomplete string      `json:"incomplete,omitempty"`        // why it did not
	Since      time.Time   `json:"since,omitzero"`              // earlier alerts were left out
	Until      time.Time   `json:"until,omitzero"`              // alerts from it on were left out
	Only       string      `json:"only,omitempty"`              // of which time alerts are told, counted from the last event
	First      time.Time   `json:"first_event,omitzero"`        // the hour of the first event
	Last       time.Time   `json:"last_event,omitzero"`         // the hour of the last event
	Inputs     []Input     `json:"inputs"`                      // what was read, in its order
	Records    Records     `json:"records"`                     // what became of the records
	Alerts     Counts      `json:"alerts"`                      // all of them
	Rules      []Rule      `json:"rules"`                       // those with alerts, excused events or failures; the gravest first
	Silent     []string    `json:"silent_rules"`                // those that gave no alert
	Days       []Day       `json:"days"`                        // those with events or alerts
	Accounts   []Account   `json:"accounts"`                    // the gravest first
	Beyond     *Beyond     `json:"accounts_beyond,omitempty"`   // accounts that are not listed
	Gravest    []Finding   `json:"gravest"`                     // the gravest alerts, the gravest first, then in order of time
	Unlisted   int         `json:"gravest_left_out,omitempty"`  // alerts that are not among them
	Exceptions []Exception `json:"exceptions"`                  // what each exception hid
	Datasets   []Dataset   `json:"datasets"`                    // the most events first
	Unread     []Reason    `json:"unread"`                      // what could not be read, by reason
	NoPlace    int         `json:"events_not_by_day,omitempty"` // events beyond the days and datasets that are told apart

	alerts, byRule, events *grid
}

// Input is a file that was read.
type Input struct {
	Name  string `json:"name"`
	Fault string `json:"fault,omitempty"` // why it could not be read, or not to its end
}

// Records is what became of the records: read = events + duplicates + undecodable.
type Records struct {
	Read        int      `json:"read"`
	Events      int      `json:"events"`
	Duplicates  int      `json:"duplicates"`
	Undecodable int      `json:"undecodable"`
	NotUTF8     int      `json:"not_utf8"`               // read all the same
	Partial     int      `json:"partial"`                // not read as a whole
	Unknown     int      `json:"unknown"`                // of no known kind: no rule can match them
	UnknownKeys []string `json:"unknown_keys,omitempty"` // names of the members of the first of these
}

// Counts are numbers of alerts. Those of rules in shadow are in none of the others.
type Counts struct {
	Total    int `json:"total"` // without shadow
	Critical int `json:"critical"`
	High     int `json:"high"`
	Medium   int `json:"medium"`
	Low      int `json:"low"`
	Info     int `json:"info"`
	Shadow   int `json:"shadow"`
}

// shadowed is the place of alerts in shadow, behind those of the severities.
const shadowed = 5

// levels are the severities, the gravest first, and shadow.
var levels = [shadowed + 1]string{"critical", "high", "medium", "low", "info", "shadow"}

// level is the place of a severity.
func level(severity string) int {
	for i, name := range levels[:shadowed] {
		if name == severity {
			return i
		}
	}
	return shadowed - 1
}

// byLevel are the numbers of each level.
func (c *Counts) byLevel() [len(levels)]*int {
	return [...]*int{&c.Critical, &c.High, &c.Medium, &c.Low, &c.Info, &c.Shadow}
}

func (c *Counts) add(at, n int) {
	*c.byLevel()[at] += n
	if at != shadowed {
		c.Total += n
	}
}

func (c *Counts) all() int { return c.Total + c.Shadow }

// compare is negative where c is graver than d.
func (c *Counts) compare(d *Counts) int {
	of, other := c.byLevel(), d.byLevel()
	for i := range of {
		if *of[i] != *other[i] {
			return *other[i] - *of[i]
		}
	}
	return 0
}

// Rule is what a rule has found.
type Rule struct {
	ID       string    `json:"rule"`
	Title    string    `json:"title"`
	Guide    []string  `json:"guide"`
	Class    string    `json:"class"`
	Alerts   Counts    `json:"alerts"`
	Accounts int       `json:"accounts"`                    // whom its alerts are about
	AtLeast  bool      `json:"accounts_at_least,omitempty"` // there were too many to count them all
	First    time.Time `json:"first,omitzero"`
	Last     time.Time `json:"last,omitzero"`
	Excused  int       `json:"excused"` // events that exceptions hid
	Failed   int       `json:"failed"`  // records on which its condition failed
	Forgot   bool      `json:"forgot"`  // its memory was too small: see bounds_by_rule of --stats
}

// Day is a day, UTC.
type Day struct {
	Day    string `json:"day"`
	Events int    `json:"events"`
	Alerts Counts `json:"alerts"`
}

// Account is what was found about an account.
type Account struct {
	Account string    `json:"account"` // "" where alerts are about nobody
	Tenant  string    `json:"tenant"`
	Alerts  Counts    `json:"alerts"`
	First   time.Time `json:"first"`
	Last    time.Time `json:"last"`
	Rules   []string  `json:"rules"`
}

// Beyond are accounts that are not listed.
type Beyond struct {
	Accounts int    `json:"accounts"`           // how many are known of
	AtLeast  bool   `json:"at_least,omitempty"` // there are more, which were not told apart
	Alerts   Counts `json:"alerts"`
}

// Finding is an alert.
type Finding struct {
	ID       string    `json:"id"`
	Time     time.Time `json:"time"`
	Severity string    `json:"severity"`
	Tenant   string    `json:"tenant"`
	Account  string    `json:"account"`
	Rule     string    `json:"rule"`
	Summary  string    `json:"summary"`
	Steps    []string  `json:"first_steps"` // of remediation, two at most
}

// Exception is what an exception hid.
type Exception struct {
	Written
	Of       int       `json:"for_rules"` // how many rules it is for
	Events   int       `json:"events"`    // that did not count for these rules; 0: it hid nothing
	Rules    []Excused `json:"rules"`     // those for which it hid something, the most first
	First    time.Time `json:"first,omitzero"`
	Last     time.Time `json:"last,omitzero"`
	Accounts []string  `json:"accounts"` // some of those whose events they were
	More     bool      `json:"accounts_more,omitempty"`
}

// Written is an exception as it is written.
type Written struct {
	Because string `json:"because"`
	Owner   string `json:"owner"`
	LastDay string `json:"until"` // "" where it has no end
	When    string `json:"when"`
	Outside bool   `json:"of_configuration"` // not written in a rule
	Rule    string `json:"rule,omitempty"`   // the rule in which it is written
}

func written(r *rules.Rule, x *rules.Exception) Written {
	w := Written{Because: x.Because, Owner: x.Owner, When: strings.TrimSpace(x.When.Source), Outside: x.Outside}
	if !x.Outside {
		w.Rule = r.ID
	}
	if !x.Until.IsZero() {
		w.LastDay = x.Until.AddDate(0, 0, -1).Format(time.DateOnly)
	}
	return w
}

// Excused is how many events an exception hid from a rule.
type Excused struct {
	Rule   string `json:"rule"`
	Events int    `json:"events"`
}

// Dataset is what came of a dataset.
type Dataset struct {
	Dataset string    `json:"dataset"`
	Events  int       `json:"events"`
	First   time.Time `json:"first,omitzero"` // the hour of the first event
	Last    time.Time `json:"last,omitzero"`
}

// Reason is a reason why something could not be read, or not as a whole.
type Reason struct {
	Reason string  `json:"reason"`
	Count  int     `json:"count"`
	Places []Place `json:"places"` // the first
}

// Place is where something could not be read.
type Place struct {
	Input  string `json:"input"`
	Line   int    `json:"line"`
	Detail string `json:"detail"`
}
