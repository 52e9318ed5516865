package detector

import (
	"cmp"
	"maps"
	"slices"

	"noroshi/internal/state"
)

// peopleRows gives all that is kept of accounts.
func (m *Memory) peopleRows(each func(Row)) {
	for _, p := range slices.SortedFunc(maps.Values(m.people.of), byName) {
		if row := p.append(nil); len(row) > 0 {
			each(Row{p.rowKey(), row, state.Whole})
		}
	}
}

// peopleChanges gives what has changed of accounts.
func (m *Memory) peopleChanges(each func(Row)) {
	for _, of := range m.people.gone {
		if m.people.of[of] == nil {
			each(Row{of.rowKey(), nil, state.Gone})
		}
	}
	for _, p := range m.people.changed {
		if p.changed = false; m.people.of[p.whose] != p {
			continue
		}
		if p.round == 0 {
			m.giveWhole(p, each)
		} else {
			each(Row{p.rowKey(), p.added, state.Added})
		}
		p.added = p.added[:0]
	}
	clear(m.people.changed)
	m.people.changed, m.people.gone = m.people.changed[:0], nil
}

// giveWhole gives all that is kept of an account, and how many bytes that is.
func (m *Memory) giveWhole(p *person, each func(Row)) int {
	p.round = m.people.round
	row := p.append(nil)
	each(Row{p.rowKey(), row, state.Whole})
	return len(row)
}

// beginPeople begins a round of Sweep.
func (m *Memory) beginPeople() {
	m.people.round++
	m.people.sweep = slices.Collect(maps.Values(m.people.of))
}

// sweepPeople goes on with a round, about as many bytes as there is room.
func (m *Memory) sweepPeople(room int, each func(Row)) (left int, ended bool) {
	for n := len(m.people.sweep); n > 0; n = len(m.people.sweep) {
		if room <= 0 {
			return room, false
		}
		p := m.people.sweep[n-1]
		m.people.sweep[n-1], m.people.sweep = nil, m.people.sweep[:n-1]
		if m.people.of[p.whose] == p && p.round < m.people.round {
			room -= m.giveWhole(p, each)
		}
	}
	m.people.sweep = nil
	return room, true
}

// loadPerson reads what is kept of an account.
func (m *Memory) loadPerson(row Row) error {
	f := state.Read(row.Key[len(keyPeople):])
	of := whose{f.Text(), f.Text()}
	if err := f.Err(); err != nil {
		return err
	}
	p := m.person(of)
	if err := p.load(row.Value, &m.people.profile); err != nil {
		return err
	}
	p.round = m.people.round
	delete(m.people.marked, p)
	if p.until > 0 {
		m.setMarked(p)
	}
	if slices.ContainsFunc(p.open, func(c *activity) bool { return c.told < c.Entry.Count }) {
		m.later(p)
	}
	return nil
}

// crowd forgets the accounts of which nothing has come for the longest time, a few at once, where there are too many.
func (m *Memory) crowd() {
	if len(m.people.of) <= m.options.Keys {
		return
	}
	all := slices.SortedFunc(maps.Values(m.people.of), func(a, b *person) int {
		return cmp.Or(cmp.Compare(a.until, b.until), cmp.Compare(a.lastIn(&m.people.profile), b.lastIn(&m.people.profile)), byName(a, b))
	})
	for _, p := range all[:len(all)/64+1] {
		delete(m.people.of, p.whose)
		delete(m.people.untold, p)
		delete(m.people.marked, p)
		m.people.Evicted++
		if m.options.Stored {
			m.people.gone = append(m.people.gone, p.whose)
		}
	}
}

// lastIn is the day of the last sign-in.
func (p *person) lastIn(f *profile) int64 {
	f.load(p.packed)
	return f.latest()
}

// renewPeople goes on with what another memory has kept.
func (m *Memory) renewPeople(was *Memory) {
	m.people = was.people
}
