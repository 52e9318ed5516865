package feed

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestAFaultIsToldOnceThenEachMinute, and at once when it has become another.
func TestAFaultIsToldOnceThenEachMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told, times := telling{}, 0
		for range 40 { // for 20 minutes
			if told.due("stream") {
				times++
			}
			if err := told.pause(t.Context(), 30*time.Second); err != nil {
				t.Fatal(err)
			}
		}
		if times != 20 {
			t.Errorf("told %d times in 20 minutes", times)
		}
		told.due("stream")
		if !told.due("kafka") || told.due("kafka") || !told.due("stream") {
			t.Error("another fault is not told at once, or twice")
		}
	})
}
