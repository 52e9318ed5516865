package detector

import (
	"fmt"
	"testing"
	"time"

	"noroshi/internal/alert"
	"noroshi/internal/event"
)

const spoken = `id: quiet
title: Quiet
severity: low
kind: silence
when: event.action == "Send"
by: [event.dataset]
longer: 20s
ratio: 5
history: 7d
`

// TestManyCellsOfAKey: a key that speaks in each second costs the same with each event, and of what it said no more is held than the
// bound. What is forgotten too early is counted, and no silence is told because of it.
func TestManyCellsOfAKey(t *testing.T) {
	var ids []string
	f := feed(t, ruleSet(t, spoken), MemoryOptions{Late: event.Late{Wait: time.Minute, Keep: time.Minute}}, func(a *alert.Alert) { ids = append(ids, a.ID) })
	start := time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)
	at := start
	for i := range 30_000 {
		at = at.Add(time.Second)
		if i == 100 {
			at = at.Add(18 * time.Second) // a pause, of which later ones may be five times as long
		}
		f.next(fmt.Sprintf(`{"CreationTime":"%s","Id":"a-%d","Operation":"Send","RecordType":2,"OrganizationId":"t-1","UserType":0,"UserId":"taro@contoso.example"}`, at.Format("2006-01-02T15:04:05"), i))
	}
	f.memory.End(at.Add(90*time.Second), f.take)
	if len(ids) != 0 {
		t.Errorf("%d silences, though longer pauses were usual", len(ids))
	}
	if f.memory.Counts[0].Overflow == 0 {
		t.Error("nothing was counted")
	}
}
