package feed

import (
	"errors"
	"testing"
	"time"
)

// A fault stays until a message is stored, or until the stream was opened again and says that nothing waits. Where it does not
// answer the lag is not known.
func TestAFaultStaysUntilReadingGoesOn(t *testing.T) {
	away := errors.New("away")
	for name, c := range map[string]struct {
		do    func(p *Partition)
		fault error
		lag   int64
	}{
		"nothing was said":                  {func(*Partition) {}, away, -1},
		"it answers":                        {func(p *Partition) { p.saw(State{First: 0, Last: 4}, time.Time{}) }, away, 0},
		"it is opened":                      {func(p *Partition) { p.open() }, away, -1},
		"it is opened, and nothing waits":   {func(p *Partition) { p.open(); p.saw(State{First: 0, Last: 4}, time.Time{}) }, nil, 0},
		"it is opened, and something waits": {func(p *Partition) { p.open(); p.saw(State{First: 0, Last: 7}, time.Time{}) }, away, 3},
		"it is opened and fails again": {func(p *Partition) {
			p.open()
			p.restarted("stream", away)
			p.saw(State{First: 0, Last: 4}, time.Time{})
		}, away, 0},
		"a message is stored": {func(p *Partition) {
			p.saw(State{First: 0, Last: 7}, time.Time{})
			p.committed(NewTally(), &Position{Sequence: 5}, time.Time{})
		}, nil, 2},
		"it does not answer any more": {func(p *Partition) { p.saw(State{First: 0, Last: 7}, time.Time{}); p.unseen() }, away, -1},
	} {
		var all Counts
		p := all.partition("audit", 0)
		p.at(Position{Sequence: 4})
		p.restarted("stream", away)
		c.do(p)
		if s := all.Snapshot()[0]; !errors.Is(s.Fault, c.fault) || s.Lag() != c.lag {
			t.Errorf("%s: the fault is %v, the lag %d; want %v, %d", name, s.Fault, s.Lag(), c.fault, c.lag)
		}
	}
	var all Counts
	all.fails("audit", away)
	if !errors.Is(all.Fault("audit"), away) || all.Fault("other") != nil {
		t.Error("the fault of a source is not kept")
	}
	if all.fails("audit", nil); all.Fault("audit") != nil {
		t.Error("it stays")
	}
}
