package detector

import (
	"fmt"
	"testing"
	"time"

	"noroshi/internal/alert"
)

// TestSequencesAtEachSecond: the second before 1970 is like any other.
func TestSequencesAtEachSecond(t *testing.T) {
	const step = `, when: event.action == "Send"}`
	for _, at := range []string{"1969-12-31T23:59:58", "1969-12-31T23:59:59", "1970-01-01T00:00:00", "2026-01-02T03:04:05"} {
		n := 0
		f := feed(t, ruleSet(t, "id: two\ntitle: A\nseverity: low\nkind: sequence\nwithin: 1h\nrepeat: each\nsteps:\n  - {id: a"+step+"\n  - {id: b"+step+"\n"), MemoryOptions{}, func(*alert.Alert) { n++ })
		for i := range 2 {
			f.record(fmt.Sprintf(`{"CreationTime":%q,"Id":"a-%d","Operation":"Send","RecordType":2,"OrganizationId":"t-1","UserType":0,"UserId":"taro@contoso.example"}`, at, i))
		}
		f.memory.End(time.Date(2026, 1, 3, 0, 0, 0, 0, time.UTC), f.take)
		if n != 2 {
			t.Errorf("%s: %d alerts, want 2", at, n)
		}
	}
}
