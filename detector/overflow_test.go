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

// TestAFloodOfOneKeyIsOneAlert: what a key cannot hold goes and is counted, and the alert stays that of the first event for which
// the rule fired.
func TestAFloodOfOneKeyIsOneAlert(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "rule.yaml"), fmt.Appendf(nil, counting, "A", "low", "Send", "10m", 5), 0o600); err != nil {
		t.Fatal(err)
	}
	rs, ps := rules.Load(rules.Options{Paths: []string{dir}})
	if diag.Errors(ps) > 0 {
		t.Fatal(ps[0].Format())
	}
	set := New(rs, Options{})
	w, m := set.Worker(), set.Memory(MemoryOptions{})
	var all []alert.Alert
	take := func(a *alert.Alert) { all = append(all, *a) }
	const more = 2000
	var body []byte // used again for every record, as live and in replays
	for i := range state.MaxEntries + more {
		rec := fmt.Sprintf(`{"CreationTime":"2026-01-02T03:%02d:%02d","Id":"a-%06d","Operation":"Send","RecordType":2,"OrganizationId":"t-1","UserType":0,"UserId":"taro@contoso.example"}`, i/3000, i/50%60, i)
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
	if len(all) != 1 || all[0].Evidence[0].ID != "a-000000" && all[0].Evidence[0].ID != "a-000004" || !all[0].Time.Equal(time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)) {
		t.Fatalf("%d alerts: %+v", len(all), all)
	}
	for i, e := range all[0].Evidence[1:] { // what a memory keeps is its own: the bytes of records and hits are used again
		if want := state.MaxEntries + more - 25; i >= 25 && e.ID != fmt.Sprintf("a-%06d", want+i-24) {
			t.Errorf("evidence %d is %s", i+1, e.ID)
		}
	}
	if n := m.Counts[0].Overflow; n != more {
		t.Errorf("%d events went, want %d", n, more)
	}
}
