package detector

import (
	"fmt"
	"testing"
	"time"

	"noroshi/internal/alert"
	"noroshi/internal/state"
)

// TestAnAccountInManyPlacesHoldsNobodyUp: a bot behind addresses all over the world. Its findings are bounded, and what is too many is
// counted.
func TestAnAccountInManyPlacesHoldsNobodyUp(t *testing.T) {
	text := "id: far\ntitle: Far\nseverity: low\nkind: travel\nwhen: auth.result == \"success\"\nwithin: 12h\nleast_km: 500\nleast_kmh: 900\n"
	told := map[string]bool{}
	f := feed(t, ruleSet(t, text), MemoryOptions{}, func(a *alert.Alert) { told[a.ID] = true })
	const places = 300
	for i := range places {
		at := time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC).Add(time.Duration(i) * 40 * time.Second).Format("2006-01-02T15:04:05.000Z")
		rec := fmt.Sprintf(`{"time":%q,"category":"SignInLogs","tenantId":"aaaabbbb-0000-cccc-1111-dddd2222eeee","resultType":"0","properties":{"id":"id-%d","createdDateTime":%q,"userPrincipalName":"taro@contoso.example","ipAddress":"203.0.113.7","status":{"errorCode":0},"isInteractive":true,"location":{"countryOrRegion":"JP","city":"c%d","geoCoordinates":{"latitude":%d,"longitude":%d}}}}`,
			at, i, at, i, i%17*10-80, i/17*20-170)
		f.next(rec)
	}
	f.memory.End(f.worker.Reader().Time(), f.take)
	if n := f.memory.Counts[0].Overflow; len(told) != state.MaxPairs || n < places*places/4 {
		t.Errorf("%d alerts, %d findings were too many", len(told), n)
	}
}
