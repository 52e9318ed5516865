package detector

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"noroshi/internal/alert"
	"noroshi/internal/event"
	"noroshi/internal/state"
	"noroshi/rules"
	"noroshi/rules/kind"
)

// Standing is how far a rule is from firing for a key, or for an event. It holds until the memory is used again.
type Standing struct {
	Rule     *rules.Rule
	Tenant   string
	Key      []string
	Event    Held  // that is asked about
	Clauses  uint8 // that it satisfies
	Excused  bool
	Progress *kind.Progress
	// Unshown are the datasets that would have to show something before the rule fires, and have not.
	Unshown []string

	number int32
	memory *Memory
	table  *table
	asked  kind.Memory
	of     kind.Asked
	clock  state.Context
}

// Raised is the severity that the event that is asked about lifts an alert to, by its place, from 1; 0 where it lifts none.
func (s *Standing) Raised() uint8 {
	if s.of.Hit == nil {
		return 0
	}
	return s.of.Hit.Raised
}

// ToldBefore is the alert that tells the event that is asked about, and the event for which it was told first, where that is another.
func (s *Standing) ToldBefore() (id string, first Held, told bool) {
	p := s.Progress
	if p == nil || p.Told == nil {
		return "", Held{}, false
	}
	return alert.ID(s.Tenant, s.Rule.ID, s.Key, strconv.FormatInt(p.Bucket, 10)), s.See(p.Told), true
}

// Held is an event that a memory holds, as far as it holds it, or an alert, by its id.
type Held struct {
	ID, Action, Account string
	Rule                string // of an alert
	Time                time.Time
	Facts               []Fact
}

// Fact is a value of an event, as JSON.
type Fact struct {
	Name  string
	Value json.RawMessage
}

// Explain says how far its rule is from firing for a packed hit that has been applied, with the clock at a time. Ended says that the
// input has ended there. The memory stays as it is.
func (m *Memory) Explain(packed []byte, now int64, ended Ended) (*Standing, error) {
	var h kind.Hit
	if err := h.Unpack(packed); err != nil {
		return nil, fmt.Errorf("explain hit: %w", err)
	}
	r := m.set.rules[h.Rule]
	s := &Standing{Rule: r.Rule, Tenant: h.Tenant, Key: h.Key, Clauses: h.Clauses, Excused: h.Excused, number: h.Rule, memory: m}
	held, head := h.Parts(packed)
	e := state.Entry{Time: h.Time.UnixNano(), Packed: held, Head: int32(head), Clauses: h.Clauses}
	s.Event = s.See(&e)
	if r.Kind.Memory == nil {
		s.Progress = &kind.Progress{Fires: true, From: state.Never, To: state.Never, Left: state.Never, Waits: state.Never, Later: state.Never}
		return s, nil
	}
	t := m.tables[h.Rule][h.Tenant]
	if t == nil {
		s.Progress = &kind.Progress{Gone: true}
		return s, nil
	}
	memory, have := t.Look(joined(nil, h.Key))
	if !have {
		s.Progress = &kind.Progress{Gone: true}
		return s, nil
	}
	s.table = t
	s.ask(memory, kind.Asked{Hit: &h, Entry: e}, now, ended)
	return s, nil
}

// Ended says whether more events come.
type Ended bool

// Whether more events come.
const (
	MoreComes Ended = false
	AtTheEnd  Ended = true
)

// ask asks a memory; Progress is nil where it holds nothing.
func (s *Standing) ask(memory kind.Memory, of kind.Asked, now int64, ended Ended) {
	s.asked, s.of, s.clock = memory, of, *s.memory.contextOf(s.table)
	s.clock.Now, s.clock.Ended = max(now, s.clock.Now), bool(ended)
	s.again()
	p := s.Progress
	if p == nil {
		return
	}
	for _, name := range s.Rule.Kind.Needs {
		if p.To != state.Never && (s.memory.asking.shown == nil || !s.memory.asking.shown.Shows(s.Tenant, name, p.To, state.WaitMost)) {
			s.Unshown = append(s.Unshown, name)
		}
	}
}

// Whole adds the events that count, and when they are too old.
func (s *Standing) Whole() {
	if s.of.Hit != nil && !s.of.Whole {
		s.of.Whole = true
		s.again()
	}
}

func (s *Standing) again() {
	if x, ok := s.asked.(kind.Explaining); ok {
		s.memory.contextOf(s.table)
		s.Progress = x.Explain(&s.clock, &s.of)
	}
}

// Looks says at what rules look.
type Looks uint8

// What rules look at.
const (
	AtEvents Looks = iota
	AtAlerts       // too: they know all of it when the memory has ended
)

// Standings gives how far the rules that remember are from firing for an account at a time: for each key that holds it, and for each
// other key of which an event of the account is held; without an account for each key.
func (m *Memory) Standings(account string, of Looks, now int64, ended Ended, each func(*Standing)) {
	for i, r := range m.set.rules {
		if (r.level > 0) != (of == AtAlerts) {
			continue
		}
		for _, tenant := range sorted(m.tables[i]) {
			t := m.tables[i][tenant]
			t.Each(func(key string, memory kind.Memory) {
				s := &Standing{Rule: r.Rule, Tenant: tenant, Key: parted(nil, key, len(r.Kind.By)), number: int32(i), memory: m, table: t}
				own := r.accountOf(s.Key)
				if own != "" && account != "" && !strings.EqualFold(own, account) {
					return
				}
				s.ask(memory, kind.Asked{Whole: true}, now, ended)
				if s.Progress != nil && (own != "" || account == "" || s.knows(account)) {
					each(s)
				}
			})
		}
	}
}

// Newest is the time of the newest event that windows hold under the keys of an account; math.MinInt64 if they hold none.
func (m *Memory) Newest(account string) (newest int64) {
	newest = math.MinInt64
	for i, r := range m.set.rules {
		for _, t := range m.tables[i] {
			t.Each(func(key string, memory kind.Memory) {
				if w, ok := memory.(interface{ Newest() int64 }); ok && strings.EqualFold(r.accountOf(parted(nil, key, len(r.Kind.By))), account) {
					newest = max(newest, w.Newest())
				}
			})
		}
	}
	return newest
}

// knows reports whether one of the events that are held is of an account.
func (s *Standing) knows(account string) bool {
	for i := range s.Progress.Parts {
		for _, e := range s.Progress.Parts[i].Entries {
			if strings.EqualFold(s.See(e).Account, account) {
				return true
			}
		}
	}
	return false
}

// See reads an entry that the memory holds.
func (s *Standing) See(e *state.Entry) Held {
	var h kind.Hit
	if h.UnpackHeld(e.Packed) != nil {
		return Held{Time: time.Unix(0, e.Time).UTC()}
	}
	r, show := s.memory.set.rules[s.number], &s.memory.show
	show.stand(r, &h)
	seen := Held{ID: strings.Clone(h.ID), Action: strings.Clone(h.Action), Account: show.text(event.Account), Time: h.Time}
	if h.Told != nil {
		var shown struct{ Rule string }
		_ = json.Unmarshal(h.Told.Shown, &shown) // without it the alert is told by its id alone
		seen.Rule = shown.Rule
	}
	for _, f := range r.facts {
		if b := show.appendValue(nil, f.slot); len(b) > 0 {
			seen.Facts = append(seen.Facts, Fact{Name: show.ev.Layout().Def(f.slot).Name, Value: b})
		}
	}
	return seen
}

// Takes are the rules whose alerts satisfy a clause, sorted by id.
func (s *Standing) Takes(clause int) (ids []string) {
	r := s.memory.set.rules[s.number]
	for _, of := range s.memory.set.rules {
		if of.State != rules.Shadow && r.takes(of.Rule)&(1<<clause) != 0 {
			ids = append(ids, of.ID)
		}
	}
	slices.Sort(ids)
	return ids
}

// Values are the different values that entries have of the field that the rule counts, sorted, the first of them.
func (s *Standing) Values(all []*state.Entry) []string {
	counted := make([]state.Counted, len(all))
	for i, e := range all {
		counted[i] = state.Counted{Entry: e}
	}
	return valuesOf(&state.Finding{Counted: counted})
}
