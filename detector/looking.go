package detector

import (
	"encoding/binary"
	"encoding/json"
	"slices"
	"strconv"

	"noroshi/internal/alert"
	"noroshi/internal/cond"
	"noroshi/internal/event"
	"noroshi/internal/state"
	"noroshi/rules"
	"noroshi/rules/kind"
)

// looker is a rule that looks at the alerts of another one.
type looker struct {
	rule    int32
	clauses uint8 // that these alerts satisfy
	because bool  // it asks which events counted for them
}

// levels is how many levels there are: rules of level 0 look at events alone, those of level n+1 at alerts of rules up to level n.
const levels = 1 + rules.MaxDeep

// look finds out which rules look at whose alerts.
func (s *Set) look() {
	var lookers []int
	for i, r := range s.rules {
		if slices.ContainsFunc(r.Kind.Clauses, func(c kind.Clause) bool { return c.Of != nil }) {
			lookers = append(lookers, i)
		}
	}
	for _, of := range s.rules {
		for _, i := range lookers {
			by := s.rules[i]
			if clauses := by.takes(of.Rule); clauses != 0 && of.State != rules.Shadow {
				events := slices.ContainsFunc(by.Kind.Clauses, func(c kind.Clause) bool { return c.Of == nil })
				of.lookers = append(of.lookers, looker{int32(i), clauses, events})
			}
		}
	}
	for range levels { // what one rule learns reaches the next
		for _, of := range s.rules {
			for _, l := range of.lookers {
				by := s.rules[l.rule]
				by.level = min(max(by.level, of.level+1), levels-1)
				by.wait = max(by.wait, of.wait+int64(of.Kind.Settles))
			}
		}
	}
}

// takes are the clauses of the rule that alerts of another one satisfy.
func (r *rule) takes(of *rules.Rule) (clauses uint8) {
	for bit, c := range r.Kind.Clauses {
		if slices.ContainsFunc(c.Of, of.Answers) {
			clauses |= 1 << bit
		}
	}
	return clauses
}

// subject is what an alert is about: the fields that rules see which look at it.
type subject map[event.Slot]kind.Value

// subjectFields are those of an alert's first event that rules see which look at it.
var subjectFields = []event.Slot{event.SourceIP, event.SourceCountry, event.SourceASN, event.UserName, event.UserKind, event.UserID, event.TargetName,
	event.Session, event.AppID}

// subjectOf is what an alert is about, while the texts speak of its first event. Its account is the alert's own.
func (m *Memory) subjectOf(r *rule, a *alert.Alert) subject {
	about := subject{}
	put := func(slot event.Slot, text string) {
		if text != "" {
			about[slot] = kind.Value{Has: true, Text: text}
		}
	}
	for _, slot := range subjectFields {
		put(slot, m.show.ev.Text(slot))
	}
	put(event.Account, a.Account)
	own := func(name string) event.Slot {
		slot, _ := m.set.scope.Layout.FindOwn(kind.AlertOwn(name))
		return slot
	}
	if slot := own(kind.AlertRule); slot != 0 {
		put(slot, r.ID)
	}
	if slot := own(kind.AlertPoints); slot != 0 {
		put(slot, strconv.Itoa(r.Points))
	}
	if slot := own(kind.AlertGuide); slot != 0 && len(r.Guide) > 0 {
		about[slot] = kind.Value{Has: true, List: r.Guide}
	}
	return about
}

// pass makes hits of an alert for the rules that look at it. They are applied when the one at hand has been, or given to whoever
// carries them to the memory that applies them.
func (m *Memory) pass(r *rule, a *alert.Alert, f *state.Finding, about subject) {
	shown, err := json.Marshal(alert.Shown{Rule: r.ID, Evidence: a.Evidence, Sessions: a.Sessions, Indicators: a.Indicators, Enrichment: a.Enrichment})
	if err != nil {
		for _, l := range r.lookers { // only facts could fail, and these are JSON
			m.Counts[l.rule].Undecided++
		}
		return
	}
	var because []byte
	revision := a.Revision
	if a.Partial { // what was told before goes on counting
		revision = 1
	}
	for _, l := range r.lookers {
		by := m.set.rules[l.rule]
		h := kind.Hit{Rule: l.rule, Time: a.Time, Enqueued: a.Times.Enqueued, ID: a.ID, Tenant: a.Tenant,
			Told: &kind.Told{Revision: revision, Late: a.Late, Shown: shown}}
		if l.because {
			if because == nil {
				because = becauseOf(f)
			}
			h.Told.Because = because
		}
		h.Raised = m.raisedBy(by, about)
		for _, slot := range by.carries {
			h.Values = append(h.Values, about[slot])
		}
		keys := by.keysOf(about, l.clauses)
		if len(keys) == 0 {
			m.Counts[l.rule].NoKey++
		}
		for _, k := range keys {
			h.Key, h.Clauses = k.key, k.clauses
			m.send(&h)
		}
	}
}

// raisedBy is the severity that an alert lifts those of a rule to that looks at it.
func (m *Memory) raisedBy(by *rule, about subject) (level uint8) {
	if len(by.Raise) == 0 {
		return 0
	}
	ev := event.New(m.set.scope.Layout, about)
	ev.Next()
	machine := cond.NewMachine(ev, m.set.scope)
	for i := range by.Raise {
		if holds, _ := machine.Holds(by.Raise[i].When); holds {
			level = max(level, uint8(by.Raise[i].To)+1)
		}
	}
	return level
}

// Text implements event.Source.
func (s subject) Text(slot event.Slot) string { return s[slot].Text }

// List implements event.Source.
func (s subject) List(slot event.Slot) []string { return s[slot].List }

// Has implements event.Source.
func (s subject) Has(slot event.Slot) bool { return s[slot].Has }

// leave takes an alert away from the keys under which it counted when it was told before: its first event was another one then.
func (m *Memory) leave(r *rule, a *alert.Alert, f *state.Finding, about subject) {
	var was kind.Hit
	if f.Was == nil || was.UnpackHeld(f.Was.Packed) != nil {
		return
	}
	m.show.stand(r, &was)
	before := *a
	before.Account = m.account(r, m.told())
	old := m.subjectOf(r, &before)
	for _, l := range r.lookers {
		now := m.set.rules[l.rule].keysOf(about, l.clauses)
		for _, k := range m.set.rules[l.rule].keysOf(old, l.clauses) {
			if !slices.ContainsFunc(now, func(n keyed) bool { return slices.Equal(n.key, k.key) }) {
				m.send(&kind.Hit{Rule: l.rule, Time: a.Time, ID: a.ID, Tenant: a.Tenant, Key: k.key, Clauses: k.clauses,
					Told: &kind.Told{Revision: a.Revision, Gone: true}})
			}
		}
	}
}

// send puts a hit behind those that wait, or gives it away.
func (m *Memory) send(h *kind.Hit) {
	at := len(m.waiting)
	m.waiting, _, _ = h.Append(append(m.waiting, 0, 0, 0, 0))
	putLength(m.waiting[at:], len(m.waiting)-at-4)
	if m.options.Send != nil && m.options.Send(m.waiting[at+4:]) {
		m.waiting = m.waiting[:at]
	}
}

// keysOf are the keys under which an alert counts, with the clauses that it satisfies there: none where a field is absent.
func (r *rule) keysOf(about subject, clauses uint8) (all []keyed) {
next:
	for bit, c := range r.Kind.Clauses {
		if clauses&(1<<bit) == 0 {
			continue
		}
		by := c.By
		if by == nil {
			by = r.Kind.By
		}
		key := make([]string, len(by))
		for i, f := range by {
			if key[i] = about[f.Slot].Text; key[i] == "" {
				continue next
			}
		}
		all = addKey(all, key, 1<<bit)
	}
	return all
}

// maxBecause is how many of the events that counted for an alert are told from others.
const maxBecause = 10_000

// becauseOf are the hashes of the events that counted for the first one.
func becauseOf(f *state.Finding) (all []byte) {
	one := func(e *state.Entry) { all = binary.BigEndian.AppendUint64(all, e.Hash()) }
	one(f.First)
	if f.With != nil {
		one(f.With)
	}
	for i := range f.Window[:min(len(f.Window), maxBecause)] {
		one(&f.Window[i])
	}
	return all
}
