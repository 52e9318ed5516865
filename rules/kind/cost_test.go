package kind

import (
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"noroshi/internal/state"
)

// one is the packed hit of an event, and its entry.
func one(at time.Time, id string, clauses uint8) state.Entry {
	packed, body, head := (&Hit{Time: at, ID: id}).Append(nil)
	return state.Entry{Time: at.UnixNano(), Packed: packed[:body], Head: int32(head), Clauses: clauses}
}

// TestAFloodThatHasFiredIsNotAskedAgain: events at one time, late events and events that are buckets of their own look at what they
// complete, and not at what has been completed.
func TestAFloodThatHasFiredIsNotAskedAgain(t *testing.T) {
	const n = 1000
	start := time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)
	for name, at := range map[string]func(i int) time.Time{
		"at one time": func(int) time.Time { return start },
		"backwards":   func(i int) time.Time { return start.Add(time.Duration(n-i) * time.Second) },
	} {
		t.Run(name, func(t *testing.T) {
			looks := 0
			values := func(e *state.Entry) []uint64 {
				looks++
				return []uint64{1, 2}
			}
			w := state.NewWindow(&state.Spec{Kind: &enough{distinct: 2}, Within: int64(time.Hour), Repeat: int64(time.Hour), Values: values, Anchor: identity})
			c := &state.Context{Keep: day, Counts: &state.Counts{}, Tell: func(*state.Finding) {}}
			for i := range n {
				w.Add(c, one(at(i), fmt.Sprintf("%04d", i), 1))
			}
			if most := 50 * n; looks > most {
				t.Errorf("%d entries were looked at for %d events, more than %d", looks, n, most)
			}
		})
	}
}

// TestAlertsBesideTheirEventsAreSearchedToTheEnd: events of one second, and an alert of each. Of each two one fills a place, so nothing
// is found as long as they are too few, and the search sees it at once.
func TestAlertsBesideTheirEventsAreSearchedToTheEnd(t *testing.T) {
	for _, steps := range [][]step{
		{{count: 20, alerts: true}, {count: 20}},
		{{count: 20}, {count: 20, alerts: true}},
	} {
		for events := 21; events <= 40; events += 19 { // 40 are enough
			s := &sequence{steps: steps}
			fires := 0
			w := state.NewWindow(&state.Spec{Kind: s, Within: int64(time.Hour), Second: true, Because: because, Anchor: identity, Later: later})
			c := &state.Context{Live: true, Keep: day, Counts: &state.Counts{}, Tell: func(*state.Finding) { fires++ }}
			at := time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)
			alert, event := uint8(1), uint8(2)
			if !steps[0].alerts {
				alert, event = 2, 1
			}
			for i := range events {
				e := one(at, fmt.Sprintf("event-%d", i), event)
				w.Add(c, e)
				a := Hit{Time: at, ID: fmt.Sprintf("alert-%d", i), Told: &Told{Revision: 1, Because: binary.BigEndian.AppendUint64(nil, e.Hash())}}
				packed, body, head := a.Append(nil)
				x := state.Entry{Time: at.UnixNano(), Packed: packed[:body], Head: int32(head), Clauses: alert}
				x.Link()
				w.Add(c, x)
			}
			if c.Counts.Undecided > 0 || (fires > 0) != (events == 40) {
				t.Errorf("%v, %d events: %d told, %d undecided", steps, events, fires, c.Counts.Undecided)
			}
		}
	}
}
