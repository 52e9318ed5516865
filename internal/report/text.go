package report

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/rivo/uniseg"
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
	b := &paper{}
	b.WriteString(TextHead)
	b.line("written by noroshi %s at %s", r.Program, format(r.Written, time.RFC3339))
	if r.First.IsZero() {
		b.line("no events")
	} else {
		b.line("events from %s, UTC", r.period())
	}
	b.line("%s read: %s, %s, %s undecodable", plural(r.Records.Read, "record"), plural(r.Records.Events, "event"), plural(r.Records.Duplicates, "duplicate"),
		number(r.Records.Undecodable))
	b.line("%s: %s", plural(r.Alerts.Total, "alert"), inWords(r.Alerts))
	if limited := r.limited(); limited != "" {
		b.line("%s", limited)
	}
	for _, note := range r.notes() {
		b.line("! %s", note)
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

// inWords are the numbers of a count that are not zero.
func inWords(c Counts) string {
	var all []string
	for _, l := range levelsOf(c) {
		name := l.Name
		if name == levels[shadowed] {
			name = "in shadow"
		}
		all = append(all, number(l.N)+" "+name)
	}
	if len(all) == 0 {
		return "none"
	}
	return strings.Join(all, ", ")
}

// paper is what the text form is written on.
type paper struct{ bytes.Buffer }

func (p *paper) line(format string, a ...any) { fmt.Fprintf(p, format+"\n", a...) }

func (p *paper) title(s string) { p.line("\n%s\n%s", s, strings.Repeat("-", len(s))) }

// table writes rows below a head, each column as wide as it must be. The last column is not filled up.
func (p *paper) table(rows [][]string) {
	var widths []int
	for _, row := range rows {
		for i, text := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], uniseg.StringWidth(text))
		}
	}
	for _, row := range rows {
		for i, text := range row {
			p.WriteString(text)
			if i < len(row)-1 {
				p.WriteString(strings.Repeat(" ", widths[i]-uniseg.StringWidth(text)+2))
			}
		}
		p.WriteString("\n")
	}
}

func (p *paper) findings(r *Report) {
	p.title("The gravest alerts, then in order of time")
	shown := r.Gravest[:min(len(r.Gravest), textFindings)]
	for _, f := range shown {
		p.line("%s  %s  %s  %s", format(f.Time, time.RFC3339), f.Severity, orElse(f.Account, "-"), plain(f.Summary))
		for i, step := range f.Steps {
			p.line("    %s: %s", []string{"first", "then"}[i], plain(step))
		}
		p.line("    %s %s", plain(f.Rule), f.ID)
	}
	switch left := r.Unlisted + len(r.Gravest) - len(shown); {
	case left > 0:
		p.line("%s not listed here", plural(left, "more alert"))
	case len(shown) == 0:
		p.line("none")
	}
}

func (p *paper) rules(r *Report) {
	p.title("Alerts by rule")
	rows := [][]string{{"rule", "guide", "alerts", "accounts", "first", "last", "severity"}}
	for _, one := range r.Rules {
		if one.Alerts.all() == 0 {
			continue
		}
		accounts := number(one.Accounts)
		if one.AtLeast {
			accounts = ">= " + accounts
		}
		rows = append(rows, []string{plain(one.ID), strings.Join(one.Guide, " "), number(one.Alerts.all()), accounts,
			format(one.First, time.RFC3339), format(one.Last, time.RFC3339), inWords(one.Alerts)})
	}
	p.table(rows)
	for _, one := range r.Rules {
		if one.Failed > 0 {
			p.line("! %s: its condition failed on %s", plain(one.ID), plural(one.Failed, "record"))
		}
		if one.Forgot {
			p.line("! %s: its memory was too small, so that it may have missed something", plain(one.ID))
		}
	}
	p.line("%s gave no alert", plural(len(r.Silent), "rule"))
}

func (p *paper) days(r *Report) {
	p.title("Alerts by day, UTC")
	rows := [][]string{{"day", "events", "alerts", "severity"}}
	left := 0
	for _, d := range r.Days {
		switch {
		case d.Alerts.all() == 0:
		case len(rows) > textDays:
			left++
		default:
			rows = append(rows, []string{d.Day, number(d.Events), number(d.Alerts.all()), inWords(d.Alerts)})
		}
	}
	p.table(rows)
	if left > 0 {
		p.line("%s with alerts in report.json", plural(left, "more day"))
	}
}

func (p *paper) accounts(r *Report) {
	p.title("Alerts by account")
	rows := [][]string{{"account", "tenant", "alerts", "first", "last", "severity", "rules"}}
	shown, left := r.few(textAccounts)
	for _, a := range shown {
		var names []string
		for _, id := range a.Rules {
			names = append(names, plain(id))
		}
		rows = append(rows, []string{orElse(a.Account, "-"), orElse(a.Tenant, "-"), number(a.Alerts.all()), format(a.First, time.RFC3339),
			format(a.Last, time.RFC3339), inWords(a.Alerts), strings.Join(names, " ")})
	}
	p.table(rows)
	if left != nil {
		p.line("%s%s with %s not listed here", atLeast(left), plural(left.Accounts, "more account"), plural(left.Alerts.all(), "alert"))
	}
}

// atLeast stands before a number that is known only in part.
func atLeast(b *Beyond) string {
	if b.AtLeast {
		return "more than "
	}
	return ""
}

func (p *paper) exceptions(r *Report) {
	p.title("What exceptions hid")
	if len(r.Exceptions) == 0 {
		p.line("there are no exceptions")
		return
	}
	for i := range r.Exceptions[:min(len(r.Exceptions), textExceptions)] {
		x := &r.Exceptions[i]
		of := "of the configuration, for " + plural(x.Of, "rule")
		if x.Rule != "" {
			of = "in the rule " + x.Rule
		}
		p.line("%s (%s): %s", orElse(x.Because, "no reason given"), of, hid(x))
		p.line("    %s", plain(strings.Join(strings.Fields(x.When), " ")))
		for _, one := range x.Rules {
			p.line("    %s from %s", plural(one.Events, "event"), plain(one.Rule))
		}
	}
	if left := len(r.Exceptions) - textExceptions; left > 0 {
		p.line("%s in report.json", plural(left, "more exception"))
	}
}

// hid is how much an exception hid, and when.
func hid(x *Exception) string {
	if x.Events == 0 {
		return "hid nothing"
	}
	return fmt.Sprintf("%s hidden, %s to %s", plural(x.Events, "event"), format(x.First, time.RFC3339), format(x.Last, time.RFC3339))
}

func (p *paper) records(r *Report) {
	p.title("Records by dataset")
	rows := [][]string{{"dataset", "events", "first hour", "last hour"}}
	for _, d := range r.Datasets {
		rows = append(rows, []string{plain(d.Dataset), number(d.Events), format(d.First, "2006-01-02T15Z"), format(d.Last, "2006-01-02T15Z")})
	}
	p.table(rows)
	if n := r.Records.Unknown; n > 0 {
		var keys []string
		for _, k := range r.Records.UnknownKeys {
			keys = append(keys, plain(k))
		}
		p.line("of no known kind: %s; keys: %s", plural(n, "record"), strings.Join(keys, ", "))
	}
	p.title("What could not be read")
	for _, in := range r.broken() {
		p.line("%s: %s", plain(in.Name), plain(in.Fault))
	}
	for _, reason := range r.Unread {
		p.line("%s: %s", plain(reason.Reason), plural(reason.Count, "time"))
		for _, at := range reason.Places[:min(len(reason.Places), maxOf)] {
			p.line("    %s:%d: %s", plain(at.Input), at.Line, plain(at.Detail))
		}
	}
	if len(r.Unread) == 0 && len(r.broken()) == 0 {
		p.line("everything could be read")
	}
}
