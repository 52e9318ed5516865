package app

import (
	"fmt"
	"testing"

	"noroshi/internal/bus"
	"noroshi/internal/stage"
	"noroshi/internal/state"
)

// A record that satisfies no clause writes no row; one more of a key that is held writes what has come.
func TestARecordThatSatisfiesNothingWritesNoRow(t *testing.T) {
	x := newTicked(t, "id: a\ntitle: A\nseverity: low\nkind: threshold\ncount: 5\nwithin: 1h\nwhen: event.action == \"Send\"\n",
		"id: b\ntitle: B\nseverity: low\nkind: sequence\nwithin: 1h\nsteps: [{id: one, when: event.action == \"Send\"}, {id: two, when: event.action == \"Create\"}]\n")
	s := &session{run: x.run}
	s.turn()
	p := s.open(0).(*part)
	n := 0
	take := func(action string) (rows, sizes []int) {
		t.Helper()
		n++
		rec := fmt.Sprintf(`{"CreationTime":"2026-01-02T03:04:%02d","Id":"a-%d","Operation":"%s","RecordType":2,"OrganizationId":"t-1","UserType":0,"UserId":"taro@contoso.example","ClientIP":"203.0.113.1","ClientInfoString":"Client=OWA;Action=ViaProxy"}`, n, n, action)
		var out stage.Out
		if err := p.Do(&bus.Record{Value: []byte(rec)}, &out); err != nil {
			t.Fatal(err)
		}
		p.Pause(&out)
		p.Changes(func(_, memory []byte, form state.Form) {
			rows, sizes = append(rows, int(form)), append(sizes, len(memory))
		})
		return rows, sizes
	}
	if rows, _ := take("FileAccessed"); len(rows) > 0 {
		t.Errorf("a record of no rule writes %d rows", len(rows))
	}
	if rows, _ := take("Send"); len(rows) != 2 {
		t.Errorf("a record of two rules writes %d rows", len(rows))
	}
	take("Send")
	rows, sizes := take("Send")
	if len(rows) != 2 || rows[0] != int(state.Added) || rows[1] != int(state.Added) || sizes[0] > 60 || sizes[1] > 60 {
		t.Errorf("one more writes %v of %v bytes, expected what was added of two rules", rows, sizes)
	}
	if rows, _ := take("FileAccessed"); len(rows) > 0 {
		t.Errorf("a record of no rule writes %d rows", len(rows))
	}
}
