package incident

import (
	"fmt"
	"testing"
	"time"

	"noroshi/internal/alert"
)

const day = 24 * time.Hour

// teller is a book and what it told last, by the number of the incident.
type teller struct {
	*Book
	t    *testing.T
	last map[int]*Incident
}

func newTeller(t *testing.T) *teller { return &teller{book(t), t, map[int]*Incident{}} }

func (b *teller) tell() {
	b.t.Helper()
	b.Changed(func(i *Incident) {
		if was := b.last[i.Number]; was != nil && i.Revision <= was.Revision {
			b.t.Errorf("#%d: revision %d behind %d", i.Number, i.Revision, was.Revision)
		}
		b.last[i.Number] = i
	})
}

// signs adds alerts of one time, one a minute.
func (b *teller) signs(at time.Duration, many int) {
	for n := range many {
		b.Alert(found("a@contoso.example", fmt.Sprint("password-guessed", n), "access", 40, at+time.Duration(n)*time.Minute))
	}
	b.Advance(began.Add(at + time.Hour))
	b.tell()
}

// restart writes and reads the memory.
func (b *teller) restart() {
	rows := map[string][]byte{}
	b.All(1<<30, func(key, memory []byte) { rows[string(key)] = memory })
	b.Book = restored(b.t, rows)
	b.Changed(func(i *Incident) { b.t.Errorf("#%d is told again after a restart", i.Number) })
}

// want compares what was told last: "status alerts merged-into", by number.
func (b *teller) want(want ...string) {
	b.t.Helper()
	for n, w := range want {
		i, into := b.last[n+1], 0
		for number := range b.last {
			if i.Merged == ID("t", "a@contoso.example", number) {
				into = number
			}
		}
		if got := fmt.Sprint(i.Status, i.AlertsTotal, " in ", into); got != w {
			b.t.Errorf("#%d was told as %q, want %q", n+1, got, w)
		}
	}
	for _, i := range b.Incidents() {
		if told := b.last[i.Number]; told.Revision != i.Revision || told.AlertsTotal != i.AlertsTotal {
			b.t.Errorf("#%d is revision %d with %d alerts, and was told as revision %d with %d", i.Number, i.Revision, i.AlertsTotal, told.Revision, told.AlertsTotal)
		}
	}
}

// TestLateSignMovesNumbers: a late sign joins the first two incidents, so the third one has the number of the second and is told under it.
func TestLateSignMovesNumbers(t *testing.T) {
	b := newTeller(t)
	b.signs(0, 2)
	b.signs(18*day, 9)
	b.signs(36*day, 3)
	b.signs(9*day, 1)
	b.want("closed12 in 0", "open3 in 0", "closed0 in 2")
	b.restart()
	b.signs(36*day+3*time.Hour, 1)
	b.want("closed12 in 0", "open4 in 0", "closed0 in 2")
}

// TestWithdrawnSignDivides: without the sign in its middle an incident is two. The first one is told as smaller, and closed.
func TestWithdrawnSignDivides(t *testing.T) {
	b := newTeller(t)
	b.signs(0, 2)
	x := found("a@contoso.example", "password-guessed0", "access", 40, 12*day)
	b.Alert(x)
	b.tell()
	b.signs(24*day, 5)
	gone := *x
	gone.Revision, gone.Status = 2, alert.Withdrawn
	b.Alert(&gone)
	b.tell()
	b.want("closed2 in 0", "open5 in 0")
	b.restart()
	b.Advance(began.Add(30 * day))
	b.tell()
	b.want("closed2 in 0", "closed5 in 0")
}

// TestAllSignsWithdrawn: an incident without any sign is told as closed, and nobody has taken it in. When a sign comes again, the revision
// goes on above that, after a restart, too.
func TestAllSignsWithdrawn(t *testing.T) {
	b := newTeller(t)
	b.signs(0, 1)
	gone := *found("a@contoso.example", "password-guessed0", "access", 40, 0)
	gone.Revision, gone.Status = 2, alert.Withdrawn
	b.Alert(&gone)
	b.tell()
	b.want("closed0 in 0")
	b.restart()
	b.Alert(found("a@contoso.example", "password-guessed", "access", 40, 2*time.Hour))
	b.tell()
	b.want("open1 in 0")
}

// TestNobodyTakesInWithdrawnSigns: an incident whose signs are withdrawn is not part of the one before it.
func TestNobodyTakesInWithdrawnSigns(t *testing.T) {
	b := newTeller(t)
	b.signs(0, 1)
	b.signs(20*day, 1)
	gone := *found("a@contoso.example", "password-guessed0", "access", 40, 20*day)
	gone.Revision, gone.Status = 2, alert.Withdrawn
	b.Alert(&gone)
	b.tell()
	b.want("closed1 in 0", "closed0 in 0")
}

// TestMergedNumberComesBack: the number of an incident that became part of another one goes on above the revision in which that was told,
// after a restart and after the others are forgotten, too.
func TestMergedNumberComesBack(t *testing.T) {
	for _, forgotten := range []bool{false, true} {
		b := newTeller(t)
		b.signs(0, 1)
		b.signs(18*day, 9)
		b.signs(9*day, 1)
		b.want("open11 in 0", "closed0 in 1")
		b.restart()
		at := 40 * day
		if forgotten {
			b.Advance(began.Add(100 * day))
			b.tell()
			b.restart()
			at = 101 * day
		}
		b.signs(at, 1)
		number := 2
		if forgotten {
			number = 3
		}
		if i := b.last[number]; i == nil || i.Status != Open {
			t.Errorf("forgotten %t: #%d is not told as open", forgotten, number)
		}
	}
}

// TestRevisionsGrowBeyondTheBounds: what is held no more does not make revisions fall.
func TestRevisionsGrowBeyondTheBounds(t *testing.T) {
	for name, add := range map[string]func(*Book){
		"activities": func(b *Book) {
			for n := range maxActivities + maxActivities/10 {
				b.Activity(&Activity{Schema: ActivitySchema, Tenant: "t", Account: "a@contoso.example", Line: "line",
					Entry: Entry{Time: began.Add(time.Hour + time.Duration(n)*time.Second), Kind: Context, Text: "something", EventID: fmt.Sprint("e", n)}})
			}
		},
		"signs": func(b *Book) {
			for n := range maxSigns + maxSigns/10 - 2 {
				b.Alert(found("a@contoso.example", "mass-mailing", "abuse", 1, time.Hour+time.Duration(n)*time.Second))
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newTeller(t)
			b.signs(0, 2)
			add(b.Book)
			b.Advance(began.Add(4 * time.Hour))
			b.tell()
			before := b.last[1].Revision
			for n := range 3 {
				b.Activity(&Activity{Schema: ActivitySchema, Tenant: "t", Account: "a@contoso.example", Line: "line",
					Entry: Entry{Time: began.Add(5*time.Hour + time.Duration(n)*time.Second), Kind: Context, Text: "something", EventID: fmt.Sprint("late", n)}})
				b.Alert(found("a@contoso.example", "inbox-rule-hides-mail", "hiding", 60, 5*time.Hour+time.Duration(n)*time.Second))
				b.tell()
				if i := b.last[1]; i.Revision <= before {
					t.Errorf("what came is not told: revision %d, %d before", i.Revision, before)
				}
				before = b.last[1].Revision
				b.restart()
			}
			if b.Counts.Left+int64(b.stories[Account{"t", "a@contoso.example"}].left) == 0 {
				t.Error("nothing is left out")
			}
		})
	}
}
