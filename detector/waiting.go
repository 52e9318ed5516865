package detector

import (
	"time"

	"noroshi/internal/state"
	"noroshi/rules/kind"
)

// Waiting are events of a rule that are not decided though their time has come, because datasets that the rule needs have shown nothing
// later.
type Waiting struct {
	Rule, Tenant string
	Datasets     []string
	Events       int
	Since        time.Time // when the first of them was to be decided
}

// overdue is a memory that knows what waits so.
type overdue interface {
	Overdue(c *state.Context) (n int, first int64)
}

// Waiting gives what waits for datasets that rules need, rule by rule and tenant by tenant. It looks at every key of these rules.
func (m *Memory) Waiting() (all []Waiting) {
	for i, r := range m.set.rules {
		if len(r.Kind.Needs) == 0 {
			continue
		}
		for _, tenant := range sorted(m.tables[i]) {
			t := m.tables[i][tenant]
			c := m.contextOf(t)
			one, first := Waiting{Rule: r.ID, Tenant: t.tenant}, state.Never
			t.Each(func(_ string, memory kind.Memory) {
				if w, ok := memory.(overdue); ok {
					n, at := w.Overdue(c)
					one.Events += n
					first = min(first, at)
				}
			})
			if one.Events == 0 {
				continue
			}
			one.Since = time.Unix(0, first).UTC()
			for _, name := range r.Kind.Needs {
				if !m.asking.has(name, first, state.WaitMost) {
					one.Datasets = append(one.Datasets, name)
				}
			}
			all = append(all, one)
		}
	}
	return all
}
