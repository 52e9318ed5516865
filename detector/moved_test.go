package detector

import (
	"fmt"
	"testing"
	"time"

	"noroshi/internal/alert"
)

// TestWhatWasToldOfAnAlertThatMovedStands: live, an event that comes late makes an alert earlier, so that it lies in another window. What
// a rule has told of the alert at its old time stands; with the events in order the rule finds nothing.
func TestWhatWasToldOfAnAlertThatMovedStands(t *testing.T) {
	set := ruleSet(t, "id: sends\ntitle: S\nseverity: low\nkind: threshold\nwhen: event.action == \"Send\"\nwithin: 2h\ncount: 2\n",
		"id: makes\ntitle: M\nseverity: low\nwhen: event.action == \"New-InboxRule\"\n",
		"id: both\ntitle: B\nseverity: low\nkind: correlation\nof: [sends, makes]\nwithin: 30m\ncount: 2\n")
	record := func(id, action string, minute int) string {
		at := time.Date(2026, 1, 2, 3, minute, 0, 0, time.UTC).Format("2006-01-02T15:04:05")
		return fmt.Sprintf(`{"CreationTime":%q,"Id":%q,"Operation":%q,"RecordType":2,"OrganizationId":"t-1","UserType":0,"UserId":"taro@contoso.example"}`, at, id, action)
	}
	early, others := record("a", "Send", 1), []string{record("b", "Send", 2), record("c", "Send", 50), record("d", "New-InboxRule", 55)}
	for _, x := range []struct {
		name    string
		live    bool
		records []string
		sends   time.Duration // after three o'clock
		both    int
	}{
		{"in order", false, append([]string{early}, others...), 2 * time.Minute, 0},
		{"live, one late", true, append(others, early), 2 * time.Minute, 1},
	} {
		t.Run(x.name, func(t *testing.T) {
			last := map[string]alert.Alert{}
			both := map[string]bool{}
			f := feed(t, set, MemoryOptions{Live: x.live}, func(a *alert.Alert) {
				if last[a.Rule.ID] = *a; a.Rule.ID == "both" {
					both[a.ID] = true
				}
			})
			for _, rec := range x.records {
				f.record(rec)
			}
			f.memory.End(time.Date(2026, 1, 4, 0, 0, 0, 0, time.UTC), f.take)
			if at := last["sends"].Time; !at.Equal(time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC).Add(x.sends)) {
				t.Errorf("the alert that moves is at %v", at)
			}
			if len(both) != x.both {
				t.Errorf("%d alerts about both, want %d", len(both), x.both)
			}
			if x.both > 0 && !last["both"].Time.Equal(time.Date(2026, 1, 2, 3, 55, 0, 0, time.UTC)) {
				t.Errorf("what was told has moved to %v", last["both"].Time)
			}
		})
	}
}
