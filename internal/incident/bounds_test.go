package incident

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"noroshi/internal/alert"
)

// TestManyAlertsOfOneAccount: what is told fits a record, and what does not is counted.
func TestManyAlertsOfOneAccount(t *testing.T) {
	b := book(t)
	long := strings.Repeat("\u202e<b>\"", 120)
	const many = 11_500
	for n := range many {
		a := found("taro@contoso.example", "inbox-rule-hides-mail", "hiding", 30, time.Duration(n)*time.Second)
		a.Summary = long
		a.Respond[0].Command = fmt.Sprint(long, n)
		b.Alert(a)
		b.Activity(&Activity{Schema: ActivitySchema, Tenant: "t", Account: "taro@contoso.example", Line: "l", Entry: Entry{Time: began.Add(time.Duration(n) * time.Second), Kind: Context, Text: long, EventID: fmt.Sprint(n)}})
		if n%1000 == 0 {
			b.Changed(func(*Incident) {})
			store(b, map[string][]byte{})
		}
	}
	b.Activity(&Activity{Schema: ActivitySchema, Tenant: "t", Account: "taro@contoso.example", Line: "l", Closes: Password,
		Entry: Entry{Time: began.Add(many * time.Second), Kind: Closing, Text: "a new password", EventID: "closing"}})
	all := b.Incidents()
	if len(all) != 1 {
		t.Fatalf("%d incidents, want one", len(all))
	}
	i := all[0]
	if n := len(i.AppendJSON(nil)); n > MaxSize {
		t.Errorf("%d bytes, want at most %d", n, MaxSize)
	}
	if len(i.Alerts) > MaxAlerts || len(i.Timeline) > MaxTimeline || i.TimelineTotal <= MaxTimeline || !slices.Contains(i.Cut, "timeline") || !slices.Contains(i.Cut, "signs") {
		t.Errorf("%d ids, %d of %d entries, cut %v", len(i.Alerts), len(i.Timeline), i.TimelineTotal, i.Cut)
	}
	if b.Counts.Left == 0 || len(b.stories[Account{"t", "taro@contoso.example"}].signs) > maxSigns+maxSigns/10 {
		t.Errorf("%d signs are held no more", b.Counts.Left)
	}
	last := i.Timeline[len(i.Timeline)-1]
	if last.Kind != Closing || slices.ContainsFunc(i.Timeline, func(e Entry) bool { return e.Kind == Context }) {
		t.Errorf("the timeline ends with %s; context goes first", last.Kind)
	}
}

// TestOneAlertIsOneRow: a long story is not written again for an alert more.
func TestOneAlertIsOneRow(t *testing.T) {
	b := book(t)
	for n := range 600 {
		b.Alert(found("taro@contoso.example", "inbox-rule-hides-mail", "hiding", 30, time.Duration(n)*time.Second))
	}
	b.Changed(func(*Incident) {})
	store(b, map[string][]byte{})
	b.Alert(found("taro@contoso.example", "mass-mailing", "abuse", 30, time.Hour))
	b.Changed(func(*Incident) {})
	rows := map[string][]byte{}
	store(b, rows)
	size := 0
	for key, memory := range rows {
		size += len(key) + len(memory)
	}
	if len(rows) != 1 || size > 1000 {
		t.Errorf("an alert more writes %d rows of %d bytes", len(rows), size)
	}
}

// TestJSON: every member comes back as it was written, and nothing that nobody sees is in it.
func TestJSON(t *testing.T) {
	b := book(t)
	a := found("taro@contoso.example", "inbox-rule-hides-mail", "hiding", 30, 0)
	a.Summary = "\u202e\a<script>\n\"$(x)"
	b.Alert(a)
	b.Activity(&Activity{Schema: ActivitySchema, Tenant: "t", Account: "taro@contoso.example", Line: "l", Entry: Entry{Time: began, Kind: Context, Text: "x", EventID: "e"},
		Thing: &Thing{Kind: InboxRule, Name: "’; Remove-Item '", Since: began, Seen: SeenEvent}})
	i := b.Incidents()[0]
	text := i.AppendJSON(nil)
	if strings.ContainsAny(string(text), "\u202e\n") || !strings.Contains(string(text), `"opened":"2026-01-02T03:00:00.000Z"`) || !strings.Contains(string(text), `"roles":[]`) {
		t.Errorf("got %s", text)
	}
	var back Incident
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if got := string(back.AppendJSON(nil)); got != string(text) {
		t.Error(cmp.Diff(string(text), got))
	}
	if len(i.Containment) != 3 || i.Containment[2].Thing != "’; Remove-Item '" {
		t.Errorf("got demands %+v", i.Containment)
	}
}

// TestNobodysSigns: alerts of rules that are not live, of nobody, of heartbeats, withdrawn ones, and about others.
func TestNobodysSigns(t *testing.T) {
	b := book(t)
	shadow := found("a@contoso.example", "account-restricted-from-sending", "verdict", 60, 0)
	shadow.State = "shadow"
	nobody := found("", "account-restricted-from-sending", "verdict", 60, 0)
	beat := found("b@contoso.example", "account-restricted-from-sending", "verdict", 60, 0)
	beat.Tenant = alert.HeartbeatTenant
	withdrawn := found("c@contoso.example", "account-restricted-from-sending", "verdict", 60, 0)
	more := *withdrawn
	more.Status, more.Revision = alert.Withdrawn, 2
	about := found("admin@contoso.example", "mfa-removed", "defence", 25, 0)
	about.Target = "Hanako@contoso.example"
	for _, a := range []*alert.Alert{shadow, nobody, beat, withdrawn, &more} {
		if b.Alert(a) != nil {
			t.Error("an alert about nobody else is told to somebody else")
		}
	}
	of := b.Alert(about)
	if of == nil || of.Account != "hanako@contoso.example" || of.Entry.Kind != Context {
		t.Fatalf("whom the alert is about is told %+v", of)
	}
	b.Activity(of)
	b.Advance(began.Add(time.Hour))
	for _, i := range b.Incidents() {
		t.Errorf("%s has an incident", i.Account)
	}
	drill := found("d@contoso.example", "account-restricted-from-sending", "verdict", 60, 0)
	drill.Tenant = alert.DrillTenant
	b.Alert(drill)
	b.Alert(found("hanako@contoso.example", "password-guessed", "access", 40, time.Minute))
	all := b.Incidents()
	if len(all) != 2 || !all[0].Drill || all[1].Drill || all[1].TimelineTotal != 2 {
		t.Errorf("got %d incidents, want a drill and one with what the alert says of the account", len(all))
	}
}

// TestForgotten: what is over for good is held no more, but for the number.
func TestForgotten(t *testing.T) {
	b := book(t)
	b.Alert(found("a@contoso.example", "mass-mailing", "abuse", 30, 0))
	b.Activity(&Activity{Schema: ActivitySchema, Tenant: "t", Account: "alone@contoso.example", Line: "l", Entry: Entry{Time: began, Kind: Closing, EventID: "e"}, Closes: Password})
	rows := map[string][]byte{}
	var told []string
	tell := func(i *Incident) { told = append(told, fmt.Sprint(i.Number, i.Status)) }
	step := func(at time.Duration) {
		b.Advance(began.Add(at))
		b.Changed(tell)
		store(b, rows)
	}
	step(time.Hour)
	step(4 * 24 * time.Hour)
	step(40 * 24 * time.Hour)
	if len(rows) != 2 { // the clock and the head
		t.Errorf("%d rows are left, want those of the clock and of the number", len(rows))
	}
	b = restored(t, rows)
	b.Alert(found("a@contoso.example", "mass-mailing", "abuse", 30, 40*24*time.Hour))
	step(41 * 24 * time.Hour)
	if want := []string{"1open", "1closed", "2open"}; !slices.Equal(told, want) {
		t.Errorf("told %v, want %v", told, want)
	}
}

// TestOpenedAgain: an incident that was contained and closed is told again when a sign opens it.
func TestOpenedAgain(t *testing.T) {
	b := book(t)
	var told []string
	last := 0
	tell := func(i *Incident) {
		if i.Revision <= last {
			t.Errorf("revision %d behind %d", i.Revision, last)
		}
		last = i.Revision
		told = append(told, fmt.Sprint(i.Status, i.Reopened))
	}
	closing := func(what string, at time.Duration) {
		b.Activity(&Activity{Schema: ActivitySchema, Tenant: "t", Account: "a@contoso.example", Line: "l", Entry: Entry{Time: began.Add(at), Kind: Closing, EventID: what}, Closes: what})
	}
	b.Alert(found("a@contoso.example", "mass-mailing", "abuse", 30, 0))
	b.Changed(tell)
	closing(Password, time.Hour)
	closing(Sessions, time.Hour)
	b.Changed(tell)
	b.Advance(began.Add(4 * 24 * time.Hour))
	b.Changed(tell)
	b.Alert(found("a@contoso.example", "mass-mailing", "abuse", 30, 5*24*time.Hour))
	b.Changed(tell)
	if want := []string{"open0", "contained0", "closed0", "open1"}; !slices.Equal(told, want) {
		t.Errorf("told %v, want %v", told, want)
	}
}

// TestPartsOfOneRevision: of two alerts with one id and one revision, as an alert in parts may have, the one of more events counts, whichever
// comes first.
func TestPartsOfOneRevision(t *testing.T) {
	small := found("a@contoso.example", "mass-mailing", "abuse", 30, 0)
	great := *small
	small.Window.Count, great.Window.Count, great.Summary = 2, 9, "nine messages"
	for _, order := range [][]*alert.Alert{{small, &great}, {&great, small}} {
		b := book(t)
		for _, a := range order {
			b.Alert(a)
		}
		if got := b.Incidents()[0].Timeline[0].Text; got != "nine messages" {
			t.Errorf("got %q", got)
		}
	}
}

// TestWeightyOnesCount: of a rule the weightiest alerts count, though lighter ones came later.
func TestWeightyOnesCount(t *testing.T) {
	b := book(t)
	b.Alert(found("a@contoso.example", "mass-mailing", "abuse", 30, 0))
	for n := range 3 {
		a := found("a@contoso.example", "mass-mailing", "abuse", 30, time.Hour+time.Duration(n))
		a.Evidence[0].Facts = []byte(`{"device.managed":true}`)
		b.Alert(a)
	}
	b.Alert(found("a@contoso.example", "bounces-deleted", "hiding", 20, 2*time.Hour))
	if got := b.Incidents()[0].Score; got != 63 { // 30 and twice half of 15, less an hour's decay or two, and 20
		t.Errorf("score %d, want 63", got)
	}
}
