package detector

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"noroshi/internal/alert"
	"noroshi/internal/cond"
	"noroshi/internal/event"
	"noroshi/internal/state"
	"noroshi/rules"
	"noroshi/rules/kind"
)

// shower makes alerts of findings: it gives the texts of a rule the values that a hit carries.
type shower struct {
	set     *Set
	machine *cond.Machine
	ev      *event.Event
	rule    *rule
	hit     *kind.Hit
	own     map[event.Slot]kind.Value
	facts   []byte
}

func (s *shower) init(set *Set) {
	s.set = set
	s.ev = event.New(set.scope.Layout, s)
	s.machine = cond.NewMachine(s.ev, set.scope)
}

// stand makes a hit the event that texts speak of.
func (s *shower) stand(r *rule, h *kind.Hit) {
	s.rule, s.hit = r, h
	s.ev.Next()
}

// at is the value of a slot.
func (s *shower) at(slot event.Slot) kind.Value {
	if s.set.scope.Layout.Def(slot).Own() {
		return s.own[slot]
	}
	if int(slot) < len(s.rule.at) {
		if i := s.rule.at[slot]; i >= 0 && int(i) < len(s.hit.Values) {
			return s.hit.Values[i]
		}
	}
	return kind.Value{}
}

// Text implements event.Source.
func (s *shower) Text(slot event.Slot) string { return s.at(slot).Text }

// List implements event.Source.
func (s *shower) List(slot event.Slot) []string { return s.at(slot).List }

// Has implements event.Source.
func (s *shower) Has(slot event.Slot) bool { return s.at(slot).Has }

// tell makes an alert of a finding and gives it on. The first event for which the rule fires speaks for the others.
func (m *Memory) tell(f *state.Finding) {
	t := &m.telling
	r, key := m.set.rules[t.rule], m.told()
	first := &m.first
	if first.UnpackHeld(f.First.Packed) != nil {
		return
	}
	s := &m.show
	s.stand(r, first)
	s.own = m.ownOf(r, f)
	at := time.Unix(0, f.Time).UTC()
	a := alert.Alert{
		Schema: alert.Schema, ID: alert.ID(t.tenant, r.ID, key, f.Anchor...), Status: alert.Firing, Revision: f.Revision, Late: f.Late, Partial: f.Part, Rule: r.head, Severity: r.severity(f),
		Tenant: t.tenant, Account: m.account(r, key), Actor: alert.Actor{Name: s.ev.Text(event.UserName), Kind: s.ev.Text(event.UserKind), ID: s.ev.Text(event.UserID)},
		Target: s.ev.Text(event.TargetName), Time: at, Window: m.window(r, f), Group: make(map[string]string, len(key)), DedupKey: alert.DedupKey(t.tenant, r.ID, key),
		Source: s.source(), Times: alert.Times{Happened: at, Enqueued: first.Enqueued},
	}
	if r.State != rules.Live {
		a.State = string(r.State)
	}
	if f.Wall {
		a.Clock = alert.Wall
	}
	for i, f := range r.Kind.By {
		a.Group[f.Name] = key[i]
	}
	a.Summary = s.summary()
	for _, r := range r.Respond {
		a.Respond = append(a.Respond, alert.Remedy{ID: r.ID, Text: alert.OneLine(s.machine.Render(r.Text), alert.MaxSummary), Command: command(s.machine.RenderQuoted(r.Command))})
	}
	var about subject
	if len(r.lookers) > 0 {
		about = m.subjectOf(r, &a)
	}
	m.evidence(&a, r, f)
	a.Fit()
	if len(a.Cut) > 0 {
		m.Cut++
	}
	m.order = append(append(m.order[:0], f.First.Identity()...), byte(t.rule>>24), byte(t.rule>>16), byte(t.rule>>8), byte(t.rule))
	if about != nil {
		m.pass(r, &a, f, about)
		m.leave(r, &a, f, about)
	}
	t.each(&a)
	m.mark(r, &a)
}

// severity is the rule's, or the highest to which an event lifts it for which the rule fires.
func (r *rule) severity(f *state.Finding) string {
	if len(r.Raise) == 0 {
		return r.Severity
	}
	level := max(f.Raised, kind.Raised(f.First))
	for _, c := range f.Counted {
		if c.Fires {
			level = max(level, kind.Raised(c.Entry))
		}
	}
	return rules.Severities[max(int(level)-1, slices.Index(rules.Severities, r.Severity))]
}

// account is whom an alert is about: the account of the key; that of the event where the rule says so; else nobody, so that a
// bystander gets no incident.
func (m *Memory) account(r *rule, key []string) string {
	if own := r.accountOf(key); own != "" || !r.Kind.About {
		return own
	}
	return m.show.ev.Text(event.Account)
}

// accountOf is the account of a key, "" where the key holds none.
func (r *rule) accountOf(key []string) string {
	for i, f := range r.Kind.By {
		if f.Slot == event.Account {
			return key[i]
		}
	}
	return ""
}

// window is the span of what counted.
func (m *Memory) window(r *rule, f *state.Finding) alert.Window {
	n := len(f.Counted)
	w := alert.Window{First: time.Unix(0, f.Counted[0].Time).UTC(), Last: time.Unix(0, f.Counted[n-1].Time).UTC(), Count: max(n, f.Total)}
	if r.Kind.Distinct {
		w.Distinct = f.Distinct
	}
	if r.Kind.Sum {
		w.Sum = f.Sum
	}
	return w
}

func (s *shower) source() alert.Source {
	asn, _ := strconv.Atoi(s.ev.Text(event.SourceASN))
	return alert.Source{IP: s.ev.Text(event.SourceIP), Country: s.ev.Text(event.SourceCountry), ASN: asn}
}

// ownOf are the values that the memory gives to the rule's texts.
func (m *Memory) ownOf(r *rule, f *state.Finding) map[event.Slot]kind.Value {
	if r.Summary == nil {
		return nil
	}
	l := m.set.scope.Layout
	own := map[event.Slot]kind.Value{}
	put := func(name, text string) {
		if slot, ok := l.FindOwn(name); ok {
			own[slot] = kind.Value{Has: true, Text: text}
		}
	}
	w := m.window(r, f)
	put(kind.WindowCount, strconv.Itoa(w.Count))
	put(kind.WindowDistinct, strconv.Itoa(w.Distinct))
	put(kind.WindowSum, strconv.FormatFloat(w.Sum, 'f', -1, 64))
	put(kind.WindowFirst, w.First.Format(time.RFC3339))
	put(kind.WindowLast, w.Last.Format(time.RFC3339))
	if slot, ok := l.FindOwn(kind.WindowValues); ok && r.Kind.Distinct && slices.Contains(r.Summary.Slots(), slot) {
		own[slot] = kind.Value{Has: true, List: valuesOf(f)}
	}
	for i, step := range r.Kind.Steps {
		for _, field := range r.Kind.StepFields(l, i) {
			if slot, ok := l.FindOwn(kind.StepName(step.ID, field.Name)); ok {
				own[slot] = m.stepValue(r, f, i, field.Slot)
			}
		}
	}
	return own
}

// maxShown is how many different values a text shows.
const maxShown = 10

// valuesOf are the different values that counted, sorted, the first of them.
func valuesOf(f *state.Finding) []string {
	all := map[string]struct{}{}
	var h kind.Hit
	for _, c := range f.Counted {
		if h.UnpackHeld(c.Packed) != nil || len(h.Values) == 0 {
			continue
		}
		if t := h.Values[0].Text; t != "" {
			all[strings.Clone(t)] = struct{}{}
		}
		for _, t := range h.Values[0].List {
			if t != "" {
				all[strings.Clone(t)] = struct{}{}
			}
		}
	}
	list := slices.Sorted(maps.Keys(all))
	return list[:min(len(list), maxShown)]
}

// stepValue is a field of the last event of the first finding's window that satisfies a step.
func (m *Memory) stepValue(r *rule, f *state.Finding, step int, slot event.Slot) kind.Value {
	var h kind.Hit
	for i := len(f.Window) - 1; i >= 0; i-- {
		if e := &f.Window[i]; e.Clauses&(1<<step) != 0 {
			if h.UnpackHeld(e.Packed) == nil && int(r.at[slot]) < len(h.Values) && r.at[slot] >= 0 {
				return h.Values[r.at[slot]]
			}
			break
		}
	}
	return kind.Value{}
}

// summary is the rule's text for the event at hand.
func (s *shower) summary() string {
	if s.rule.Summary == nil {
		return alert.OneLine(s.rule.Title+": "+s.ev.Text(event.Account), alert.MaxSummary)
	}
	return alert.OneLine(s.machine.Render(s.rule.Summary), alert.MaxSummary)
}

// command is a command on one line, nothing where it is too long: a part of it would be another command.
func command(text string) string {
	if len(text) > alert.MaxCommand {
		return ""
	}
	return alert.OneLine(text, alert.MaxCommand)
}

func (s *shower) text(slot event.Slot) string { return strings.Clone(s.ev.Text(slot)) }

// factsOf is a JSON object of the fields that the rule names, as far as the event has them and they fit.
func (s *shower) factsOf(r *rule) (facts []byte, cut bool) {
	b := append(s.facts[:0], '{')
	for _, f := range r.facts {
		at := len(b)
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(b, f.name...)
		n := len(b)
		if b = s.appendValue(b, f.slot); len(b) == n {
			b = b[:at]
		} else if len(b) >= alert.MaxFacts { // room for the brace
			b, cut = b[:at], true
		}
	}
	s.facts = append(b, '}')
	return slices.Clone(s.facts), cut
}

// appendValue appends a slot's value as JSON, nothing where the event has none.
func (s *shower) appendValue(b []byte, slot event.Slot) []byte {
	v := s.at(slot)
	switch s.set.scope.Layout.Def(slot).Type {
	case event.List:
		if len(v.List) == 0 {
			return b
		}
		for i, t := range v.List {
			b = alert.AppendQuoted(append(b, "[,"[min(i, 1)]), t)
		}
		return append(b, ']')
	case event.Number:
		if n, ok := event.NumberOf(v.Text); ok {
			return strconv.AppendFloat(b, n, 'f', -1, 64)
		}
		return b
	case event.Bool:
		if v.Text != "" {
			return strconv.AppendBool(b, v.Text == "true")
		}
		return b
	}
	if v.Text != "" {
		return alert.AppendQuoted(b, v.Text)
	}
	return b
}

// add appends a text that is there and new.
func add(all []string, s string) []string { return addUpTo(all, s, 1<<30) }

func addUpTo(all []string, s string, most int) []string {
	if s == "" || len(all) >= most || slices.Contains(all, s) {
		return all
	}
	return append(all, strings.Clone(s))
}

func clone(s string) string { return strings.Clone(s) }

func sorted(m map[string]*table) []string { return slices.Sorted(maps.Keys(m)) }
