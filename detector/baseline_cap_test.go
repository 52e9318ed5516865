package detector

import (
	"fmt"
	"testing"
	"time"

	"noroshi/internal/alert"
	"noroshi/internal/event"
)

// TestABusyBucketAccusesNobody: of a bucket with more events than can be told from repeats no more count; they are counted, and
// records that come again make no alert.
func TestABusyBucketAccusesNobody(t *testing.T) {
	const rule = "id: more\ntitle: A\nseverity: low\nkind: baseline\nwhen: event.action == \"Send\"\nbucket: 1h\nratio: 1.1\nfloor: 100\nhistory: 2h\nlearn: 1h\n"
	for _, n := range []int{9000, 12000} {
		alerts := 0
		f := feed(t, ruleSet(t, rule), MemoryOptions{Live: true, Late: event.Late{Wait: time.Hour, Keep: 24 * time.Hour}}, func(*alert.Alert) { alerts++ })
		for pass := range 3 { // the second hour comes twice
			hour := min(pass, 1)
			for i := range n {
				f.next(fmt.Sprintf(`{"CreationTime":"2026-01-02T%02d:%02d:%02d","Id":"a-%d-%d","Operation":"Send","RecordType":2,"OrganizationId":"t-1","UserType":0,"UserId":"taro@contoso.example"}`,
					3+hour, i/60%60, i%60, hour, i))
			}
		}
		f.memory.End(time.Date(2026, 1, 2, 6, 0, 0, 0, time.UTC), f.take)
		if over := f.memory.Counts[0].Overflow; alerts != 0 || over > 0 != (n > 10_000) {
			t.Errorf("%d events an hour: %d alerts, %d counted", n, alerts, over)
		}
	}
}

// TestPlacesOfOneName: two places of one name are as far apart as their coordinates say.
func TestPlacesOfOneName(t *testing.T) {
	const rule = "id: far\ntitle: A\nseverity: low\nkind: travel\nwhen: auth.result == \"success\"\nwithin: 12h\nleast_km: 500\nleast_kmh: 900\n"
	alerts := 0
	f := feed(t, ruleSet(t, rule), MemoryOptions{}, func(*alert.Alert) { alerts++ })
	for i, lon := range []string{"-74.006", "-122.419"} {
		f.record(fmt.Sprintf(`{"time":"2026-01-02T03:%02d:00Z","category":"SignInLogs","tenantId":"t-1","operationName":"Sign-in activity","resultType":"0","properties":{"id":"s-%d","createdDateTime":"2026-01-02T03:%02d:00Z","userPrincipalName":"taro@contoso.example","status":{"errorCode":0},"location":{"countryOrRegion":"US","geoCoordinates":{"latitude":40.0,"longitude":%s}}}}`, i, i, i, lon))
	}
	f.memory.End(time.Date(2026, 1, 3, 0, 0, 0, 0, time.UTC), f.take)
	if alerts != 1 {
		t.Errorf("%d alerts, want 1", alerts)
	}
}
