package detector

import (
	"fmt"
	"testing"
	"time"

	"noroshi/internal/alert"
)

// TestAQuestionOfALongWindowUnpacksNothing: for a new event a rule asks the entries that the key holds, be they thousands, and unpacks
// none of them again, nor does an alert about what all of them show. What is unpacked is allocated, so the allocations for a record do
// not grow with the window.
func TestAQuestionOfALongWindowUnpacksNothing(t *testing.T) {
	const failed, told = "id: failed\ntitle: F\nseverity: low\nwhen: event.action == \"UserLoginFailed\"\n", "%s\ntitle: S\nseverity: low\nwithin: 7d\n%s"
	for name, text := range map[string]string{
		"a sequence of alerts and other events": "kind: sequence\nsteps:\n  - {id: a, of: [failed], count: 2}\n  - {id: b, when: event.action == \"UserLoggedIn\"}\n",
		"a sequence of alerts and what counted for them": "kind: sequence\nsteps:\n  - {id: a, of: [failed], count: 2}\n" +
			"  - {id: b, when: event.action startsWith \"UserLog\"}\n",
		"an alert about each alert": "kind: correlation\nof: [failed]\ncount: 2\nrepeat: each\n",
	} {
		t.Run(name, func(t *testing.T) {
			f := feed(t, ruleSet(t, failed, fmt.Sprintf(told, "id: told", text)), MemoryOptions{}, func(*alert.Alert) {})
			i := 0
			next := func() {
				at := time.Date(2026, 1, 2, 3, 0, i, 0, time.UTC).Format(time.RFC3339)
				f.next(fmt.Sprintf(`{"CreationTime":%q,"Id":"a-%06d","Operation":%q,"RecordType":15,"OrganizationId":"t-1","UserType":0,"UserId":"taro@contoso.example"}`,
					at, i, []string{"UserLoginFailed", "UserLoggedIn"}[i%2]))
				i++
			}
			after := func(n int) float64 {
				for i < n {
					next()
				}
				return testing.AllocsPerRun(100, next)
			}
			few, many := after(300), after(3000)
			t.Logf("%.0f allocations for a record, %.0f in a long window", few, many)
			if many > 2*few {
				t.Errorf("%.0f allocations for a record in a long window, %.0f in a shorter one", many, few)
			}
		})
	}
}
