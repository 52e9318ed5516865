package detector

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"noroshi/internal/alert"
	"noroshi/internal/diag"
	"noroshi/internal/state"
	"noroshi/rules"
)

// TestAnAccountInManyPlacesHoldsNobodyUp: a bot behind addresses all over the world. Its findings are bounded, and what is too many is
// counted.
func TestAnAccountInManyPlacesHoldsNobodyUp(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rule.yaml")
	text := "id: far\ntitle: Far\nseverity: low\nkind: travel\nwhen: auth.result == \"success\"\nwithin: 12h\nleast_km: 500\nleast_kmh: 900\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	rs, ps := rules.Load(rules.Options{Paths: []string{path}})
	if diag.Errors(ps) > 0 {
		t.Fatal(ps[0].Format())
	}
	set := New(rs, Options{})
	w, m := set.Worker(), set.Memory(MemoryOptions{})
	told := map[string]bool{}
	take := func(a *alert.Alert) { told[a.ID] = true }
	const places = 300
	var body []byte
	for i := range places {
		at := time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC).Add(time.Duration(i) * 40 * time.Second).Format("2006-01-02T15:04:05.000Z")
		rec := fmt.Sprintf(`{"time":%q,"category":"SignInLogs","tenantId":"aaaabbbb-0000-cccc-1111-dddd2222eeee","resultType":"0","properties":{"id":"id-%d","createdDateTime":%q,"userPrincipalName":"taro@contoso.example","ipAddress":"203.0.113.7","status":{"errorCode":0},"isInteractive":true,"location":{"countryOrRegion":"JP","city":"c%d","geoCoordinates":{"latitude":%d,"longitude":%d}}}}`,
			at, i, at, i, i%17*10-80, i/17*20-170)
		if err := w.ReadAlone([]byte(rec), time.Time{}); err != nil {
			t.Fatal(err)
		}
		m.Advance(w.Reader().Time(), take)
		body = w.Match(body[:0])
		EachHit(body, func(packed []byte) {
			if err := m.Apply(packed, take); err != nil {
				t.Fatal(err)
			}
		})
	}
	m.End(w.Reader().Time(), take)
	if n := m.Counts[0].Overflow; len(told) != state.MaxPairs || n < places*places/4 {
		t.Errorf("%d alerts, %d findings were too many", len(told), n)
	}
}
