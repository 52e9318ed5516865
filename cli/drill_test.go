package cli

import (
	"errors"
	"testing"
	"time"

	"noroshi/internal/app"
	"noroshi/sinks"
)

// TestADrillSaysWhatASinkWaitsFor, where it has not told in time.
func TestADrillSaysWhatASinkWaitsFor(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	waiting, none := int64(240), int64(0)
	states := map[string]app.SinkSum{
		"slow":   {State: sinks.Delivering, Waiting: &waiting, Oldest: now.Add(-2 * time.Hour)},
		"idle":   {State: sinks.Delivering, Waiting: &none},
		"paused": {State: sinks.Retrying, Fault: "connection refused", Next: now.Add(time.Minute)},
		"off":    {State: sinks.Dead},
	}
	for name, want := range map[string]string{
		"slow":   "it has 240 alerts to deliver, the oldest since 2h0m0s; the drill's comes behind them, and none faster than the sink's rate allows: take a longer --within",
		"idle":   "it delivers; take a longer --within",
		"paused": "it is retrying: connection refused; it tries again at 2026-01-02T03:05:05Z; noroshi sinks test paused says what to do",
		"off":    "it is dead; noroshi sinks test off says what to do",
		"other":  "no instance that runs delivers to it; noroshi status shows the roles",
	} {
		if got := waitsFor(states, nil, name, now); got != want {
			t.Errorf("%s: got  %s\nwant %s", name, got, want)
		}
	}
	if got, want := waitsFor(nil, errors.New("no answer"), "slow", now), "how the sink is is not known: no answer"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
