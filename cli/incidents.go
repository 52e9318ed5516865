package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"noroshi/internal/alert"
	"noroshi/internal/app"
	"noroshi/internal/config"
	"noroshi/internal/diag"
	"noroshi/internal/incident"
	"noroshi/internal/replay"
	"noroshi/rules"
)

// telling makes incidents of what a replay finds, and prints them behind its alerts.
type telling struct {
	book  *incident.Book
	steps *incident.Checklist
	last  time.Time // of what came
}

// newTelling makes a book of incidents.
func newTelling(conf *config.Config) (*telling, []diag.Problem) {
	scoring, ps := rules.Incidents("", nil)
	if diag.Errors(ps) > 0 {
		return nil, ps
	}
	steps, scope, more := rules.Remediation()
	if ps = append(ps, more...); diag.Errors(more) > 0 {
		return nil, ps
	}
	return &telling{book: incident.NewBook(app.IncidentOptions(conf, scoring)), steps: incident.NewChecklist(steps, scope)}, ps
}

// incidentFiles are the files that say what alerts add up to, of what check and test look at: "" is the one in the shipped library, and a
// folder that is a library has one of its own.
func incidentFiles(library bool, paths []string) (all []string) {
	if library {
		all = append(all, "")
	}
	for _, p := range paths {
		if file := rules.IncidentsIn(p); file != "" {
			all = append(all, file)
		}
	}
	return all
}

// incidents runs the tests of what alerts add up to.
func (t *proving) incidents(ctx context.Context, files []string, chosen func(rule, test string) bool) error {
	for _, file := range files {
		scoring, ps := rules.Incidents(file, t.set.Ids())
		show(t.problems, ps)
		if diag.Errors(ps) > 0 {
			t.bad++
			continue
		}
		if file == "" {
			file = "library/incidents.yaml"
		}
		for i := range scoring.Tests {
			one := &scoring.Tests[i]
			if !chosen("incidents", one.Name) {
				continue
			}
			from := t.now()
			wrong := scoring.Run(one, t.set.Told)
			v := replay.Verdict{Rule: "incidents", Test: one.Name, File: file, Line: one.Line, Pass: len(wrong) == 0, Why: strings.Join(wrong, "; "), Count: len(one.Alerts), Took: t.now().Sub(from)}
			if err := t.take(ctx, nil, v); err != nil {
				return err
			}
			t.added++
		}
	}
	return nil
}

// watch takes what a replay finds.
func (t *telling) watch(r *replay.Replay) {
	give, json := r.Alert, r.JSON
	var line []byte
	r.JSON = nil
	r.Alert = func(a *alert.Alert) error {
		t.alert(a)
		if json == nil {
			return give(a)
		}
		line = a.AppendJSON(line[:0])
		return json(line)
	}
	r.Story = &replay.Story{
		Activity: func(a *incident.Activity) error {
			t.until(a.Entry.Time)
			t.book.Activity(a)
			return nil
		},
		Profile: func(p *incident.Profile) error {
			t.book.Profile(p)
			return nil
		},
	}
}

func (t *telling) alert(a *alert.Alert) {
	t.until(a.Time)
	if of := t.book.Alert(a); of != nil {
		t.book.Activity(of)
	}
}

func (t *telling) until(at time.Time) {
	if at.After(t.last) {
		t.last = at
	}
}

// print prints the incidents as they stand at a time, or, if it is zero, behind all that came.
func (t *telling) print(out io.Writer, now time.Time, asJSON bool) error {
	if t == nil {
		return nil
	}
	if now.IsZero() {
		now = t.last
	}
	t.book.Advance(now)
	for _, i := range t.book.Incidents() {
		text := "\n" + paragraph(i)
		if asJSON {
			text = t.object(i)
		}
		if _, err := io.WriteString(out, text+"\n"); err != nil {
			return err
		}
	}
	return nil
}

// object is an incident as JSON, with all that is to be done, as its page has it. Where that is too long, it has what alerts have brought.
func (t *telling) object(i *incident.Incident) string {
	whole := *i
	whole.Remediation = t.steps.Steps(i, incident.English)
	if b := whole.AppendJSON(nil); len(b) <= incident.MaxSize {
		return string(b)
	}
	return string(i.AppendJSON(nil))
}

// paragraph is an incident for a person, safe for a terminal.
func paragraph(i *incident.Incident) string {
	var b strings.Builder
	drill := ""
	if i.Drill {
		drill = "drill: "
	}
	fmt.Fprintf(&b, "%s%s  %s, %s, score %d  %s\n", drill, diag.EscapeLine(i.Account), i.Level, i.Status, i.Score, i.ID)
	fmt.Fprintf(&b, "  %s to %s, %s", minute(i.Opened), minute(i.Updated), plural(i.AlertsTotal, "alert"))
	if n := i.TimelineTotal - i.AlertsTotal; n > 0 {
		fmt.Fprintf(&b, ", %s around them", plural(n, "event"))
	}
	done := 0
	for _, d := range i.Containment {
		if !d.Done.IsZero() {
			done++
		}
	}
	fmt.Fprintf(&b, "; contained %d of %d\n", done, len(i.Containment))
	for _, why := range i.Why {
		fmt.Fprintf(&b, "  - %s\n", diag.EscapeLine(why))
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func minute(at time.Time) string { return at.UTC().Format("2006-01-02T15:04Z") }
