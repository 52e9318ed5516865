package detector

import (
	"fmt"
	"testing"
	"time"

	"noroshi/internal/alert"
	"noroshi/internal/event"
)

const repeated = `id: rep
title: Repeated
severity: low
kind: threshold
when: event.action == "Send"
within: 10m
count: 2
repeat: %s
`

// TestWhatIsToldKeepsItsIdentity: an alert that has been told, and is told again after its rule has another `repeat`, has the id that it
// had, whether memory goes on or is read again.
func TestWhatIsToldKeepsItsIdentity(t *testing.T) {
	ways := []string{"each", "1h", "1d"}
	for _, from := range ways {
		for _, to := range ways {
			for _, restored := range []string{"renewed", "read again"} {
				t.Run(from+" to "+to+" "+restored, func(t *testing.T) {
					said := map[string]string{} // times and counts by id and revision
					revisions := map[string]int{}
					take := func(a *alert.Alert) {
						if was := revisions[a.ID]; a.Revision != was+1 {
							t.Errorf("%s: revision %d is behind %d", a.ID, a.Revision, was)
						}
						revisions[a.ID] = a.Revision
						said[a.ID] = fmt.Sprint(a.Time.Format("15:04:05"), " ", a.Window.Count)
					}
					before, after := setOf(t, fmt.Sprintf(repeated, from)), setOf(t, fmt.Sprintf(repeated, to))
					o := MemoryOptions{Live: true, Stored: true, Late: event.Late{Wait: time.Hour, Keep: time.Hour}}
					f := feed(t, before, o, take)
					for i, sec := range []int{10, 20, 30, 15} { // the last is late: what was told is told again
						f.next(fmt.Sprintf(`{"CreationTime":"2026-01-02T03:00:%02d","Id":"a-%d","Operation":"Send","RecordType":2,"OrganizationId":"t-1","UserType":0,"UserId":"taro@contoso.example"}`, sec, i))
					}
					known := len(said)
					f.memory.Changes(func(Row) {})
					m, err := after.Renew(f.memory, o, func([]byte) {})
					if restored != "renewed" {
						rows := after.Memory(o)
						f.memory.Rows(func(r Row) {
							if err := rows.Load(r); err != nil {
								t.Fatal(err)
							}
						})
						m = rows
					}
					if err != nil {
						t.Fatal(err)
					}
					m.Advance(time.Date(2026, 1, 4, 0, 0, 0, 0, time.UTC), take)
					if len(said) != known {
						t.Errorf("%d ids were told, then %d: %v", known, len(said), said)
					}
				})
			}
		}
	}
}
