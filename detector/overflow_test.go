package detector

import (
	"fmt"
	"testing"
	"time"

	"noroshi/internal/alert"
	"noroshi/internal/state"
)

// TestAFloodOfOneKeyIsOneAlert: what a key cannot hold goes and is counted, and the alert stays that of the first event for which
// the rule fired.
func TestAFloodOfOneKeyIsOneAlert(t *testing.T) {
	var all []alert.Alert
	f := feed(t, ruleSet(t, fmt.Sprintf(counting, "A", "low", "Send", "10m", 5)), MemoryOptions{}, func(a *alert.Alert) { all = append(all, *a) })
	const more = 2000
	for i := range state.MaxEntries + more {
		rec := fmt.Sprintf(`{"CreationTime":"2026-01-02T03:%02d:%02d","Id":"a-%06d","Operation":"Send","RecordType":2,"OrganizationId":"t-1","UserType":0,"UserId":"taro@contoso.example"}`, i/3000, i/50%60, i)
		f.next(rec)
	}
	f.memory.End(f.worker.Reader().Time(), f.take)
	if len(all) != 1 || all[0].Evidence[0].ID != "a-000000" && all[0].Evidence[0].ID != "a-000004" || !all[0].Time.Equal(time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)) {
		t.Fatalf("%d alerts: %+v", len(all), all)
	}
	for i, e := range all[0].Evidence[1:] { // what a memory keeps is its own: the bytes of records and hits are used again
		if want := state.MaxEntries + more - 25; i >= 25 && e.ID != fmt.Sprintf("a-%06d", want+i-24) {
			t.Errorf("evidence %d is %s", i+1, e.ID)
		}
	}
	if n := f.memory.Counts[0].Overflow; n != more {
		t.Errorf("%d events went, want %d", n, more)
	}
}
