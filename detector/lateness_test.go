package detector

import (
	"testing"
	"time"

	"noroshi/internal/event"
)

// TestARuleIsAsLateAsItsDatasets: the longest of what its conditions admit and of what it needs.
func TestARuleIsAsLateAsItsDatasets(t *testing.T) {
	for name, c := range map[string]struct {
		rule string
		want event.Late
	}{
		"one": {"kind: threshold\ncount: 2\nwithin: 1m\nwhen: event.dataset == \"entra.signin\"\n", event.Late{Wait: 15 * time.Minute, Keep: 2 * time.Hour}},
		"two": {"kind: threshold\ncount: 2\nwithin: 1m\nwhen: event.dataset in [\"entra.signin\", \"defender.email_events\"]\n",
			event.Late{Wait: 30 * time.Minute, Keep: 6 * time.Hour}},
		"none":      {"kind: threshold\ncount: 2\nwithin: 1m\nwhen: event.action == \"Send\"\n", event.Late{Wait: time.Hour, Keep: 24 * time.Hour}},
		"needed":    {"kind: absence\nwhen: event.dataset == \"entra.signin\"\nwithout: {when: event.dataset == \"entra.signin\", after: 5m}\nneeds: [defender.email_events]\n", event.Late{Wait: 30 * time.Minute, Keep: 6 * time.Hour}},
		"two steps": {"kind: sequence\nwithin: 1h\nsteps:\n  - {id: a, when: event.dataset == \"entra.signin\"}\n  - {id: b, when: event.dataset == \"defender.email_events\"}\n", event.Late{Wait: 30 * time.Minute, Keep: 6 * time.Hour}},
		"a silence": {"kind: silence\nlonger: 1h\nby: [event.dataset]\n", event.Late{Wait: time.Hour, Keep: 24 * time.Hour}},
	} {
		if got := ruleSet(t, "id: a\ntitle: A\nseverity: low\n"+c.rule).Memory(MemoryOptions{Lateness: event.Lateness{}}).late[0]; got != c.want {
			t.Errorf("%s: %v; want %v", name, got, c.want)
		}
	}
}
