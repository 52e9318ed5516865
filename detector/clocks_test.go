package detector

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"noroshi/internal/alert"
	"noroshi/internal/event"
)

// set are clocks that a test sets, by dataset.
type set struct {
	of    map[string]time.Duration // since base
	last  map[string]time.Duration // shown
	wall  time.Duration
	stops bool // nothing ticks
}

var base = time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)

func (s *set) Of(_ string, datasets []string) int64 {
	least := int64(math.MaxInt64)
	for d, at := range s.of {
		if len(datasets) == 0 || slices.Contains(datasets, d) {
			least = min(least, base.Add(at).UnixNano())
		}
	}
	if least == math.MaxInt64 {
		return math.MinInt64
	}
	return least
}

func (s *set) Wall(string, []string) (int64, bool) { return base.Add(s.wall).UnixNano(), s.stops }

func (s *set) Shows(_, name string, after, _ int64) bool {
	last, have := s.last[name]
	return have && base.Add(last).UnixNano() > after
}

// signIn is one that failed, or not.
func signIn(id string, at time.Duration, code int) string {
	return fmt.Sprintf(`{"time":"%[1]s","category":"SignInLogs","operationName":"Sign-in activity","tenantId":"t-1","properties":{"id":%[2]q,`+
		`"createdDateTime":"%[1]s","userPrincipalName":"taro@contoso.example","ipAddress":"203.0.113.7","isInteractive":true,"status":{"errorCode":%[3]d}}}`,
		base.Add(at).Format(time.RFC3339), id, code)
}

// following is a memory whose clocks a test sets.
func following(tb testing.TB, c *set, rules ...string) (f *feeding, told func() string) {
	var all []string
	f = feed(tb, ruleSet(tb, rules...), MemoryOptions{Live: true, Clocks: c, Lateness: event.Lateness{}}, func(a *alert.Alert) {
		all = append(all, fmt.Sprintf("%s r%d%s", a.Rule.ID, a.Revision, map[bool]string{true: " by the wall", false: ""}[a.Clock == alert.Wall]))
	})
	return f, func() string {
		f.memory.Follow(f.take)
		s := strings.Join(all, ", ")
		all = nil
		return s
	}
}

const absent = `id: no-mail
title: A
severity: low
kind: absence
when: event.dataset == "entra.signin"
without: {when: event.dataset == "defender.email_events", after: 10m}
needs: [defender.email_events]
`

// An absence is decided when both datasets have come past it and the one that is needed has shown something later.
func TestAnAbsenceWaitsForTheClocksOfItsDatasets(t *testing.T) {
	c := &set{of: map[string]time.Duration{}, last: map[string]time.Duration{}}
	f, told := following(t, c, absent)
	f.record(signIn("1", 0, 0))
	past := 10*time.Minute + 30*time.Minute + time.Second // after and the wait of Defender
	for _, step := range []struct {
		name         string
		signin, mail time.Duration
		last         time.Duration
		want         string
	}{
		{"nothing has ticked", -1, -1, -1, ""},
		{"sign-ins are past it, mail is not", past, past - 2*time.Second, past, ""},
		{"mail is past it, but has shown nothing later", past, past, 9 * time.Minute, ""},
		{"mail has shown something later", past + 2*time.Second, past + 2*time.Second, 11 * time.Minute, "no-mail r1"},
		{"again", 3 * time.Hour, 3 * time.Hour, 3 * time.Hour, ""},
	} {
		if step.signin >= 0 {
			c.of["entra.signin"], c.of["defender.email_events"], c.last["defender.email_events"] = step.signin, step.mail, step.last
		}
		if got := told(); got != step.want {
			t.Errorf("%s: %q; want %q", step.name, got, step.want)
		}
		waiting := ""
		for _, w := range f.memory.Waiting() {
			waiting += fmt.Sprint(w.Rule, w.Tenant, w.Datasets, w.Events, w.Since.Format(" 15:04"))
		}
		if late := step.name == "mail is past it, but has shown nothing later"; late != (waiting != "") || late && !strings.Contains(waiting, "no-mail") ||
			late && !strings.Contains(waiting, "[defender.email_events] 1 03:10") {
			t.Errorf("%s: waiting is %q", step.name, waiting)
		}
	}
}

// A dataset that comes to be known behind the rule's clock, because a source shows it for the first time, holds the decision all the same.
func TestAnAbsenceWaitsForADatasetThatIsNew(t *testing.T) {
	c := &set{of: map[string]time.Duration{"entra.signin": time.Hour}, last: map[string]time.Duration{}}
	f, told := following(t, c, absent)
	f.record(signIn("1", 0, 0))
	for _, step := range []struct {
		signin, mail time.Duration
		want         string
	}{{time.Hour, -1, ""}, {2 * time.Hour, 20 * time.Minute, ""}, {3 * time.Hour, 40 * time.Minute, ""}, {3 * time.Hour, 41 * time.Minute, ""},
		{4 * time.Hour, 4 * time.Hour, "no-mail r1"}} {
		c.of["entra.signin"] = step.signin
		if step.mail >= 0 {
			c.of["defender.email_events"], c.last["defender.email_events"] = step.mail, 15*time.Minute
		}
		if got := told(); got != step.want {
			t.Errorf("sign-ins at %s, mail at %s: %q; want %q", step.signin, step.mail, got, step.want)
		}
	}
}

// A feed that shows nothing for a day decides nothing, and that is counted; until then nothing is forgotten.
func TestWhatIsNeverShownIsCounted(t *testing.T) {
	c := &set{of: map[string]time.Duration{"entra.signin": 0, "defender.email_events": 0}}
	f, told := following(t, c, absent)
	f.record(signIn("1", 0, 0))
	for at := time.Duration(0); at < 24*time.Hour; at += time.Hour {
		c.of["entra.signin"], c.of["defender.email_events"] = at, at
		if got := told(); got != "" || f.memory.Counts[0].Undecided != 0 || f.memory.Keys() != 1 {
			t.Fatalf("after %s: %q, %d undecided, %d keys", at, got, f.memory.Counts[0].Undecided, f.memory.Keys())
		}
	}
	c.of["entra.signin"], c.of["defender.email_events"] = 30*time.Hour, 30*time.Hour
	if got := told(); got != "" || f.memory.Counts[0].Undecided != 1 {
		t.Errorf("after a day: %q, %d undecided", got, f.memory.Counts[0].Undecided)
	}
	c.of["entra.signin"], c.of["defender.email_events"] = 60*time.Hour, 60*time.Hour
	if told(); f.memory.Keys() != 0 {
		t.Errorf("%d keys are left", f.memory.Keys())
	}
}

// A day without the feed that is needed is one by the clock of this feed, too: while its source is down, days of other sources drop nothing,
// and what it shows when it is back decides. Where no source has ever shown the feed, there is no clock but that of the event's dataset.
func TestAnOutageOfTheNeededSourceDropsNothing(t *testing.T) {
	for name, known := range map[string]bool{"a source that is down": true, "a feed that nobody knows": false} {
		t.Run(name, func(t *testing.T) {
			c := &set{of: map[string]time.Duration{"entra.signin": 0}, last: map[string]time.Duration{}}
			if known {
				c.of["defender.email_events"], c.last["defender.email_events"] = time.Minute, 0
			}
			f, told := following(t, c, absent)
			f.record(signIn("1", 0, 0))
			for at := time.Duration(0); at < 24*time.Hour; at += time.Hour {
				c.of["entra.signin"] = at
				if got := told(); got != "" || f.memory.Counts[0].Undecided != 0 {
					t.Fatalf("sign-ins at %s: %q, %d undecided", at, got, f.memory.Counts[0].Undecided)
				}
			}
			c.of["entra.signin"] = 10 * 24 * time.Hour
			if got := told(); got != "" || (f.memory.Counts[0].Undecided == 0) != known || (f.memory.Keys() == 1) != known {
				t.Errorf("after ten days: %q, %d undecided, %d keys", got, f.memory.Counts[0].Undecided, f.memory.Keys())
			}
			c.of["defender.email_events"], c.last["defender.email_events"] = 11*24*time.Hour, 11*24*time.Hour
			if got := told(); (got == "no-mail r1") != known {
				t.Errorf("when the feed is there: %q", got)
			}
		})
	}
}

// Each rule moves by the clock of its own datasets, and is forgotten by it.
func TestEachRuleHasTheClockOfItsDatasets(t *testing.T) {
	c := &set{of: map[string]time.Duration{"entra.signin": 0, "ual.sharepoint": 0}}
	const many = "id: %s\ntitle: A\nseverity: low\nkind: threshold\ncount: 100\nwithin: 1m\nwhen: %s\n"
	f, told := following(t, c, fmt.Sprintf(many, "some", `event.dataset == "entra.signin"`), fmt.Sprintf(many, "any", `auth.result == "wrong_credential"`))
	f.record(signIn("1", 0, 50126))
	if f.memory.Keys() != 2 {
		t.Fatalf("%d keys", f.memory.Keys())
	}
	for _, one := range []struct { // in this order: clocks do not go back
		at   time.Duration
		keys int
	}{{0, 2}, {200 * time.Hour, 1}} {
		c.of["entra.signin"] = one.at
		if told(); f.memory.Keys() != one.keys {
			t.Errorf("at %s there are %d keys; want %d", one.at, f.memory.Keys(), one.keys)
		}
	}
	c.of["ual.sharepoint"] = 200 * time.Hour
	if told(); f.memory.Keys() != 0 {
		t.Errorf("%d keys are left", f.memory.Keys())
	}
}

// Where no source ticks the clock on the wall decides a silence, and the alert says so; nothing else moves by it.
func TestTheWallDecidesASilence(t *testing.T) {
	const silent = "id: silent\ntitle: A\nseverity: low\nkind: silence\nwhen: event.dataset == \"entra.signin\"\nlonger: 1h\n"
	for name, one := range map[string]struct {
		clocks set
		want   string
	}{
		"the sources are past it":   {set{of: map[string]time.Duration{"entra.signin": 2 * time.Hour}, wall: 9 * time.Hour}, "silent r1"},
		"the sources stand":         {set{of: map[string]time.Duration{"entra.signin": time.Minute}, wall: 9 * time.Hour}, ""},
		"nothing ticks":             {set{of: map[string]time.Duration{"entra.signin": time.Minute}, wall: 9 * time.Hour, stops: true}, "silent r1 by the wall"},
		"nothing ticks, it is soon": {set{of: map[string]time.Duration{"entra.signin": time.Minute}, wall: time.Hour, stops: true}, ""},
	} {
		f, told := following(t, &one.clocks, silent, absent)
		f.record(signIn("1", 0, 0))
		if got := told(); got != one.want {
			t.Errorf("%s: %q; want %q", name, got, one.want)
		}
	}
}
