package detector

import (
	"maps"
	"slices"
	"strings"
	"time"

	"noroshi/internal/cond/index"
	"noroshi/internal/event"
)

// counts tells how often comparisons hold in a sample of records.
type counts struct {
	set   *Set
	texts []map[string]int // by slot
	known map[index.Atom]int
	free  map[event.Slot]bool // worked out of every record, whoever asks
	n     int
}

// perText bounds the texts that a slot remembers of the sample.
const perText = 4096

func (s *Set) count(sample [][]byte) *counts {
	c := &counts{set: s, texts: make([]map[string]int, s.plan.Layout().Len()), known: map[index.Atom]int{}, free: s.free()}
	r := s.plan.Reader()
	for _, rec := range sample {
		if r.ReadAlone(rec, time.Unix(0, 0)) != nil {
			continue
		}
		c.n++
		for slot := range c.texts {
			if s.plan.Layout().Def(event.Slot(slot)).Type == event.List || c.Costly(event.Slot(slot)) {
				continue
			}
			if t := r.Event.Text(event.Slot(slot)); t != "" {
				if c.texts[slot] == nil {
					c.texts[slot] = map[string]int{}
				}
				if len(c.texts[slot]) < perText {
					c.texts[slot][strings.Clone(t)]++
				}
			}
		}
	}
	return c
}

// usual are the records out of a thousand that have a text where there is no sample to ask: what every tenant's log is full of.
var usual = map[event.Slot]map[string]int{
	event.Action: {"UserLoggedIn": 300, "MailItemsAccessed": 150, "FileAccessed": 150, "UserLoginFailed": 50, "Update user": 20, "Create": 50, "Update": 50, "SoftDelete": 30, "MoveToDeletedItems": 30, "HardDelete": 30, "Set-Mailbox": 20},
}

// without is the cost of the operators where nothing is known, out of a thousand: an equality is the likeliest to be rare.
var without = [...]int{index.Equal: 5, index.Prefix: 20, index.Suffix: 20, index.Contains: 40}

// Count implements cond.Counts. Among equals the cheaper look-up goes first.
func (c *counts) Count(a index.Atom) int {
	n, ok := c.known[a]
	if ok {
		return n
	}
	switch {
	case c.n == 0:
		n = without[a.Op] + usual[event.Slot(a.Slot)][a.Text]
		switch name := c.set.plan.Layout().Def(event.Slot(a.Slot)).Name; name {
		case "event.outcome", "event.provider", "event.code", "event.dataset", "user.kind", "source.kind", "organization.id", "raw.ResultStatus", "raw.Workload":
			n += 400 // a handful of texts share all records
		}
	case a.Op == index.Equal:
		n = c.texts[a.Slot][a.Text]
	default:
		for t, k := range c.texts[a.Slot] {
			if a.Holds(t) {
				n += k
			}
		}
	}
	n = n*8 + int(a.Op)
	c.known[a] = n
	return n
}

// Costly implements cond.Counts.
func (c *counts) Costly(s event.Slot) bool {
	root := c.set.plan.Layout().Root(s)
	return c.set.plan.Derived(root) && !c.free[root]
}

// free are the fields that are worked out of every record because rules that nothing else finds ask for them: other rules can be found by
// them, too. It notes these rules' clauses.
func (s *Set) free() map[event.Slot]bool {
	c := &counts{set: s, known: map[index.Atom]int{}}
	free := map[event.Slot]bool{}
	for i := range s.clauses {
		when := s.clauses[i].when
		if when != nil && when.Witness(c) != nil {
			continue
		}
		s.unindexed = append(s.unindexed, int32(i))
		if when == nil {
			continue
		}
		for _, a := range when.Witness(whatever{c}) {
			free[s.plan.Layout().Root(event.Slot(a.Slot))] = true
		}
	}
	return free
}

// whatever are counts for which nothing is costly.
type whatever struct{ *counts }

// Costly implements cond.Counts.
func (whatever) Costly(event.Slot) bool { return false }

// byText are the sampled texts by slot.
func (c *counts) byText() map[int32][]string {
	m := map[int32][]string{}
	for slot, texts := range c.texts {
		if len(texts) > 0 {
			m[int32(slot)] = slices.Sorted(maps.Keys(texts))
		}
	}
	return m
}
