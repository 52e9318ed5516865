package report

import (
	"fmt"
	"io"
	"strings"
	"time"

	"noroshi/internal/paper"
)

// TextHead is how the text form begins.
const TextHead = "NOROSHI REPORT\n"

// What the text form shows; report.json has more.
const (
	textFindings   = 50
	textAccounts   = 50
	textDays       = 60
	textExceptions = 50
)

// Text writes the report for a terminal or a mail.
func (r *Report) Text(w io.Writer) error {
	b := &sheet{}
	b.WriteString(TextHead)
	b.Line("written by noroshi %s at %s", r.Program, format(r.Written, time.RFC3339))
	if r.First.IsZero() {
		b.Line("no events")
	} else {
		b.Line("events from %s, UTC", r.period())
	}
	b.Line("%s read: %s, %s, %s undecodable", paper.Plural(r.Records.Read, "record"), paper.Plural(r.Records.Events, "event"), paper.Plural(r.Records.Duplicates, "duplicate"),
		paper.Number(r.Records.Undecodable))
	b.Line("%s: %s", paper.Plural(r.Alerts.Total, "alert"), inWords(r.Alerts))
	if limited := r.limited(); limited != "" {
		b.Line("%s", limited)
	}
	for _, note := range r.notes() {
		b.Line("! %s", note)
	}
	b.findings(r)
	b.rules(r)
	b.days(r)
	b.accounts(r)
	b.exceptions(r)
	b.records(r)
	_, err := w.Write(b.Bytes())
	return err
}

// inWords are the numbers of a count that are not zero. Alerts in shadow are in no total.
func inWords(c Counts) string {
	var all []string
	shadow := ""
	for _, l := range levelsOf(c) {
		if l.Name == levels[shadowed] {
			shadow = paper.Number(l.N) + " in shadow"
		} else {
			all = append(all, paper.Number(l.N)+" "+l.Name)
		}
	}
	switch {
	case len(all) == 0 && shadow == "":
		return "none"
	case len(all) == 0:
		return shadow
	case shadow != "":
		shadow = "; beside them " + shadow
	}
	return strings.Join(all, ", ") + shadow
}

// sheet is what the text form is written on.
type sheet struct{ paper.Sheet }

func (p *sheet) findings(r *Report) {
	p.Title("The gravest alerts, then in order of time")
	shown := r.Gravest[:min(len(r.Gravest), textFindings)]
	for _, f := range shown {
		p.Line("%s  %s  %s  %s", format(f.Time, time.RFC3339), f.Severity, orElse(f.Account, "-"), paper.Plain(f.Summary))
		for i, step := range f.Steps {
			p.Line("    %s: %s", []string{"first", "then"}[i], paper.Plain(step))
		}
		p.Line("    %s %s", paper.Plain(f.Rule), f.ID)
	}
	switch left := r.Unlisted + len(r.Gravest) - len(shown); {
	case left > 0:
		p.Line("%s not listed here", paper.Plural(left, "more alert"))
	case len(shown) == 0:
		p.Line("none")
	}
}

func (p *sheet) rules(r *Report) {
	p.Title("Alerts by rule")
	rows := [][]string{{"rule", "guide", "alerts", "accounts", "first", "last", "severity"}}
	for _, one := range r.Rules {
		if one.Alerts.all() == 0 {
			continue
		}
		accounts := paper.Number(one.Accounts)
		if one.AtLeast {
			accounts = ">= " + accounts
		}
		rows = append(rows, []string{paper.Plain(one.ID), strings.Join(one.Guide, " "), paper.Number(one.Alerts.all()), accounts,
			format(one.First, time.RFC3339), format(one.Last, time.RFC3339), inWords(one.Alerts)})
	}
	p.Table(rows)
	for _, one := range r.Rules {
		if one.Failed > 0 {
			p.Line("! %s: its condition failed on %s", paper.Plain(one.ID), paper.Plural(one.Failed, "record"))
		}
		if one.Forgot {
			p.Line("! %s: its memory was too small, so that it may have missed something", paper.Plain(one.ID))
		}
	}
	p.Line("%s gave no alert", paper.Plural(len(r.Silent), "rule"))
}

func (p *sheet) days(r *Report) {
	p.Title("Alerts by day, UTC")
	rows := [][]string{{"day", "events", "alerts", "severity"}}
	left := 0
	for _, d := range r.Days {
		switch {
		case d.Alerts.all() == 0:
		case len(rows) > textDays:
			left++
		default:
			rows = append(rows, []string{d.Day, paper.Number(d.Events), paper.Number(d.Alerts.all()), inWords(d.Alerts)})
		}
	}
	p.Table(rows)
	if left > 0 {
		p.Line("%s with alerts in report.json", paper.Plural(left, "more day"))
	}
}

func (p *sheet) accounts(r *Report) {
	p.Title("Alerts by account")
	rows := [][]string{{"account", "tenant", "alerts", "first", "last", "severity", "rules"}}
	shown, left := r.few(textAccounts)
	for _, a := range shown {
		var names []string
		for _, id := range a.Rules {
			names = append(names, paper.Plain(id))
		}
		rows = append(rows, []string{orElse(a.Account, "-"), orElse(a.Tenant, "-"), paper.Number(a.Alerts.all()), format(a.First, time.RFC3339),
			format(a.Last, time.RFC3339), inWords(a.Alerts), strings.Join(names, " ")})
	}
	p.Table(rows)
	if left != nil {
		p.Line("%s%s with %s not listed here", atLeast(left), paper.Plural(left.Accounts, "more account"), paper.Plural(left.Alerts.all(), "alert"))
	}
}

// atLeast stands before a number that is known only in part.
func atLeast(b *Beyond) string {
	if b.AtLeast {
		return "more than "
	}
	return ""
}

func (p *sheet) exceptions(r *Report) {
	p.Title("What exceptions hid")
	if len(r.Exceptions) == 0 {
		p.Line("there are no exceptions")
		return
	}
	for i := range r.Exceptions[:min(len(r.Exceptions), textExceptions)] {
		x := &r.Exceptions[i]
		of := "of the configuration, for " + paper.Plural(x.Of, "rule")
		if x.Rule != "" {
			of = "in the rule " + x.Rule
		}
		p.Line("%s (%s): %s", orElse(x.Because, "no reason given"), of, hid(x))
		p.Line("    %s", paper.Plain(strings.Join(strings.Fields(x.When), " ")))
		for _, one := range x.Rules {
			p.Line("    %s from %s", paper.Plural(one.Events, "event"), paper.Plain(one.Rule))
		}
	}
	if left := len(r.Exceptions) - textExceptions; left > 0 {
		p.Line("%s in report.json", paper.Plural(left, "more exception"))
	}
}

// hid is how much an exception hid, and when.
func hid(x *Exception) string {
	if x.Events == 0 {
		return "hid nothing"
	}
	return fmt.Sprintf("%s hidden, %s to %s", paper.Plural(x.Events, "event"), format(x.First, time.RFC3339), format(x.Last, time.RFC3339))
}

func (p *sheet) records(r *Report) {
	p.Title("Records by dataset")
	rows := [][]string{{"dataset", "events", "first hour", "last hour"}}
	for _, d := range r.Datasets {
		rows = append(rows, []string{paper.Plain(d.Dataset), paper.Number(d.Events), format(d.First, "2006-01-02T15Z"), format(d.Last, "2006-01-02T15Z")})
	}
	p.Table(rows)
	if n := r.Records.Unknown; n > 0 {
		var keys []string
		for _, k := range r.Records.UnknownKeys {
			keys = append(keys, paper.Plain(k))
		}
		p.Line("of no known kind: %s; keys: %s", paper.Plural(n, "record"), strings.Join(keys, ", "))
	}
	p.Title("What could not be read")
	for _, in := range r.broken() {
		p.Line("%s: %s", paper.Plain(in.Name), paper.Plain(in.Fault))
	}
	for _, reason := range r.Unread {
		p.Line("%s: %s", paper.Plain(reason.Reason), paper.Plural(reason.Count, "time"))
		for _, at := range reason.Places[:min(len(reason.Places), maxOf)] {
			p.Line("    %s:%d: %s", paper.Plain(at.Input), at.Line, paper.Plain(at.Detail))
		}
	}
	if len(r.Unread) == 0 && len(r.broken()) == 0 {
		p.Line("everything could be read")
	}
}
