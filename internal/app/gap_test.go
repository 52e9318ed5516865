package app

import (
	"encoding/json"
	"testing"
	"time"

	"noroshi/internal/alert"
	"noroshi/internal/bus"
)

// What our own readers miss is told by an alert that names the reader, and is the same however often it is told.
func TestMissedRecordsAreAnAlert(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	ids := map[string]bool{}
	for _, c := range []struct {
		gap  bus.Gap
		want string
	}{
		{bus.Gap{Topic: "noroshi.alerts", Group: "sink-soc", Partition: 2, From: 10, To: 209},
			"Records of noroshi.alerts/2 were deleted by the topic's retention before the sink soc read them: up to 200, with the offsets 10 to 209. The sink never gets these alerts: look for them in the other sinks."},
		{bus.Gap{Topic: "noroshi.alerts", Group: "sink-other", Partition: 2, From: 10, To: 209},
			"Records of noroshi.alerts/2 were deleted by the topic's retention before the sink other read them: up to 200, with the offsets 10 to 209. The sink never gets these alerts: look for them in the other sinks."},
		{bus.Gap{Topic: "noroshi.events", Group: "detector", From: 7, To: 7, Damaged: true},
			"Records of noroshi.events/0 are damaged on the disk, so that the detector could not read them: up to 1, with the offsets 7 to 7. What they tell was not evaluated: search it in the tenant's own audit log."},
	} {
		var first, again alert.Alert
		if err := json.Unmarshal(missedRecords(c.gap, now).Value, &first); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(missedRecords(c.gap, now.Add(time.Hour)).Value, &again); err != nil {
			t.Fatal(err)
		}
		if first.Summary != c.want || first.Rule.ID != "noroshi-log-gap" || first.ID != again.ID || ids[first.ID] {
			t.Errorf("the alert is %s of %s: %s", first.ID, first.Rule.ID, first.Summary)
		}
		ids[first.ID] = true
	}
}
