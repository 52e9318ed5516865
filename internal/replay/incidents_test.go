package replay

import (
	"bytes"
	"encoding/csv"
	"slices"
	"testing"
	"time"

	"noroshi/detector"
	"noroshi/internal/alert"
	"noroshi/internal/incident"
	"noroshi/rules"
)

// TestIncidentsOfDataSet: the takeover is one incident, confirmed at the inbox rule, and on days without an attack nobody is paged.
func TestIncidentsOfDataSet(t *testing.T) {
	records, labels := labelledFile(t, "invictus-o365/ual-2021-03-23_2021-05-22.ndjson"), labelledFile(t, "invictus-o365/labels.csv")
	set, ps := rules.Load(rules.Options{Library: true, Untested: true, Story: true})
	if len(ps) > 0 {
		t.Fatal(ps[0].Format())
	}
	scoring, ps := rules.Incidents("", set.Ids())
	if len(ps) > 0 {
		t.Fatal(ps[0].Format())
	}
	b := incident.NewBook(incident.Options{Scoring: scoring})
	var last time.Time
	r := Replay{Set: detector.New(set, detector.Options{}), Workers: 1, Fault: func(Fault) {},
		Alert: func(a *alert.Alert) error {
			last = a.Time
			if of := b.Alert(a); of != nil {
				b.Activity(of)
			}
			return nil
		},
		Story: &Story{Activity: func(a *incident.Activity) error { b.Activity(a); return nil }, Profile: func(p *incident.Profile) error { b.Profile(p); return nil }}}
	if _, err := r.Run(t.Context(), []Input{{Name: "records", From: bytes.NewReader(records)}}); err != nil {
		t.Fatal(err)
	}
	b.Advance(last)
	lines, err := csv.NewReader(bytes.NewReader(labels)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	busy := map[string]bool{}
	for _, l := range lines[1:] {
		busy[l[1][:len(time.DateOnly)]] = true
	}
	var confirmed []*incident.Incident
	for _, i := range b.Incidents() {
		if i.ConfirmedBy != "" {
			confirmed = append(confirmed, i)
		}
		if i.Level != incident.Suspicious && !slices.ContainsFunc(i.Timeline, func(e incident.Entry) bool { return e.Kind == incident.Sign && busy[e.Time.Format(time.DateOnly)] }) {
			t.Errorf("%s is %s on quiet days", i.Account, i.Level)
		}
	}
	if len(confirmed) != 1 || confirmed[0].ConfirmedBy != "access-then-hiding" || confirmed[0].Account != "a.thulile@dutchmasterz.onmicrosoft.com" {
		t.Fatalf("got %d incidents that a combination confirms, expected the one of the takeover", len(confirmed))
	}
	i := confirmed[0]
	at := map[string]time.Time{}
	for _, e := range i.Timeline {
		if e.Kind == incident.Sign && at[e.Rule].IsZero() {
			at[e.Rule] = e.Time
		}
	}
	hidden := time.Date(2021, 4, 16, 12, 7, 14, 0, time.UTC)
	for _, one := range []struct {
		rule   string
		behind time.Duration
	}{{"inbox-rule-hides-mail", 0}, {"inbox-rule-with-meaningless-name", 0}, {"inbox-rule-after-suspect-sign-in", 0}, {"mailbox-forwarding-outside", 93 * time.Second},
		{"mailbox-access-granted", 157 * time.Second}} {
		if got := at[one.rule].Sub(hidden); got != one.behind {
			t.Errorf("%s comes %v behind the inbox rule, expected %v", one.rule, got, one.behind)
		}
	}
	for _, demand := range []string{incident.Password, incident.Sessions, incident.InboxRule, incident.Forwarding} {
		if !slices.ContainsFunc(i.Containment, func(d incident.Demand) bool { return d.ID == demand && d.Done.IsZero() }) {
			t.Errorf("%s is not demanded", demand)
		}
	}
	if i.Score != 100 || i.Level != incident.Confirmed || i.Severity != "critical" {
		t.Errorf("got score %d, level %s, severity %s", i.Score, i.Level, i.Severity)
	}
}
