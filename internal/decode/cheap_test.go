package decode

import (
	"testing"

	"noroshi/internal/event"
)

// Rules are looked up by values that cost no more than a look into the record. Those that most rules compare are among them: without
// one of them a rule is tried on many more records.
func TestWhatMostRulesCompareIsLookedUp(t *testing.T) {
	l := event.NewLayout()
	names := []string{"event.action", "event.provider", "event.code", "user.name", "user.id", "source.ip", "mailbox.owner", "app.id", "email.subject", "raw.ObjectId"}
	for _, name := range names {
		l.Slot(name)
	}
	p := NewPlan(l, Options{})
	for _, name := range names {
		slot, ok := l.Find(name)
		if !ok || p.Derived(slot) {
			t.Errorf("%s: known %v, worked out %v", name, ok, p.Derived(slot))
		}
	}
}
