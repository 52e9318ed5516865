package app

import (
	"fmt"
	"testing"
	"time"
)

// TestNoClockPassesASourceThatIsBehind: whatever is killed, moves, is read again or comes to nothing, and in whatever order memory is read,
// the clock of a partition stands behind what was read of the source partition that is furthest behind; over signals, by all partitions of
// events. So the late rules of both stages tell what one reader of all records finds, and nothing else.
func TestNoClockPassesASourceThatIsBehind(t *testing.T) {
	for seed := range uint64(10) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w := newWorld(t, seed)
			for _, s := range w.sources { // nobody reads some of them for a while
				s.stalled = w.now.Add(time.Duration(w.IntN(180)-60) * time.Second)
			}
			for range 4000 {
				w.step()
			}
			for _, s := range w.sources { // behind all that is decided
				s.begun, s.at = true, w.now.Add(time.Hour)
				w.emit(s)
			}
			w.settle()
			want := w.replayed()
			foreign, missing := map[string]int{}, map[string]int{}
			for id, a := range w.told {
				if want[id] == nil {
					foreign[a.Rule.ID]++
				}
				if a.Clock != "" {
					t.Errorf("%s goes by the clock %q", a.Rule.ID, a.Clock)
				}
			}
			for id, a := range want {
				if w.told[id] == nil {
					missing[a.Rule.ID]++
				}
			}
			if len(foreign)+len(missing) > 0 || len(want) < 20 {
				t.Errorf("of %d alerts: told and found by no replay %v, missing %v", len(want), foreign, missing)
			}
		})
	}
}
