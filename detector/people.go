package detector

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"noroshi/internal/alert"
	"noroshi/internal/incident"
	"noroshi/internal/state"
	"noroshi/rules"
	"noroshi/rules/kind"
)

// classAccess is the class of rules whose alerts mark their account.
const classAccess = "access"

// The times of stories.
const (
	MarkedFor    = 72 * time.Hour // an account is marked for so long
	profileEvery = time.Minute    // a profile is told while its account is marked
	contextSpan  = time.Hour      // repeats of an activity are summed
)

// whose is an account of a tenant, or with no account the tenant.
type whose struct{ tenant, account string }

// people are the accounts whose events have come.
type people struct {
	of      map[whose]*person
	marked  map[*person]bool
	changed []*person // since Changes was called last
	gone    []whose
	untold  map[*person]bool // have something to tell when there is time
	profile profile          // the one at hand
	sweep   []*person
	round   int
	Evicted int // accounts that were forgotten because there were too many
}

// person is what is kept of one account.
type person struct {
	whose
	packed  []byte    // the profile; see profile.append
	added   []byte    // what has changed of it since Changes was called last
	from    int64     // the account is marked from then
	until   int64     // to then; 0: it is not
	told    int64     // when the profile was told last, by the time of events; 0: never
	said    time.Time // when TellStories told of it last
	open    []*activity
	round   int  // in which it was given whole last; 0: never
	changed bool // it is among people.changed
	fresh   bool // the profile has changed since it was told
}

// person is the account, with nothing where it is new.
func (m *Memory) person(of whose) *person {
	p := m.people.of[of]
	if p == nil {
		p = &person{whose: whose{clone(of.tenant), clone(of.account)}}
		m.people.of[p.whose] = p
		m.crowd()
	}
	return p
}

// Marked reports whether an account of a tenant may be marked.
func (m *Memory) Marked(tenant, account string) bool {
	if len(m.people.marked) == 0 {
		return false
	}
	p := m.people.of[whose{tenant, account}]
	return p != nil && p.until > 0
}

// mark marks the account of an alert, and tells its profile.
func (m *Memory) mark(r *rule, a *alert.Alert) {
	if m.options.Story == nil || a.Account == "" || r.State != rules.Live {
		return
	}
	marks := r.Class == classAccess
	if m.options.Stage == Second { // the account's own memory lies elsewhere
		if marks {
			m.options.Story.Aside(&Aside{Activity: incident.Activity{Tenant: a.Tenant, Account: a.Account}, Mark: a.Time})
		}
		return
	}
	p := m.person(whose{a.Tenant, a.Account})
	if marks {
		m.markFrom(p, a.Time)
		return
	}
	m.alerted(p, a.Time)
}

// markFrom marks an account from the time of an alert on.
func (m *Memory) markFrom(p *person, from time.Time) {
	at := state.Nanoseconds(from)
	m.expire(p, at)
	if until := at + int64(MarkedFor); until > p.until {
		if p.until == 0 {
			p.from = at
		}
		p.from, p.until = min(p.from, at), until
		m.setMarked(p)
		m.touch(p, appendMark(nil, p))
	}
	m.alerted(p, from)
}

// alerted tells the profile of an account that has an alert, when it is time to. What the rest of the record says is told when there is
// time.
func (m *Memory) alerted(p *person, from time.Time) {
	at := state.Nanoseconds(from)
	p.fresh = true
	m.later(p)
	if p.told != 0 && at-p.told < int64(profileEvery) || m.options.Story.Last && (p.told != 0 || p.until > 0) {
		return
	}
	m.profile(p, at)
}

// markedMost is how many accounts of a partition are marked. A mark goes when an event of its account comes behind its end: no other clock
// tells that all have come. Where there are more, those whose marks end first go, and are counted.
const markedMost = 10_000

// setMarked keeps in mind that an account is marked.
func (m *Memory) setMarked(p *person) {
	if m.people.marked == nil {
		m.people.marked = map[*person]bool{}
	}
	m.people.marked[p] = true
	if len(m.people.marked) > markedMost {
		first := slices.MinFunc(slices.Collect(maps.Keys(m.people.marked)), func(a, b *person) int {
			return cmp.Or(cmp.Compare(a.until, b.until), byName(a, b))
		})
		m.people.Evicted++
		m.expire(first, first.until)
	}
}

// expire takes the mark away when it has passed. What has not been told of it is told.
func (m *Memory) expire(p *person, now int64) {
	if p.until == 0 || now < p.until {
		return
	}
	m.settle(p, time.Unix(0, p.until).UTC())
	p.from, p.until, p.open = 0, 0, nil
	delete(m.people.marked, p)
	m.touch(p, appendMark(nil, p))
}

// change changes a profile, and keeps what has changed for Changes.
func (m *Memory) change(p *person, do func(f *profile)) {
	f := &m.people.profile
	f.load(p.packed)
	f.most = thingsMost
	if p.account == "" {
		f.most = tenantMost
	}
	do(f)
	if len(f.changes) == 0 {
		return
	}
	p.packed = slices.Clip(f.append(p.packed[:0:0]))
	p.fresh = true
	m.touch(p, f.changes)
}

// touch notes what has changed of an account.
func (m *Memory) touch(p *person, added []byte) {
	if m.options.Stored {
		p.added = append(p.added, added...)
		if !p.changed {
			p.changed = true
			m.people.changed = append(m.people.changed, p)
		}
	}
}

// tellProfile tells what has changed of a marked account, or of the tenant, when it is time to.
func (m *Memory) tellProfile(p *person, at time.Time) {
	now := state.Nanoseconds(at)
	switch {
	case !p.fresh || p.account != "" && p.until == 0:
	case p.told != 0 && now-p.told < int64(profileEvery), m.options.Story.Last && p.until > 0:
		m.later(p)
	default:
		m.profile(p, now)
	}
}

// profile tells what is known of an account.
func (m *Memory) profile(p *person, now int64) {
	p.fresh, p.told = false, max(p.told, now)
	f := &m.people.profile
	f.load(p.packed)
	m.options.Story.Profile(f.tell(p))
	m.touch(p, appendMark(nil, p))
}

// later remembers that an account has something to tell.
func (m *Memory) later(p *person) {
	if m.people.untold == nil {
		m.people.untold = map[*person]bool{}
	}
	m.people.untold[p] = true
}

// settle tells what has not been told of an account.
func (m *Memory) settle(p *person, at time.Time) {
	for _, c := range p.open {
		m.tellContext(p, c)
	}
	if p.fresh {
		m.profile(p, state.Nanoseconds(at))
	}
	delete(m.people.untold, p)
}

// TellStories tells what repeats have not been told of yet, and profiles that waited for their turn, each at most once a minute by the
// clock on the wall that is given. It is called every few seconds.
func (m *Memory) TellStories(wall time.Time) {
	if m.options.Story == nil {
		return
	}
	for _, p := range slices.SortedFunc(maps.Keys(m.people.untold), byName) {
		for _, c := range p.open {
			m.tellContext(p, c)
		}
		if p.fresh && wall.Sub(p.said) < profileEvery {
			continue
		}
		p.said = wall
		m.settle(p, time.Unix(0, p.told).UTC())
	}
}

// EndStories tells what has not been told when the input has ended. The profile of each account that had an alert is then complete.
func (m *Memory) EndStories(now time.Time) {
	if m.options.Story == nil {
		return
	}
	for _, p := range slices.SortedFunc(maps.Values(m.people.of), byName) {
		switch {
		case m.people.untold[p] || p.told != 0 && p.account != "":
			m.settle(p, now)
		case m.options.Story.Everyone && len(p.packed) > 0:
			m.profile(p, state.Nanoseconds(now))
		}
	}
}

func byName(a, b *person) int {
	return cmp.Or(cmp.Compare(a.tenant, b.tenant), cmp.Compare(a.account, b.account))
}

// activity is what a marked account did, and its repeats.
type activity struct {
	incident.Activity
	hour int64
	told int
	seen []uint64 // hashes of the events
}

// The bounds of what a marked account did.
const (
	contextMost = 64 // that are still summed
	seenMost    = 64 // hashes of the events of one
)

// did tells what a marked account did. Repeats within the hour are summed: they are told when their number has doubled, and when
// there is time.
func (m *Memory) did(p *person, a *incident.Activity) {
	if p == nil {
		return
	}
	at := state.Nanoseconds(a.Entry.Time)
	m.expire(p, at)
	if p.until == 0 || at < p.from || at >= p.until {
		return
	}
	hash := hashOfEvent(a.Entry.EventID, a.Entry.Action)
	c := &activity{Activity: *a, hour: state.Floor(at, int64(contextSpan)), seen: []uint64{hash}}
	if i := slices.IndexFunc(p.open, c.like); i < 0 {
		c.Entry.Count = 1
		if len(p.open) >= contextMost {
			m.tellContext(p, p.open[0])
			p.open = slices.Delete(p.open, 0, 1)
		}
		p.open = append(p.open, c)
	} else {
		c = p.open[i]
		if slices.Contains(c.seen, hash) {
			return
		}
		if len(c.seen) == seenMost {
			c.seen = slices.Delete(c.seen, 0, 1)
		}
		c.seen = append(c.seen, hash)
		c.Entry.Count++
	}
	m.touch(p, c.append(nil))
	if !m.options.Story.Last && c.Entry.Count >= 2*c.told {
		m.tellContext(p, c)
	} else {
		m.later(p)
	}
	m.tellProfile(p, a.Entry.Time)
}

// tellContext tells an activity with the number of its repeats, where that is news.
func (m *Memory) tellContext(p *person, c *activity) {
	if c.told == c.Entry.Count {
		return
	}
	c.told = c.Entry.Count
	a := c.Activity
	if a.Entry.Count == 1 {
		a.Entry.Count = 0
	}
	m.tellActivity(&a)
	m.touch(p, c.append(nil))
}

// signIn counts a sign-in.
func (m *Memory) signIn(p *person, x *rules.Line, h *kind.Hit) {
	s := &m.show
	in := oneSignIn{at: h.Time.Unix(), failed: h.Outcome == "failure"}
	in.hash = in.hashOf(s, h)
	in.read(s, x)
	m.change(p, func(f *profile) { f.signIn(&in) })
}
