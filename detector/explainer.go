package detector

import (
	"bytes"
	"cmp"
	"slices"

	"noroshi/internal/state"
)

// Explainer asks a memory about events, each when nothing that comes can change the answer: of events that come in order.
type Explainer struct {
	memory  *Memory
	waiting []waiting // by later
	alerts  [][]byte  // hits of rules that look at alerts, which are told late
	tell    func(packed []byte, s *Standing)
}

// waiting is an event about which events to come decide, too.
type waiting struct {
	packed []byte
	later  int64
}

// NewExplainer makes an explainer that gives each answer to tell. The packed hit and the answer hold until tell returns.
func NewExplainer(m *Memory, tell func(packed []byte, s *Standing)) *Explainer {
	return &Explainer{memory: m, tell: tell}
}

// Ask asks about a packed hit that has just been applied. The bytes are copied.
func (x *Explainer) Ask(packed []byte) error {
	s, err := x.memory.Explain(packed, x.memory.levels[0].one.now, MoreComes)
	if err != nil {
		return err
	}
	if x.memory.set.rules[s.number].level > 0 {
		x.alerts = append(x.alerts, bytes.Clone(packed))
		return nil
	}
	if s.Progress == nil || s.Progress.Gone || s.Progress.Later == state.Never {
		x.tell(packed, s)
		return nil
	}
	x.wait(waiting{bytes.Clone(packed), s.Progress.Later})
	return nil
}

func (x *Explainer) wait(one waiting) {
	at, _ := slices.BinarySearchFunc(x.waiting, one, func(a, b waiting) int { return cmp.Or(cmp.Compare(a.later, b.later), -1) })
	x.waiting = slices.Insert(x.waiting, at, one)
}

// Before answers what the clock passes that is about to move to a time.
func (x *Explainer) Before(now int64) error {
	for len(x.waiting) > 0 && x.waiting[0].later < now {
		one := x.waiting[0]
		x.waiting = x.waiting[1:]
		s, err := x.memory.Explain(one.packed, now, MoreComes)
		switch {
		case err != nil:
			return err
		case s.Progress != nil && s.Progress.Later >= now && s.Progress.Later != state.Never:
			x.wait(waiting{one.packed, s.Progress.Later}) // it is decided later than it seemed
		default:
			x.tell(one.packed, s)
		}
	}
	return nil
}

// End answers what is left when the input has ended, before the memory ends.
func (x *Explainer) End(now int64) error {
	for _, w := range x.waiting {
		s, err := x.memory.Explain(w.packed, now, AtTheEnd)
		if err != nil {
			return err
		}
		x.tell(w.packed, s)
	}
	x.waiting = nil
	return nil
}

// Ended answers what rules that look at alerts make of events, when the memory has ended: all alerts have been told.
func (x *Explainer) Ended(now int64) error {
	for _, packed := range x.alerts {
		s, err := x.memory.Explain(packed, now, AtTheEnd)
		if err != nil {
			return err
		}
		x.tell(packed, s)
	}
	x.alerts = nil
	return nil
}
