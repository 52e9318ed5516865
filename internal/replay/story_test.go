package replay

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"noroshi/detector"
	"noroshi/internal/alert"
	"noroshi/internal/diag"
	"noroshi/internal/incident"
	"noroshi/rules"
	"noroshi/rules/library"
)

// storySet is the library with the lines of stories.
func storySet(t *testing.T) *rules.Set {
	t.Helper()
	set, problems := rules.Load(rules.Options{Library: true, Story: true})
	if diag.Errors(problems) > 0 {
		t.Fatal(problems)
	}
	return set
}

// storiesOf are what a replay of records tells of stories, in order.
func storiesOf(t *testing.T, set *detector.Set, records [][]byte) (activities []incident.Activity, profiles []incident.Profile) {
	t.Helper()
	r := Replay{Set: set, Workers: 1, Alert: func(*alert.Alert) error { return nil }, Story: &Story{
		Activity: func(a *incident.Activity) error { activities = append(activities, *a); return nil },
		Profile:  func(p *incident.Profile) error { profiles = append(profiles, *p); return nil },
	}}
	if _, err := r.Run(t.Context(), []Input{{Name: "test", From: bytes.NewReader(bytes.Join(records, []byte("\n")))}}); err != nil {
		t.Fatal(err)
	}
	return activities, profiles
}

func TestLinesOfStories(t *testing.T) {
	all := storySet(t)
	only := *all
	only.Rules = nil
	set := detector.New(&only, detector.Options{})
	build := &builder{reader: set.Worker().Reader()}
	for _, x := range all.Story {
		fires, silent := 0, 0
		for i := range x.Tests {
			test := &x.Tests[i]
			if len(test.Want) > 0 {
				fires++
			} else {
				silent++
			}
			t.Run(x.ID+"/"+test.Name, func(t *testing.T) {
				records, err := build.records(test)
				if err != nil {
					t.Fatal(err)
				}
				var have []any
				activities, _ := storiesOf(t, set, records)
				for _, a := range activities {
					if a.Line == x.ID {
						have = append(have, asJSON(t, a))
					}
				}
				for _, d := range differences(test.Want, have) {
					t.Errorf("line %d: %+v", test.Line, d)
				}
			})
		}
		if (fires == 0 || silent == 0) && x.Does != rules.Tells && x.Does != rules.Counts {
			t.Errorf("story.yaml:%d: the line %s has %d tests in which it is told and %d in which it is not; it needs one of each", x.At, x.ID, fires, silent)
		}
	}
}

// sampled are records made of the library's samples, as tests of rules make them.
func sampled(t *testing.T, set *detector.Set, events ...sampleEvent) (records [][]byte) {
	t.Helper()
	build := &builder{reader: set.Worker().Reader()}
	test := rules.Test{Start: time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)}
	for _, e := range events {
		base, err := library.Files.ReadFile("samples/" + e.like + ".json")
		if err != nil {
			t.Fatal(err)
		}
		for from, to := range e.set {
			base = bytes.ReplaceAll(base, []byte(from), []byte(to))
		}
		test.Events = append(test.Events, rules.Event{Base: base, At: &e.at, Times: max(1, e.times), Every: e.every})
	}
	records, err := build.records(&test)
	if err != nil {
		t.Fatal(err)
	}
	return records
}

type sampleEvent struct {
	like  string
	at    time.Duration
	times int
	every time.Duration
	set   map[string]string // texts of the record, and what stands in their place
}

// takeover is a sign-in that is an alert of its own, and what came before and after it.
func takeover() []sampleEvent {
	there := map[string]string{"198.51.100.23": "203.0.113.66", "5f1e0d6a-3b0c-4f7e-9a52-0c1d2e3f4a5b": "e0e0e0e0-3b0c-4f7e-9a52-0c1d2e3f4a5b",
		`"riskLevelDuringSignIn": "none"`: `"riskLevelDuringSignIn": "high"`, `"riskLevelDuringSignIn":"none"`: `"riskLevelDuringSignIn":"high"`}
	return []sampleEvent{
		{like: "signin"},
		{like: "send", at: 10 * time.Minute},
		{like: "signin-failed", at: time.Hour, times: 3, every: time.Second, set: there},
		{like: "signin", at: 61 * time.Minute, set: there},
		{like: "signin", at: 62 * time.Minute, set: there},
		{like: "send", at: 63 * time.Minute, times: 5, every: time.Second, set: there},
		{like: "new-inbox-rule", at: 64 * time.Minute, set: there},
		{like: "mail-items-accessed", at: 80 * time.Hour, set: there},
	}
}

func TestStoryOfATakeover(t *testing.T) {
	all := storySet(t)
	all.Rules = slices.DeleteFunc(all.Rules, func(r *rules.Rule) bool { return r.ID != "risky-sign-in-succeeded" })
	set := detector.New(all, detector.Options{})
	records := sampled(t, set, takeover()...)
	activities, profiles := storiesOf(t, set, records)
	var lines []string
	for _, a := range activities {
		lines = append(lines, fmt.Sprint(a.Entry.Time.Format("15:04"), " ", a.Line, " ", a.Entry.Count))
	}
	want := []string{"04:01 signed-in 2", "04:03 sent-mail 5", "04:04 inbox-rule-made 0"}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("the story (-want +got):\n%s", diff)
	}
	if len(profiles) != 1 {
		t.Fatalf("got %d profiles, want 1", len(profiles))
	}
	p := profiles[0]
	if p.SignIns.Succeeded != 2 || p.SignIns.Failed != 3 || len(p.SignIns.Places) != 2 || p.SignIns.Places[0].IP != "203.0.113.66" {
		t.Errorf("sign-ins: %+v", p.SignIns)
	}
	kinds := map[string]int{}
	for _, one := range p.Things {
		kinds[one.Kind]++
	}
	if diff := cmp.Diff(map[string]int{incident.InboxRule: 1, incident.Client: 1, incident.UsedDevice: 1}, kinds); diff != "" {
		t.Errorf("things (-want +got):\n%s", diff)
	}
	again := slices.Concat(records, records)
	slices.Reverse(again)
	moreActivities, moreProfiles := storiesOf(t, set, again)
	if diff := cmp.Diff(activities, moreActivities); diff != "" {
		t.Errorf("twice and in another order (-once +twice):\n%s", diff)
	}
	if diff := cmp.Diff(profiles, moreProfiles); diff != "" {
		t.Errorf("profiles twice and in another order (-once +twice):\n%s", diff)
	}
}

// TestProfilesAreCompleteAtTheEnd: what is told last of an account that had an alert counts all of its sign-ins, those from before its
// alerts and those from after its mark, whatever others do.
func TestProfilesAreCompleteAtTheEnd(t *testing.T) {
	all := storySet(t)
	all.Rules = slices.DeleteFunc(all.Rules, func(r *rules.Rule) bool {
		return r.ID != "risky-sign-in-succeeded" && r.ID != "application-credential-added"
	})
	set := detector.New(all, detector.Options{})
	risky := map[string]string{`"riskLevelDuringSignIn": "none"`: `"riskLevelDuringSignIn": "high"`, `"riskLevelDuringSignIn":"none"`: `"riskLevelDuringSignIn":"high"`}
	other := map[string]string{"taro@contoso.example": "jiro@contoso.example"}
	admin := map[string]string{"taro@contoso.example": "admin@contoso.example"}
	for _, c := range []struct {
		name, account string
		events        []sampleEvent
		want          int
	}{
		{"behind the mark", "taro@contoso.example", []sampleEvent{{like: "signin"}, {like: "signin", at: time.Hour, set: risky},
			{like: "signin", at: 100 * time.Hour}, {like: "signin", at: 101 * time.Hour}}, 4},
		{"an alert that marks nobody", "admin@contoso.example", []sampleEvent{{like: "ual-update-application-credentials"},
			{like: "signin", at: time.Hour, set: admin}, {like: "signin", at: 2 * time.Hour, set: admin}}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			more := append(slices.Clone(c.events), sampleEvent{like: "signin", at: 3 * time.Hour, set: other}, sampleEvent{like: "signin", at: 200 * time.Hour, set: other})
			for _, events := range [][]sampleEvent{c.events, more} {
				_, profiles := storiesOf(t, set, sampled(t, set, events...))
				last := map[string]int{}
				for _, p := range profiles {
					if p.Account == "" {
						continue // the tenant's
					}
					last[p.Account] = p.SignIns.Succeeded
				}
				if diff := cmp.Diff(map[string]int{c.account: c.want}, last); diff != "" {
					t.Errorf("sign-ins of %d events (-want +got):\n%s", len(events), diff)
				}
			}
		})
	}
}

// TestThingsAreToldApartByTheirWholeNames: one rule cannot hide behind another whose name begins, or looks, alike; and one that is removed
// leaves the other.
func TestThingsAreToldApartByTheirWholeNames(t *testing.T) {
	all := storySet(t)
	all.Rules = nil
	set := detector.New(all, detector.Options{})
	long := strings.Repeat("a", 250)
	for _, names := range [][2]string{{long + "1", long + "2"}, {"in\u200bvoice", "in\u200cvoice"}} {
		made := func(name string) map[string]string { return map[string]string{"Newsletters": name} }
		records := sampled(t, set, sampleEvent{like: "new-inbox-rule", set: made(names[0])}, sampleEvent{like: "new-inbox-rule", at: time.Minute, set: made(names[1])},
			sampleEvent{like: "disable-inbox-rule", at: time.Hour, set: made(names[0])})
		var profiles []*incident.Profile
		r := Replay{Set: set, Workers: 1, Alert: func(*alert.Alert) error { return nil }, Story: &Story{Everyone: true,
			Activity: func(*incident.Activity) error { return nil },
			Profile:  func(p *incident.Profile) error { profiles = append(profiles, p); return nil },
		}}
		if _, err := r.Run(t.Context(), []Input{{Name: "test", From: bytes.NewReader(bytes.Join(records, []byte("\n")))}}); err != nil {
			t.Fatal(err)
		}
		if len(profiles) != 1 || len(profiles[0].Things) != 2 {
			t.Fatalf("%.20q: want one profile with two rules, got %+v", names, profiles)
		}
		for i, one := range profiles[0].Things {
			if gone := !one.Gone.IsZero(); gone != (i == 0) || !strings.Contains(one.Name, " #") {
				t.Errorf("%.20q: rule %d is %q, gone %v; want the first gone, and both marked as cut", names, i, one.Name, gone)
			}
		}
	}
}

// TestEachRightOfADelegateIsAThing: one right does not take the place of another, and goes alone.
func TestEachRightOfADelegateIsAThing(t *testing.T) {
	all := storySet(t)
	all.Rules = nil
	set := detector.New(all, detector.Options{})
	records := sampled(t, set, sampleEvent{like: "add-mailbox-permission", set: map[string]string{`"FullAccess"`: `"FullAccess, ReadPermission"`}},
		sampleEvent{like: "add-recipient-permission", at: time.Minute}, sampleEvent{like: "add-mailbox-permission", at: 2 * time.Minute},
		sampleEvent{like: "remove-mailbox-permission", at: time.Hour})
	var have []string
	r := Replay{Set: set, Workers: 1, Alert: func(*alert.Alert) error { return nil }, Story: &Story{Everyone: true,
		Activity: func(*incident.Activity) error { return nil },
		Profile: func(p *incident.Profile) error {
			for _, one := range p.Things {
				have = append(have, fmt.Sprint(one.Name, " ", one.Detail, " ", one.Gone.IsZero()))
			}
			return nil
		},
	}}
	if _, err := r.Run(t.Context(), []Input{{Name: "test", From: bytes.NewReader(bytes.Join(records, []byte("\n")))}}); err != nil {
		t.Fatal(err)
	}
	want := []string{"taro@contoso.example ReadPermission true", "taro@contoso.example SendAs true", "taro@contoso.example FullAccess false"}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("delegates and what they still have (-want +got):\n%s", diff)
	}
}

func asJSON(t *testing.T, v any) (out any) {
	t.Helper()
	b, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(b, &out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestLinesAreFoundByWhatTheyCompare(t *testing.T) {
	all := storySet(t)
	only := *all
	only.Rules = nil
	w := detector.New(&only, detector.Options{}).Worker()
	if err := w.ReadAlone([]byte(`{"CreationTime":"2026-01-02T03:04:05","Id":"1","Operation":"PageViewed","RecordType":4,"Workload":"SharePoint","UserId":"taro@contoso.example","OrganizationId":"t"}`), time.Time{}); err != nil {
		t.Fatal(err)
	}
	if hits := w.Match(nil); len(hits) > 0 || w.Candidates > 0 {
		t.Errorf("an ordinary event was tried on %d lines", w.Candidates)
	}
}
