package detector

import (
	"bytes"
	"container/heap"
	"slices"
	"time"

	"noroshi/internal/alert"
	"noroshi/internal/event"
	"noroshi/internal/state"
	"noroshi/rules/kind"
)

// MemoryOptions say how a memory is used.
type MemoryOptions struct {
	// Stage says whose hits the memory takes.
	Stage Stage
	// Live tells every revision of an alert; else each alert is told once, in its last one.
	Live bool
	// Stored keeps in mind what changes, for Changes.
	Stored bool
	// Keys is how many keys of one tenant a rule holds; 0: DefaultKeys.
	Keys int
	// Lateness is how late events come, by the datasets that a rule looks at. Where it is nil it is Late for all.
	Lateness event.Lateness
	Late     event.Late
	// KeepAlerts is how long rules that look at alerts keep a window at least after its end: who explains them asks when all alerts
	// have been told.
	KeepAlerts time.Duration
	// Send takes the packed hits of alerts that other rules look at, and reports whether another memory applies them; nil: this one
	// does. The bytes hold until it returns.
	Send func(packed []byte) bool
	// Clocks are how far the sources have come, for Follow; nil: there is one clock, which Advance moves.
	Clocks Clocks
	// Crossed is, in the second stage, how far its partitions have come, and with them the alerts that cross from them to this one: the
	// clock of a tenant that rules of all partitions have followed, to which alerts have crossed once less. Rules to which they have
	// crossed follow it: their clock never passes an alert that is on its way. nil: they follow Clocks.
	Crossed func(tenant string, crossings int) int64
	// Shown says when datasets have shown events, all that will ever come; nil: Clocks know, or nothing is known of it, and nothing is
	// decided late.
	Shown *Shown
	// Story takes what belongs into accounts' stories though no rule fires; nil: nobody asks.
	Story *Story
}

// DefaultKeys is how many keys of one tenant a rule holds in a partition.
const DefaultKeys = 200_000

// Memory is what the rules of a set keep of one partition's events. It belongs to one goroutine.
type Memory struct {
	set     *Set
	options MemoryOptions
	tables  []map[string]*table // by rule: by tenant
	levels  [levels]level
	groups  map[string]*group // by the clock that they wait for
	context state.Context
	late    []event.Late // by rule
	waiting []byte       // hits of alerts that wait to be applied, as Worker.Match gives them
	show    shower
	hit     kind.Hit
	first   kind.Hit       // of the finding that is told
	counted kind.Hit       // one that counted for it
	shared  *kind.Together // hits of one record
	common  kind.Hit       // the one of them at hand
	parts   bool           // it is at hand, not hit
	key     []byte
	// Cut counts the alerts that did not fit.
	Cut int
	// Counts are the bounds that have bitten, by rule.
	Counts []state.Counts

	telling struct { // whose finding is told
		rule   int32
		tenant string
		key    []string // nil: what packed says
		packed string   // the key as the table has it
		each   func(*alert.Alert)
	}
	asking    asking
	order     []byte
	readParts []*part  // of which shown is kept
	changed   []*table // have something for Changes
	sweeping  []*table // wait for Sweep
	sweeps    bool     // a round of it is under way
	people    people
}

// Memory makes an empty memory.
func (s *Set) Memory(o MemoryOptions) *Memory {
	if o.Keys == 0 {
		o.Keys = DefaultKeys
	}
	m := &Memory{set: s, options: o, tables: make([]map[string]*table, len(s.rules)), Counts: make([]state.Counts, len(s.rules)), groups: map[string]*group{}}
	m.context = state.Context{Live: o.Live, Complete: o.Shown != nil, Shown: &m.asking, Tell: m.tell, Hold: m.hold}
	m.shared = kind.NewTogether(len(s.carried))
	switch {
	case o.Shown != nil:
		m.asking.shown = o.Shown
	case o.Clocks != nil:
		m.asking.shown, m.asking.clocks = o.Clocks, o.Clocks
	}
	if o.Clocks == nil {
		for i := range m.levels {
			m.levels[i].one = m.newGroup(i)
		}
	}
	m.show.init(s)
	m.people.of, m.people.round = map[whose]*person{}, 1
	for _, r := range s.rules {
		late := o.Late
		if o.Lateness != nil {
			late = o.Lateness.Worst(r.datasets)
		}
		if r.level > 0 {
			late.Keep = max(late.Keep, o.KeepAlerts)
		}
		m.late = append(m.late, late)
	}
	return m
}

// Apply takes the next packed hit, or those of a record together, and gives each alert that they complete. The alert, and the texts in
// it, live until each returns; the bytes may be used again when Apply has returned.
// An alert of a rule that is not live says so in its State, and is not for delivery.
//
// Rules that look at alerts are served in the same call: each alert that is told becomes a hit for them. A further revision of an
// alert takes the place of the one before, also where its time has moved, so what such a rule finds in the end is what it would have
// found with the last revisions alone; only what it has told before stands. Live, where the two rules' keys lie in different
// partitions, MemoryOptions.Send carries the packed hits, in their order, to the memory that has the other key; that one applies them
// like any other. Hits that come twice, or an earlier revision behind a later one, change nothing.
func (m *Memory) Apply(packed []byte, each func(*alert.Alert)) error {
	if kind.IsTogether(packed) {
		return m.applyTogether(packed, each)
	}
	if err := m.apply(packed, each); err != nil {
		return err
	}
	m.applyWaiting(each)
	return nil
}

// applyTogether applies the hits of one record.
func (m *Memory) applyTogether(packed []byte, each func(*alert.Alert)) error {
	h := &m.common
	if err := m.shared.Read(packed, h); err != nil {
		return err
	}
	for {
		more, err := m.shared.Next()
		if err != nil || !more {
			return err
		}
		if h.Rule < 0 || int(h.Rule) >= len(m.set.rules) {
			return kind.ErrHit
		}
		r := m.set.rules[h.Rule]
		looks := r.numbers[:len(r.Kind.Looks)]
		if r.line != nil {
			looks = r.numbers
		}
		m.shared.Look(looks)
		head := m.shared.Head()
		e := state.Entry{Time: h.Time.UnixNano(), Packed: head, Head: int32(len(head)), Clauses: h.Clauses}
		if slices.ContainsFunc(r.lists, m.shared.Has) {
			e.List()
		}
		m.parts = true
		if r.Kind.Memory == nil {
			e.Packed = m.hold(head)
		}
		m.take(r, h, e, each)
		m.parts = false
		m.applyWaiting(each)
	}
}

// hold gives what memory keeps of the hit at hand.
func (m *Memory) hold(packed []byte) []byte {
	if m.parts {
		return m.shared.Held(m.set.rules[m.common.Rule].numbers)
	}
	return bytes.Clone(packed)
}

// applyWaiting applies the hits of alerts that have been told, and those of the alerts that these complete.
func (m *Memory) applyWaiting(each func(*alert.Alert)) {
	for len(m.waiting) > 0 {
		now := m.waiting
		m.waiting = nil
		EachHit(now, func(packed []byte) { _ = m.apply(packed, each) }) // they have been packed here
	}
}

func (m *Memory) apply(packed []byte, each func(*alert.Alert)) error {
	h := &m.hit
	if err := h.Unpack(packed); err != nil {
		return err
	}
	if h.Rule < 0 || int(h.Rule) >= len(m.set.rules) {
		return kind.ErrHit
	}
	m.take(m.set.rules[h.Rule], h, windowEntry(packed, h), each)
	return nil
}

// take gives a hit to its memory.
func (m *Memory) take(r *rule, h *kind.Hit, e state.Entry, each func(*alert.Alert)) {
	m.telling.rule, m.telling.tenant, m.telling.each = h.Rule, h.Tenant, each
	m.telling.key, m.telling.packed = h.Key, ""
	if r.line != nil {
		m.takeLine(r, h)
		return
	}
	if r.Kind.Memory == nil {
		m.tellAlone(h, e)
		return
	}
	t := m.table(h.Rule, h.Tenant)
	c := m.contextOf(t)
	m.key = joined(m.key[:0], h.Key)
	memory := t.Use(c, m.key)
	m.telling.key, m.telling.packed = h.Key, "" // another one may have gone
	memory.Add(c, h, e)
	t.Used(c)
	t.group.due.plan(t)
	m.note(t)
}

// tellAlone tells what a rule without memory finds.
func (m *Memory) tellAlone(h *kind.Hit, e state.Entry) {
	m.tell(&state.Finding{Anchor: h.Same().Anchor(), Time: e.Time, First: &e, Counted: []state.Counted{{Entry: &e, Fires: true}}, Revision: 1, Final: true})
}

// windowEntry is a packed hit as windows hold it.
func windowEntry(packed []byte, h *kind.Hit) state.Entry {
	held, head := h.Parts(packed)
	e := state.Entry{Time: h.Time.UnixNano(), Packed: held, Head: int32(head), Clauses: h.Clauses}
	if slices.ContainsFunc(h.Values, func(v kind.Value) bool { return len(v.List) > 0 }) {
		e.List()
	}
	if h.Told != nil {
		e.Link()
		if h.Told.Late {
			e.Delay()
		}
		if h.Told.Gone {
			e.Leave()
		}
	}
	return e
}

// table is the memory of a rule for a tenant.
func (m *Memory) table(rule int32, tenant string) *table {
	t := m.tables[rule][tenant]
	if t == nil {
		if m.tables[rule] == nil {
			m.tables[rule] = map[string]*table{}
		}
		t = &table{Table: state.NewTable(m.options.Keys, m.set.rules[rule].Kind.Memory), rule: rule, tenant: clone(tenant), next: state.Never}
		t.Evicting = m.at
		if m.options.Stored {
			t.Track()
		}
		m.tables[rule][t.tenant] = t
		t.group = m.groupOf(m.set.rules[rule], t.tenant)
		heap.Push(&t.group.due, t)
	}
	return t
}

// contextOf is the context for a table; it holds until the next call. A rule that looks at alerts waits for as long as they grow.
func (m *Memory) contextOf(t *table) *state.Context {
	if !t.group.begun {
		m.follow(t.group)
	}
	return m.standing(t)
}

// standing is contextOf where the clock stays where it is.
func (m *Memory) standing(t *table) *state.Context {
	r, g := m.set.rules[t.rule], t.group
	c := &m.context
	c.Now, c.Sources, c.Ended = g.now, g.sources, m.levels[g.level].ended
	c.Counts = &m.Counts[t.rule]
	c.Keep, c.Wait = int64(m.late[t.rule].Keep), int64(m.late[t.rule].Wait)+r.wait
	m.asking.tenant, m.asking.names, m.asking.wait = t.tenant, r.Kind.Needs, c.Wait
	return c
}

// visit is what the memory of a table is given: the context, and what tells whose memory it is.
func (m *Memory) visit(t *table, each func(*alert.Alert)) (c *state.Context, at func(key string)) {
	m.telling.rule, m.telling.tenant, m.telling.each = t.rule, t.tenant, each
	return m.contextOf(t), m.at
}

// at says whose memory is used, by the key as the table has it. Most of the time nothing is told of it.
func (m *Memory) at(key string) { m.telling.key, m.telling.packed = nil, key }

// told is the key of which something is told.
func (m *Memory) told() []string {
	if t := &m.telling; t.packed != "" {
		t.key, t.packed = parted(nil, t.packed, len(m.set.rules[t.rule].Kind.By)), ""
	}
	return m.telling.key
}

// close tells what has not been told of the rules of a level, in their order.
func (m *Memory) close(at int, each func(*alert.Alert)) {
	for i, tenants := range m.tables {
		if m.set.rules[i].level != at {
			continue
		}
		for _, tenant := range sorted(tenants) {
			t := tenants[tenant]
			t.Close(m.visit(t, each))
		}
	}
}

// Keys is the number of keys that are held.
func (m *Memory) Keys() (n int) {
	for _, tenants := range m.tables {
		for _, t := range tenants {
			n += t.Len()
		}
	}
	return n
}

// Order is what the alert told last sorts by: the first event for which its rule fires, and the rule.
func (m *Memory) Order() []byte { return m.order }

// Rule is the number of the rule of the alert told last.
func (m *Memory) Rule() int32 { return m.telling.rule }
