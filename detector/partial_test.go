package detector

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"noroshi/internal/alert"
	"noroshi/internal/event"
)

const forgetting = `id: a
title: A
severity: low
when: event.action == "Send"
`

// sendingAt is a record of one action at a time of the test's day.
func sendingAt(id string, at time.Duration) string {
	return fmt.Sprintf(`{"CreationTime":"%s","Id":"%s","Operation":"Send","RecordType":2,"OrganizationId":"t-1","UserType":0,"UserId":"taro@contoso.example"}`,
		time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC).Add(at).Format("2006-01-02T15:04:05"), id)
}

// TestWhatIsForgottenIsToldAsAPart: of a finding that memory has forgotten, what comes later than it is kept is a further revision, above
// all that were told before, and says that it is a part. While the events of a bucket are held, it is a revision as any other.
func TestWhatIsForgottenIsToldAsAPart(t *testing.T) {
	for name, c := range map[string]struct {
		rule  string
		at    time.Duration // of the first event, in the day
		clock time.Duration // when the others come, behind the first hour
		want  []string      // the events of what is told, and whether it is a part
	}{
		"a bucket of an hour, in time":           {"kind: match\nrepeat: 1h\n", 30 * time.Minute, 119 * time.Minute, []string{"1", "1 2", "1 2 3", "1 2 3 4"}},
		"a bucket of an hour, too late":          {"kind: match\nrepeat: 1h\n", 30 * time.Minute, 3 * time.Hour, []string{"1", "2 part", "3 part", "4 part"}},
		"neighbours that are held for longer":    {"kind: threshold\ncount: 2\nwithin: 1d\nrepeat: 1h\n", 30 * time.Minute, 12 * time.Hour, []string{"1 1b", "1 1b 2", "1 1b 2 3", "1 1b 2 3 4"}},
		"neighbours at the end of a long bucket": {"kind: threshold\ncount: 2\nwithin: 1h\nrepeat: 1d\n", 23*time.Hour + 10*time.Minute, 27 * time.Hour, []string{"1 1b", "1 1b 2 part", "1 1b 2 3 part", "1 1b 2 3 4 part"}},
		"neighbours that are gone":               {"kind: threshold\ncount: 2\nwithin: 10m\n", 30 * time.Minute, 4 * time.Hour, []string{"1 1b"}},
		"each event is an alert of its own":      {"kind: match\nrepeat: each\n", 30 * time.Minute, 3 * time.Hour, []string{"1", "2", "3", "4"}},
	} {
		for _, restored := range []bool{false, true} {
			t.Run(fmt.Sprint(name, " restored ", restored), func(t *testing.T) {
				set := setOf(t, forgetting+c.rule)
				o := MemoryOptions{Live: true, Stored: true, Late: event.Late{Wait: time.Hour, Keep: time.Hour}}
				now := time.Date(2026, 1, 2, 1, 0, 0, 0, time.UTC).Add(c.clock)
				var got []string
				last := map[string]int{}
				f := feed(t, set, o, func(a *alert.Alert) {
					said := ""
					for i, e := range a.Evidence {
						said += " "[:min(i, 1)] + e.ID
					}
					if a.Partial {
						said += " part"
					}
					if a.Partial && !a.Late {
						t.Errorf("%s is not late", said)
					}
					if a.Revision <= last[a.ID] {
						t.Errorf("%s: revision %d comes behind %d", said, a.Revision, last[a.ID])
					}
					last[a.ID] = a.Revision
					got = append(got, said)
				})
				again := func() {
					if !restored {
						return
					}
					m := set.Memory(o)
					m.Advance(now, func(*alert.Alert) { t.Error("reading told something") })
					f.memory.Rows(func(r Row) {
						if err := m.Load(r); err != nil {
							t.Fatal(err)
						}
					})
					f.memory = m
				}
				f.next(sendingAt("1", c.at))
				if strings.Contains(c.rule, "count") {
					f.next(sendingAt("1b", c.at))
				}
				f.memory.Advance(now, f.take)
				for i := range 3 { // two come at one time of the clock, another one later
					again()
					if i == 2 {
						now = now.Add(time.Second + time.Millisecond)
						f.memory.Advance(now, f.take)
					}
					f.record(sendingAt(fmt.Sprint(i+2), c.at+time.Duration(i+1)*time.Minute))
				}
				if !slices.Equal(got, c.want) {
					t.Errorf("got  %q\nwant %q", got, c.want)
				}
			})
		}
	}
}

// TestAPartCountsOnceForRulesOverAlerts: a rule that looks at an alert goes on with what was told of it first.
func TestAPartCountsOnceForRulesOverAlerts(t *testing.T) {
	var got []string
	f := feed(t, setOf(t, forgetting+"kind: match\nrepeat: 1h\n", "id: b\ntitle: B\nseverity: low\nkind: correlation\nof: [a]\nwithin: 2d\ncount: 1\n"),
		MemoryOptions{Live: true, Late: event.Late{Wait: time.Hour, Keep: time.Hour}},
		func(a *alert.Alert) {
			got = append(got, fmt.Sprint(a.Rule.ID, " ", len(a.Linked), " ", a.Time.Format("15:04"), " ", a.Partial))
		})
	f.next(sendingAt("1", 30*time.Minute))
	f.memory.Advance(time.Date(2026, 1, 2, 6, 0, 0, 0, time.UTC), f.take)
	f.record(sendingAt("2", 20*time.Minute))
	f.record(sendingAt("3", 40*time.Minute))
	want := []string{"a 0 00:30 false", "b 1 00:30 false", "a 0 00:20 true", "a 0 00:40 true"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
