package detector

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"noroshi/internal/alert"
	"noroshi/internal/event"
	"noroshi/internal/state"
	"noroshi/rules"
)

// Row is the memory of one key of one rule, or the one clock, in a form that outlives the process.
type Row struct {
	Key   []byte // rule, version, tenant and the key's values; empty: the one clock
	Value []byte
	Form  state.Form // of the value, where Changes or Sweep gives it
}

// RowKey is whose memory a row holds.
type RowKey struct {
	Rule    string
	Version string // of what the rule remembers
	Tenant  string
	Key     []string // the values of the rule's key
}

// ReadRowKey reads the key of a row. The error tells that the bytes are none.
func ReadRowKey(key []byte) (k RowKey, err error) {
	f := state.Read(key)
	k.Rule, k.Version, k.Tenant = string(f.Bytes()), string(f.Bytes()), string(f.Bytes())
	values := state.Read(f.Bytes())
	for values.Len() > 0 {
		k.Key = append(k.Key, string(values.Bytes()))
	}
	return k, errors.Join(f.Err(), values.Err())
}

// Version is that of what a rule of the set remembers, "" where the set has no such rule or the rule remembers nothing.
func (s *Set) Version(rule string) string {
	for _, r := range s.rules {
		if r.ID == rule && r.Kind.Memory != nil {
			return r.version
		}
	}
	return ""
}

// ErrVersion says that a row is of a rule that the set does not have, or of one that remembers in another way or in another stage.
var ErrVersion = errors.New("the rule is gone, or remembers in another way now")

// versionOf is all that decides what a rule's memory holds, as a short text. A change of anything else keeps the memory.
func (r *rule) versionOf(l *event.Layout) string {
	h := sha256.New()
	say := func(parts ...any) {
		for _, p := range parts {
			t := fmt.Sprint(p)
			fmt.Fprintf(h, "%d:%s", len(t), t)
		}
	}
	own := slices.DeleteFunc(slices.Clone(r.Unless), func(x rules.Exception) bool { return x.Outside })
	say(r.Kind.Name(), len(r.Kind.Clauses), len(r.Kind.Shape), len(own))
	for _, c := range r.Kind.Clauses {
		if c.When != nil {
			say(c.When.Source)
		}
		if c.Of != nil {
			say("of", c.Of)
		}
		say("by", len(c.By))
		for _, f := range c.By {
			say(f.Name)
		}
	}
	for _, x := range own {
		say(x.When.Source, x.Until)
	}
	for _, x := range r.Raise {
		say(x.To, x.When.Source)
	}
	for _, f := range r.Kind.By {
		say(f.Name)
	}
	for _, s := range r.Kind.Shape {
		say(s)
	}
	for _, slot := range r.carries {
		say(l.Def(slot).Name)
	}
	return hex.EncodeToString(h.Sum(nil))[:16]
}

// Rows gives the whole memory, key by key, and the one clock, if there is one. A row's bytes hold until each returns.
func (m *Memory) Rows(each func(Row)) {
	if one := m.levels[0].one; one != nil {
		each(Row{Value: binary.AppendVarint(nil, one.now)})
	}
	for _, tenants := range m.tables {
		for _, tenant := range sorted(tenants) {
			t := tenants[tenant]
			give := m.rowsOf(t, each)
			t.Rows(func(key string, row []byte) { give(key, row, state.Whole) })
		}
	}
	m.peopleRows(each)
}

// Changes gives the rows of the keys that have changed since it was called last, or since the memory was loaded. A row's bytes hold until
// each returns.
func (m *Memory) Changes(each func(Row)) {
	for _, t := range m.changed {
		t.noted = false
		t.Changes(m.rowsOf(t, each))
	}
	clear(m.changed)
	m.changed = m.changed[:0]
	m.peopleChanges(each)
}

// Sweep gives whole rows of keys, about as many bytes as there is room; Changes must have given what has changed. When it reports that the
// round has ended, Changes or Sweep have given each key whole since it began. A row's bytes hold until each returns.
func (m *Memory) Sweep(room int, each func(Row)) (ended bool) {
	if !m.sweeps {
		for _, tenants := range m.tables {
			for _, tenant := range sorted(tenants) {
				t := tenants[tenant]
				t.Begin()
				m.sweeping = append(m.sweeping, t)
			}
		}
		m.beginPeople()
		m.sweeps = true
	}
	for len(m.sweeping) > 0 {
		t := m.sweeping[0]
		if room, ended = t.Sweep(room, m.rowsOf(t, each)); !ended {
			return false
		}
		m.sweeping = m.sweeping[1:]
	}
	m.sweeping = nil
	_, ended = m.sweepPeople(room, each)
	m.sweeps = !ended
	return ended
}

// note remembers that a table has something for Changes.
func (m *Memory) note(t *table) {
	if !t.noted && t.Changed() {
		t.noted = true
		m.changed = append(m.changed, t)
	}
}

// rowsOf makes rows of the packed keys of a table.
func (m *Memory) rowsOf(t *table, each func(Row)) func(key string, row []byte, form state.Form) {
	var key []byte
	r := m.set.rules[t.rule]
	return func(k string, row []byte, form state.Form) {
		key = key[:0]
		for _, text := range [...]string{r.ID, r.version, t.tenant, k} {
			key = state.AppendBytes(key, text)
		}
		each(Row{key, row, form})
	}
}

// Load reads a row into the memory. The error is ErrVersion, or tells that the bytes are no row.
func (m *Memory) Load(row Row) error {
	f := state.Read(row.Key)
	if len(row.Key) == 0 {
		v := state.Read(row.Value)
		now := min(v.Int(), state.Never-1) // a clock that has passed everything would never stand still
		for _, l := range m.levels {
			if l.one != nil {
				l.one.move(max(l.one.now, now))
			}
		}
		return v.Err()
	}
	if StoryKey(row.Key) {
		return m.loadPerson(row)
	}
	id, of, tenant, key := string(f.Bytes()), string(f.Bytes()), string(f.Bytes()), string(f.Bytes())
	if err := f.Err(); err != nil {
		return err
	}
	for i, r := range m.set.rules {
		if r.ID != id || r.version != of || r.Kind.Memory == nil || !m.options.Stage.has(r) {
			continue
		}
		t := m.table(int32(i), tenant)
		m.telling.rule, m.telling.tenant, m.telling.each = int32(i), tenant, func(*alert.Alert) {} // of keys that go for it
		if err := t.Load(m.standing(t), key, row.Value); err != nil {
			return fmt.Errorf("read memory of %s: %w", id, err)
		}
		t.group.due.plan(t)
		m.note(t) // keys may have gone for it
		return nil
	}
	return ErrVersion
}
