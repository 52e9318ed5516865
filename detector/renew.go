package detector

import (
	"container/heap"
	"fmt"
	"slices"
	"time"

	"noroshi/internal/alert"
	"noroshi/internal/state"
	"noroshi/rules"
	"noroshi/rules/kind"
)

// The ways in which a rule changes.
const (
	Added   = "added"
	Removed = "removed"
	Changed = "changed"
)

// Change is what becomes of a rule when one set takes the place of another.
type Change struct {
	Rule      string
	What      string        // Added, Removed or Changed
	Remembers bool          // the rule has memory
	Kept      bool          // what it remembers is kept
	Longer    time.Duration // how much further back its windows reach than before: for so long memory is not whole
}

// Since are the differences to an earlier set, rule by rule: those that this one has, in its order, then those that are gone.
func (s *Set) Since(was *Set) (all []Change) {
	before := map[string]*rule{}
	for _, r := range was.rules[:was.plain] {
		before[r.ID] = r
	}
	for _, r := range s.rules[:s.plain] {
		old := before[r.ID]
		delete(before, r.ID)
		c := Change{Rule: r.ID, What: Changed, Remembers: r.Kind.Memory != nil}
		switch {
		case old == nil:
			c.What = Added
		case old.version == r.version && old.saying() == r.saying():
			continue
		default:
			c.Kept = c.Remembers && old.Kind.Memory != nil && old.version == r.version
			c.Longer = max(0, r.Kind.Within-old.Kind.Within)
		}
		all = append(all, c)
	}
	for _, r := range was.rules[:was.plain] {
		if before[r.ID] != nil {
			all = append(all, Change{Rule: r.ID, What: Removed, Remembers: r.Kind.Memory != nil})
		}
	}
	return all
}

// saying is all of a rule that may change while its version stays.
func (r *rule) saying() string {
	said := fmt.Sprint(r.Revision, r.State, r.Severity, r.Points, r.Class)
	for _, x := range r.Unless {
		if x.Outside {
			said += fmt.Sprintf(" %q %s", x.When.Source, x.Until)
		}
	}
	return said
}

// Identity is a text for each rule that differs where the rule does.
func (s *Set) Identity() (all []string) {
	for _, r := range s.rules[:s.plain] {
		all = append(all, fmt.Sprint(r.ID, " ", r.version, " ", r.saying()))
	}
	return all
}

// Fires reports whether an alert of the set can reach anybody.
func (s *Set) Fires() bool {
	return slices.ContainsFunc(s.rules[:s.plain], func(r *rule) bool { return r.State == rules.Live })
}

// Renew makes a memory of this set out of one of another set whose changes have all been given. What a rule remembers goes on where its
// version is the same; gone is given the keys of the rows of what does not, which hold until it returns. The other memory is spent.
func (s *Set) Renew(was *Memory, o MemoryOptions, gone func(key []byte)) (*Memory, error) {
	m := s.Memory(o)
	m.setClocks(was)
	m.renewPeople(was)
	at := map[string]int32{}
	for i, r := range s.rules {
		at[r.ID] = int32(i)
	}
	for i, tenants := range was.tables {
		old := was.set.rules[i]
		n, there := at[old.ID]
		kept := there && s.rules[n].Kind.Memory != nil && s.rules[n].version == old.version && o.Stage.has(s.rules[n])
		for _, tenant := range sorted(tenants) {
			t := tenants[tenant]
			switch {
			case !kept:
				give := was.rowsOf(t, func(r Row) { gone(r.Key) })
				t.Each(func(key string, _ kind.Memory) { give(key, nil, state.Gone) })
			case m.alike(n, was, int32(i)):
				m.adopt(t, n)
			default:
				if err := m.copy(t, n); err != nil {
					return nil, err
				}
			}
		}
	}
	return m, nil
}

// setClocks sets the clocks to where those of another memory stand: they never go back.
func (m *Memory) setClocks(was *Memory) {
	for i := range m.levels {
		if to, from := m.levels[i].one, was.levels[i].one; to != nil && from != nil {
			to.now, to.sources = from.now, from.sources
		}
	}
	if m.options.Clocks == nil {
		return
	}
	for key, from := range was.groups {
		to := m.newGroup(from.level)
		to.tenant, to.datasets, to.wall, to.crossed, to.now, to.sources, to.begun = from.tenant, from.datasets, from.wall, from.crossed, from.now, from.sources, from.begun
		m.groups[key] = to
	}
}

// alike reports whether the tables of another memory's rule serve a rule as they are.
func (m *Memory) alike(n int32, was *Memory, i int32) bool {
	r, old := m.set.rules[n], was.set.rules[i]
	return r.saying() == old.saying() && m.late[n] == was.late[i] && r.wait == old.wait && len(r.Kind.Of) == 0 && len(r.Kind.Needs) == 0 &&
		m.options.Keys == was.options.Keys
}

// adopt takes a table over from another memory.
func (m *Memory) adopt(t *table, rule int32) {
	t.rule, t.noted, t.group = rule, false, m.groupOf(m.set.rules[rule], t.tenant)
	t.Evicting = m.at // of the rule at hand
	if m.tables[rule] == nil {
		m.tables[rule] = map[string]*table{}
	}
	m.tables[rule][t.tenant] = t
	heap.Push(&t.group.due, t)
}

// copy reads what a table of another memory holds.
func (m *Memory) copy(from *table, rule int32) (err error) {
	to := m.table(rule, from.tenant)
	m.telling.rule, m.telling.tenant, m.telling.each = rule, from.tenant, func(*alert.Alert) {} // of keys that go for it
	from.Rows(func(key string, row []byte) {
		if err == nil {
			err = to.Load(m.standing(to), key, row)
		}
	})
	if err != nil {
		return fmt.Errorf("take over memory of %s: %w", m.set.rules[rule].ID, err)
	}
	to.Anew()
	to.group.due.plan(to)
	m.note(to)
	return nil
}

// Knows reports whether the key of a row is of a rule of the set.
func (s *Set) Knows(key []byte) bool {
	f := state.Read(key)
	id, version := string(f.Bytes()), string(f.Bytes())
	return slices.ContainsFunc(s.rules[:s.plain], func(r *rule) bool { return r.ID == id && r.version == version && r.Kind.Memory != nil })
}

// VersionOf names the rule that the key of a row is of, and its version.
func VersionOf(key []byte) string {
	f := state.Read(key)
	id, version := string(f.Bytes()), string(f.Bytes())
	return id + "@" + version
}
