package replay

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"noroshi/detector"
	"noroshi/internal/alert"
	"noroshi/rules"
)

// labelled are the public data sets with labels, which lie beside the repository and are no part of it.
const labelled = "../../../shared/testdata"

// row is a label of a data set: how many of its records are in the evidence of alerts.
type row struct {
	set, label             string
	records, found, missed int
	rules                  map[string]bool
	why                    string // records are missed, as far as they are
}

func (r *row) String() string {
	return fmt.Sprintf("%-24s %-46s %7d %6d %6d  %s %s", r.set, r.label, r.records, r.found, r.missed, strings.Join(slices.Sorted(maps.Keys(r.rules)), " "), r.why)
}

// whyMissed says why records with a label are no finding.
var whyMissed = map[string]string{
	"admin-role-granted":   "Teams Administrator and Service Support Administrator command little; those given with them are found",
	"app-consent":          "the same consent by another operation",
	"failed-signin":        "a few wrong passwords of one account are no attack",
	"mail-deleted-by-user": "single messages that somebody deletes are everyday",
	"password-changed":     "administrators reset passwords every day; it is context",
	"password-spray":       "the second spray is at four accounts, too few to tell it from people who mistype",
}

// floors are how many records with a label must be found.
var floors = map[string]int{
	"admin-role-granted": 26, "app-consent": 3, "inbox-rule-delete": 1, "inbox-rule-to-junk-and-delete": 1, "mailbox-full-access-granted": 4,
	"password-spray": 38, "send-as-granted": 1, "transport-rule-bcc-external": 1,
}

// libraryRules are the shipped rules, ready to run.
func libraryRules(t *testing.T) (*rules.Set, *detector.Set) {
	t.Helper()
	set, ps := rules.Load(rules.Options{Library: true, Untested: true})
	if len(ps) > 0 {
		t.Fatal(ps)
	}
	return set, detector.New(set, detector.Options{})
}

// alertsOf are the alerts that records give.
func alertsOf(t *testing.T, set *detector.Set, data []byte) (all []alert.Alert) {
	t.Helper()
	run := Replay{Set: set, Workers: 1, Alert: func(a *alert.Alert) error {
		all = append(all, *a)
		return nil
	}, Fault: func(Fault) {}}
	if _, err := run.Run(t.Context(), []Input{{Name: "data", From: bytes.NewReader(data)}}); err != nil {
		t.Fatal(err)
	}
	return all
}

// told reports whether an alert goes to somebody.
func told(set *rules.Set, a *alert.Alert) bool {
	r := set.Find(a.Rule.ID)
	return r == nil || r.State == rules.Live
}

func labelledFile(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(labelled, name))
	if err != nil {
		t.Skipf("the labelled data sets are not here: %v", err)
	}
	return data
}

// TestDataSets holds the shipped rules against a tenant's records with labels: what is found, what is missed and why, and what quiet
// days cost.
func TestDataSets(t *testing.T) {
	records, labels := labelledFile(t, "invictus-o365/ual-2021-03-23_2021-05-22.ndjson"), labelledFile(t, "invictus-o365/labels.csv")
	lines, err := csv.NewReader(bytes.NewReader(labels)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	byID, byLabel, busy := map[string]string{}, map[string]*row{}, map[string]bool{}
	for _, l := range lines[1:] {
		byID[l[0]], busy[l[1][:len("2006-01-02")]] = l[5], true
		if byLabel[l[5]] == nil {
			byLabel[l[5]] = &row{set: "invictus-o365", label: l[5], rules: map[string]bool{}}
		}
		byLabel[l[5]].records++
	}
	set, compiled := libraryRules(t)
	found, quiet, extra := map[string]bool{}, 0, map[string]int{}
	for _, a := range alertsOf(t, compiled, records) {
		if !told(set, &a) {
			continue
		}
		any := false
		for _, e := range a.Evidence {
			if label := byID[e.ID]; label != "" {
				any, found[e.ID] = true, true
				byLabel[label].rules[a.Rule.ID] = true
			}
		}
		if slices.Index(rules.Severities, a.Severity) < slices.Index(rules.Severities, "medium") {
			continue
		}
		if !any {
			extra[a.Rule.ID]++
		}
		if !busy[a.Time.UTC().Format("2006-01-02")] {
			quiet++
		}
	}
	for id, label := range byID {
		if found[id] {
			byLabel[label].found++
		}
	}
	t.Logf("%-24s %-46s %7s %6s %6s  %s", "data set", "label", "records", "found", "missed", "rules, and why records are missed")
	for _, label := range slices.Sorted(maps.Keys(byLabel)) {
		r := byLabel[label]
		if r.missed = r.records - r.found; r.missed > 0 {
			r.why = "(" + whyMissed[label] + ")"
		}
		t.Log(r)
		if r.found < floors[label] {
			t.Errorf("%s: %d of %d records are found; expected at least %d", label, r.found, r.records, floors[label])
		}
		if r.missed > 0 && whyMissed[label] == "" {
			t.Errorf("%s: %d records are missed, and nothing says why", label, r.missed)
		}
	}
	t.Logf("extra, of medium or above, without a record that has a label: %v", extra)
	users, days := presence(t, records, busy)
	rate := float64(quiet) / float64(users*days)
	t.Logf("quiet days: %d alerts of medium or above in %d days of %d users: %.4f a user and day", quiet, days, users, rate)
	if rate > 0.02 {
		t.Errorf("quiet days give %.4f alerts of medium or above a user and day; expected at most 0.02", rate)
	}
}

// presence counts the people who did something, and the days without a record that has a label.
func presence(t *testing.T, records []byte, busy map[string]bool) (users, days int) {
	people, all := map[string]bool{}, map[string]bool{}
	for line := range bytes.Lines(records) {
		var r struct {
			CreationTime string
			UserID       string `json:"UserId"`
			UserType     int
		}
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatal(err)
		}
		if day := r.CreationTime[:len("2006-01-02")]; !busy[day] {
			all[day] = true
		}
		if strings.Contains(r.UserID, "@") && (r.UserType == 0 || r.UserType == 2) {
			people[strings.ToLower(r.UserID)] = true
		}
	}
	return len(people), len(all)
}

// TestOthersRules holds the shipped rules against the tests of others' rules, each of one event: what these find, ours find too, and what
// these leave alone ours leave alone.
func TestOthersRules(t *testing.T) {
	data := labelledFile(t, "panther-analysis/rule-tests.ndjson")
	set, compiled := libraryRules(t)
	byRule := map[string]*row{}
	extra := map[string]int{}
	for line := range bytes.Lines(data) {
		var one struct {
			Rule, Test string
			Expected   bool
			Event      json.RawMessage
		}
		if err := json.Unmarshal(line, &one); err != nil {
			t.Fatal(err)
		}
		r := byRule[one.Rule]
		if r == nil {
			r = &row{set: "panther-analysis", label: one.Rule, rules: map[string]bool{}}
			byRule[one.Rule] = r
		}
		var fired []string
		for _, a := range alertsOf(t, compiled, one.Event) {
			if told(set, &a) {
				fired = append(fired, a.Rule.ID)
			}
		}
		switch {
		case one.Expected:
			r.records++
			if len(fired) > 0 {
				r.found++
			}
			for _, id := range fired {
				r.rules[id] = true
			}
		case len(fired) > 0:
			extra[one.Rule]++
			t.Logf("extra: %s, %s: %v", one.Rule, one.Test, fired)
		}
	}
	n := 0
	for _, more := range extra {
		n += more
	}
	if n > mostExtra {
		t.Errorf("%d events are found that others leave alone; expected at most %d", n, mostExtra)
	}
	for _, name := range slices.Sorted(maps.Keys(byRule)) {
		r := byRule[name]
		if r.missed = r.records - r.found; r.missed > 0 {
			r.why = "(" + whyOthers[name] + ")"
		}
		t.Log(r)
		if r.missed > 0 && whyOthers[name] == "" {
			t.Errorf("%s: %d of %d events are missed, and nothing says why", name, r.missed, r.records)
		}
	}
}

// whyOthers says why an event of others' tests is no finding by itself.
var whyOthers = map[string]string{
	"Azure.Audit.LegacyAuth":                 "an old program is told when it is new for somebody who is known for a week",
	"Azure.Audit.ManyFailedSignIns":          "one failure; ours count them, as theirs do afterwards",
	"Azure.Audit.OIDC.Changed":               "an identity provider does not weaken a method",
	"Azure.Audit.PolicyChanged":              "any policy; ours look at what weakens one",
	"Azure.Audit.RiskLevelPassthrough":       "any risk, also of a sign-in that failed",
	"Azure.Audit.VSCodeOAuthPhishing":        "every sign-in of a developer's program",
	"Defender.Detection.passthrough":         "every alert of Defender",
	"Microsoft.Graph.Passthrough":            "every alert of Graph",
	"Microsoft365.Brute.Force.Login.by.User": "one failure; ours count them, as theirs do afterwards",
}

// mostExtra is how many events that others leave alone may be found.
const mostExtra = 4
