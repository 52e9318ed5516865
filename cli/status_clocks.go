package cli

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"noroshi/internal/app"
	"noroshi/internal/diag"
)

// tellsWithin is how long after its last word a source partition counts as one that still tells how far it has come.
const tellsWithin = 5 * time.Minute

// exported is how old events are on average that cannot be late ones: no decision waits so long.
const exported = 7 * 24 * time.Hour

// clocks prints what waits for sources, and what is wrong with how far they have come. Nothing is printed where nothing waits.
func (t *statusTable) clocks() {
	one := t.of
	for _, w := range one.Waits {
		if t.passes(w.Source) {
			continue
		}
		if w.Since.IsZero() {
			t.line("  waiting: %s for the first word of %s", ofRules(w), diag.EscapeLine(w.Source))
			continue
		}
		t.line("  waiting: %s since %s for %s", ofRules(w), at(w.Since), diag.EscapeLine(w.Source))
	}
	if n := one.Waiting - len(one.Waits); n > 0 {
		t.line("  waiting: %s", plural(n, "more clock"))
	}
	for i := range one.Needs {
		t.line("  waiting: %s", needed(&one.Needs[i]))
	}
	if n := one.NeedsTotal - len(one.Needs); n > 0 {
		t.line("  waiting: events of %s", plural(n, "more rule"))
	}
	for _, c := range one.Clocks {
		if text := t.stands(c); text != "" {
			t.line("  source %s: %s", diag.EscapeLine(c.Source), text)
		}
	}
	for _, s := range one.Sources {
		if s.Kind == "stream" && len(one.Clocks) > 0 && t.of.At.Sub(one.Started) > tellsWithin && !told(one.Clocks, s.Name) {
			t.line("  source %s: it has never told how far it has come; what waits for its datasets does not know of it", diag.EscapeLine(s.Name))
		}
	}
	for _, l := range one.Late {
		if l.Mean > exported {
			t.line("  old: events of %s were %s old on average when they came, as in an export; rules that remember find less in them than noroshi replay", l.Dataset, span(l.Mean.Milliseconds()))
			continue
		}
		t.line("  late: events of %s come %s after they happened on average, but decisions wait %s for them; set lateness: {%s: {wait: …}} in the configuration",
			l.Dataset, span(l.Mean.Milliseconds()), span(l.Wait.Milliseconds()), l.Dataset)
	}
	if n := one.Memory.TooLate; n > 0 {
		t.line("  too late: %s when what rules had kept beside them was forgotten; set lateness: {DATASET: {keep: …}} in the configuration",
			plural(int(n), "event")+" came")
	}
	if ahead := time.Duration(one.Ahead) * time.Second; ahead > time.Minute {
		t.line("  clocks differ: that of an instance which reads sources is ahead by %s; set the machines by a time server", ago(ahead))
	}
	if one.Refused > 0 {
		t.line("  too many sources, tenants or datasets: %d times one was left out; nothing is decided late for it", one.Refused)
	}
	if one.Unread > 0 {
		t.line("  %s of a version that this instance does not know; update it", plural(one.Unread, "tick"))
	}
}

// needed says which events wait for datasets that their rule needs.
func needed(n *app.NeedSum) string {
	tenant := "without a tenant"
	if n.Tenant != "" {
		tenant = "of tenant " + diag.EscapeLine(n.Tenant)
	}
	return fmt.Sprintf("rule %s has %s %s undecided since %s, until %s shows something later; after a day they are dropped",
		n.Rule, plural(n.Events, "event"), tenant, at(n.Since), diag.EscapeLine(strings.Join(n.Datasets, ", ")))
}

// ofRules names the rules that have a clock.
func ofRules(w app.WaitSum) string {
	of := "rules on all events"
	switch n := len(w.Datasets); {
	case n > 3:
		of = fmt.Sprintf("rules on %s and %d more", strings.Join(w.Datasets[:2], ", "), n-2)
	case n > 0:
		of = "rules on " + strings.Join(w.Datasets, ", ")
	}
	if w.Tenant == "" {
		return of + " without a tenant"
	}
	return of + " of tenant " + diag.EscapeLine(w.Tenant)
}

// stands says what is wrong with how far a source partition has come, "" where nothing is.
func (t *statusTable) stands(c app.ClockSum) string {
	if !c.Retired.IsZero() {
		return ""
	}
	if c.Ticked.IsZero() {
		if c.Holds == 0 {
			return ""
		}
		return "nobody has read it yet; if it is gone for good: noroshi sources retire " + diag.EscapeLine(c.Source)
	}
	if age := t.of.At.Sub(c.Ticked); age > tellsWithin {
		text := fmt.Sprintf("it has told nothing since %s (%s)", at(c.Ticked), ago(age))
		if c.Holds > 0 {
			text += "; if it is gone for good: noroshi sources retire " + diag.EscapeLine(c.Source)
		}
		return text
	}
	if c.Progress.IsZero() {
		return "it has not told how far it has come"
	}
	if behind := t.of.At.Sub(c.Progress); behind > app.BehindAfter {
		if t.passes(c.Source) {
			return fmt.Sprintf("it has come to %s; at the ends of files time passes from their latest event on", at(c.Progress))
		}
		return fmt.Sprintf("it is read up to %s (%s behind)", at(c.Progress), ago(behind))
	}
	return ""
}

// passes reports whether a source is one of files that are read: its time passes, however long ago its latest event was. Files have no
// partitions.
func (t *statusTable) passes(source string) bool {
	return !strings.Contains(source, "/") && slices.ContainsFunc(t.of.Clocks, func(c app.ClockSum) bool {
		return c.Source == source && !c.Progress.IsZero() && t.of.At.Sub(c.Ticked) <= tellsWithin
	})
}

// told reports whether a partition of a source has told how far it has come.
func told(all []app.ClockSum, source string) bool {
	for _, c := range all {
		if (c.Source == source || strings.HasPrefix(c.Source, source+"/")) && !c.Ticked.IsZero() {
			return true
		}
	}
	return false
}
