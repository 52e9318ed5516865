package detector

import (
	"math"
	"time"

	"noroshi/internal/alert"
	"noroshi/internal/state"
)

// Clocks are how far time has come in the sources, in nanoseconds since 1970, and what these have shown.
type Clocks interface {
	// Of is the clock of datasets in a tenant, of all of the tenant's where none are named; math.MinInt64 where it is not known.
	Of(tenant string, datasets []string) int64
	// Wall is the clock on the wall, and whether it stands in because no source of the datasets tells how far it has come.
	Wall(tenant string, datasets []string) (now int64, stands bool)
	// Shows reports whether a dataset has shown an event in a tenant after a time, at most so much later.
	Shows(tenant, dataset string, after, within int64) bool
}

// level are the rules of one level. While its clocks move, those of the levels above stand still until what is due has been told.
type level struct {
	groups []*group
	one    *group // of all tables, where there is one clock; else nil
	ended  bool
}

// group are the tables of one level that have one clock.
type group struct {
	level    int
	crossed  int // see rule.crossings
	tenant   string
	datasets []string // that it waits for; none: all of the tenant's
	wall     bool     // the clock on the wall stands in
	begun    bool     // it follows; memory that is read may come before that of the clocks, so that these are not asked until then
	now      int64    // math.MinInt64 while it stands still
	sources  int64    // how far the sources have come; now is later where the clock on the wall stands in
	due      due      // its tables, by when Advance has something to do
}

func (m *Memory) newGroup(level int) *group {
	g := &group{level: level, now: math.MinInt64, sources: math.MinInt64}
	m.levels[level].groups = append(m.levels[level].groups, g)
	return g
}

// groupOf is the group of a rule and a tenant. Rules that look at alerts have the clock of all events of the tenant.
func (m *Memory) groupOf(r *rule, tenant string) *group {
	if one := m.levels[r.level].one; one != nil {
		return one
	}
	datasets, wall := r.datasets, r.Kind.Wall
	if r.level > 0 {
		datasets, wall = nil, false
	}
	key := state.AppendBytes([]byte{byte(r.level), 0, byte(r.crossings)}, tenant)
	if wall {
		key[1] = 1
	}
	for _, d := range datasets {
		key = state.AppendBytes(key, d)
	}
	g := m.groups[string(key)]
	if g == nil {
		g = m.newGroup(r.level)
		g.tenant, g.datasets, g.wall, g.crossed = tenant, datasets, wall, r.crossings
		m.groups[string(key)] = g
	}
	return g
}

// follow moves the clock to where the sources have come, or the clock on the wall where that stands in. It never goes back.
func (m *Memory) follow(g *group) {
	g.begun = true
	c := m.options.Clocks
	if c == nil { // Advance moves it
		return
	}
	if g.crossed > 0 && m.options.Crossed != nil {
		g.sources = max(g.sources, m.options.Crossed(g.tenant, g.crossed))
	} else {
		g.sources = max(g.sources, c.Of(g.tenant, g.datasets))
	}
	g.now = max(g.now, g.sources)
	if !g.wall {
		return
	}
	if now, stands := c.Wall(g.tenant, g.datasets); stands {
		g.now = max(g.now, now)
	}
}

// Advance moves the one clock and gives what becomes due: alerts whose buckets have ended, and what is decided late. A clock that would
// go back stands still.
func (m *Memory) Advance(now time.Time, each func(*alert.Alert)) {
	n := state.Nanoseconds(now)
	if n <= m.levels[0].one.now {
		return
	}
	for i := range m.levels {
		m.levels[i].one.move(n)
		m.advance(i, each)
	}
}

func (g *group) move(now int64) { g.now, g.sources = now, now }

// Follow moves the clocks to where MemoryOptions.Clocks have them, and gives what becomes due, as Advance does.
func (m *Memory) Follow(each func(*alert.Alert)) {
	for i := range m.levels {
		for _, g := range m.levels[i].groups {
			m.follow(g)
		}
		m.advance(i, each)
	}
}

// advance does what is due in a level, and applies the alerts of it before the clocks of the levels above move.
func (m *Memory) advance(at int, each func(*alert.Alert)) {
	ended := m.levels[at].ended
	for _, g := range m.levels[at].groups {
		for len(g.due) > 0 && (g.now > g.due[0].next || ended && g.now == g.due[0].next) {
			t := g.due[0]
			t.Advance(m.visit(t, each))
			g.due.plan(t)
			m.note(t)
		}
	}
	m.applyWaiting(each)
}

// End gives what has not been told when the input has ended at a time: what is due then is decided, what is not is counted.
func (m *Memory) End(now time.Time, each func(*alert.Alert)) {
	for i := range m.levels {
		m.levels[i].ended = true
		for _, g := range m.levels[i].groups {
			g.move(max(g.now, state.Nanoseconds(now)))
		}
		m.advance(i, each)
		m.close(i, each)
		m.applyWaiting(each)
	}
}
