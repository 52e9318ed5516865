package incident

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"noroshi/internal/alert"
	"noroshi/internal/strictyaml"
)

var began = time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)

var shippedOnce *Scoring

func shipped(t testing.TB) *Scoring {
	if shippedOnce != nil {
		return shippedOnce
	}
	data, err := os.ReadFile("../../rules/library/incidents.yaml")
	if err != nil {
		t.Fatal(err)
	}
	d := strictyaml.Parse("incidents.yaml", data)
	s := ReadScoring(d, nil)
	if len(d.Problems) > 0 {
		t.Fatal(d.Problems)
	}
	shippedOnce = s
	return s
}

func book(t testing.TB) *Book { return NewBook(Options{Scoring: shipped(t)}) }

// found makes an alert of a rule of a class, so long after the beginning.
func found(account, rule, class string, points int, at time.Duration) *alert.Alert {
	a := &alert.Alert{Schema: alert.Schema, ID: alert.ID("t", rule, []string{account}, at.String()), Revision: 1, Status: alert.Firing, Severity: "high", Tenant: "t",
		Account: account, Summary: rule + " of " + account, Time: began.Add(at), Rule: alert.Rule{ID: rule, Title: "The rule " + rule, Class: class, Points: points}}
	a.Actor.Kind = "user"
	a.Evidence = []alert.Evidence{{ID: "ev-" + a.ID, Action: "New-InboxRule", Dataset: "ual"}}
	a.Respond = []alert.Remedy{{ID: "reset-password", Text: "set a new password", Command: "Update-MgUser -UserId '" + account + "'"}}
	return a
}

// entry is what a test gives a book.
type given func(*Book)

// world is a random set of what is told of a few accounts. In a torn one signs lie weeks apart, and some are withdrawn: so what comes late
// joins incidents, divides them, and moves their numbers.
func world(r *rand.Rand, torn bool) (all []given) {
	rules := []struct {
		id, class string
		points    int
	}{{"sign-in-from-new-country", "access", 15}, {"password-guessed", "access", 40}, {"inbox-rule-hides-mail", "hiding", 30}, {"mass-mailing", "abuse", 30},
		{"sign-in-from-new-network", "access", 5}, {"many-messages-sent", "abuse", 0}, {"privileged-role-granted", "privilege", 30}}
	for range 1 + r.IntN(40) {
		rule := rules[r.IntN(len(rules))]
		a := found(fmt.Sprintf("user%d@contoso.example", r.IntN(3)), rule.id, rule.class, rule.points, time.Duration(r.IntN(40*24*60))*time.Minute/time.Duration(1+r.IntN(30)))
		if torn {
			a.Time = began.Add(time.Duration(r.IntN(7))*9*24*time.Hour + time.Duration(r.IntN(600))*time.Minute)
		}
		if r.IntN(2) == 0 {
			a.Sessions = []string{fmt.Sprint("s", r.IntN(3))}
		}
		all = append(all, func(b *Book) { b.Alert(a) })
		if r.IntN(4) == 0 {
			more := *a
			more.Revision, more.Window.Count, more.Summary = 2, 9, "more of "+a.Account
			all = append(all, func(b *Book) { b.Alert(&more) })
		}
		if torn && r.IntN(3) == 0 {
			gone := *a
			gone.Revision, gone.Status = 3, alert.Withdrawn
			all = append(all, func(b *Book) { b.Alert(&gone) })
		}
	}
	closes := []string{Password, Sessions, "", ""}
	for n := range r.IntN(30) {
		a := Activity{Schema: ActivitySchema, Tenant: "t", Account: fmt.Sprintf("user%d@contoso.example", r.IntN(3)), Line: "line", Closes: closes[r.IntN(len(closes))],
			Entry: Entry{Time: began.Add(time.Duration(r.IntN(10*24*60)) * time.Minute), Kind: Context, Text: "something", EventID: fmt.Sprint("e", n), Count: r.IntN(3)}}
		if a.Closes != "" {
			a.Entry.Kind = Closing
		} else if r.IntN(2) == 0 {
			a.Thing = &Thing{Kind: Forwarding, Name: fmt.Sprintf("drop%d@mail.example.net", r.IntN(2)), Since: a.Entry.Time, EventID: a.Entry.EventID}
			if r.IntN(2) == 0 {
				a.Thing.Since, a.Thing.Gone = time.Time{}, a.Entry.Time
			}
		}
		all = append(all, func(b *Book) { one := a; b.Activity(&one) })
	}
	return all
}

// list gives all incidents without their revisions, which depend on what was told before.
func list(b *Book) string {
	var s strings.Builder
	for _, i := range b.Incidents() {
		i.Revision = 0
		s.Write(i.AppendJSON(nil))
		s.WriteByte('\n')
	}
	return s.String()
}

// What comes of a set of alerts and activities does not depend on their order, on repeats, or on how often the memory was written and read.
func TestOrderDoesNotMatter(t *testing.T) {
	for seed := range uint64(80) {
		r := rand.New(rand.NewPCG(seed, 1))
		all := world(r, seed%2 == 1)
		end := began.Add(time.Duration(r.IntN(20*24)) * time.Hour)
		first := book(t)
		for _, g := range all {
			g(first)
		}
		first.Advance(end)
		want := list(first)

		doubled := append(slices.Clone(all), all...)
		r.Shuffle(len(doubled), func(i, j int) { doubled[i], doubled[j] = doubled[j], doubled[i] })
		rows := map[string][]byte{}
		b := book(t)
		for n, g := range doubled {
			g(b)
			if r.IntN(5) == 0 {
				b.Changed(func(*Incident) {})
			}
			if r.IntN(7) == 0 || n == len(doubled)-1 {
				b.Changed(func(*Incident) {})
				store(b, rows)
				b = restored(t, rows)
			}
		}
		b.Advance(end)
		if got := list(b); got != want {
			t.Fatalf("seed %d: %s", seed, cmp.Diff(want, got))
		}
	}
}

func store(b *Book, rows map[string][]byte) {
	b.Changes(func(key, memory []byte) {
		if memory == nil {
			delete(rows, string(key))
			return
		}
		rows[string(key)] = slices.Clone(memory)
	})
}

func restored(t *testing.T, rows map[string][]byte) *Book {
	b := book(t)
	for key, memory := range rows {
		if err := b.Load([]byte(key), memory); err != nil {
			t.Fatal(err)
		}
	}
	b.Loaded()
	return b
}

// What is told last of each incident is what all together make, whatever the order; revisions grow; the level never falls unless signs
// are taken away; one that is no more is told as closed; and a memory that was read tells nothing again.
func TestTold(t *testing.T) {
	for seed := range uint64(80) {
		r := rand.New(rand.NewPCG(seed, 2))
		torn := seed%2 == 1
		all := world(r, torn)
		r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		rows, last := map[string][]byte{}, map[string]*Incident{}
		b := book(t)
		tell := func(i *Incident) {
			if was := last[i.ID]; was != nil && (i.Revision <= was.Revision || !torn && i.Merged == "" && slices.Index(Levels, i.Level) < slices.Index(Levels, was.Level)) {
				t.Fatalf("seed %d: revision %d %q, level %q behind revision %d, level %q", seed, i.Revision, i.Merged, i.Level, was.Revision, was.Level)
			}
			last[i.ID] = i
		}
		for range all {
			all[0](b)
			all = all[1:]
			if r.IntN(3) == 0 {
				b.Changed(tell)
				store(b, rows)
				b = restored(t, rows)
				b.Changed(func(i *Incident) { t.Fatalf("seed %d: told again: %s", seed, i.ID) })
			}
		}
		b.Advance(began.Add(15 * 24 * time.Hour))
		b.Changed(tell)
		want := map[string]string{}
		for _, i := range b.Incidents() {
			i.ScoreNow = 0 // time alone changes it, and nobody is told
			want[i.ID] = string(i.AppendJSON(nil))
		}
		got := map[string]string{}
		for id, i := range last {
			if i.Merged != "" && want[i.Merged] == "" && last[i.Merged] == nil {
				t.Fatalf("seed %d: %s is part of %s, which was never told", seed, i.ID, i.Merged)
			}
			if i.ScoreNow = 0; i.AlertsTotal > 0 || i.Status != Closed {
				got[id] = string(i.AppendJSON(nil))
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("seed %d: %s", seed, diff)
		}
	}
}
