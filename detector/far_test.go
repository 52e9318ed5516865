package detector

import (
	"fmt"
	"testing"
	"time"

	"noroshi/internal/alert"
)

const quietly = `id: quiet
title: Quiet
severity: low
kind: silence
when: event.action == "Send"
longer: 1m
ratio: 2
`

// silences are the alerts of a silence for events of some times, as they come or in order, when the input ends at a time.
func silences(t *testing.T, inOrder bool, end time.Time, times ...string) (n int) {
	t.Helper()
	f := feed(t, ruleSet(t, quietly), MemoryOptions{}, func(*alert.Alert) { n++ })
	for i, at := range times {
		rec := fmt.Sprintf(`{"CreationTime":%q,"Id":"a-%d","Operation":"Send","RecordType":2,"OrganizationId":"t-1","UserType":0,"UserId":"taro@contoso.example"}`, at, i)
		if inOrder {
			f.next(rec)
		} else {
			f.record(rec)
		}
	}
	f.memory.End(end, f.take)
	return n
}

// TestTimesFarApart: a gap of centuries is a silence, and a clock beyond what 64 bits hold has passed everything.
func TestTimesFarApart(t *testing.T) {
	year := func(y int) time.Time { return time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC) }
	for _, y := range []int{2026, 2200, 2261, 2262, 2300, 2400, 9999} {
		if n := silences(t, true, year(y), "2025-06-01T00:00:00", "2025-06-01T00:00:30"); n != 1 {
			t.Errorf("at the end of %d: %d silences, want 1", y, n)
		}
	}
	for _, inOrder := range []bool{true, false} {
		if n := silences(t, inOrder, year(2027), "1700-01-01T00:00:00", "2026-01-01T00:00:00"); n != 2 {
			t.Errorf("in order %v: %d silences between 1700 and 2027, want 2", inOrder, n)
		}
	}
}
