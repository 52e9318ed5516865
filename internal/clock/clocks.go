package clock

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"noroshi/internal/state"
)

// The bounds of what Clocks hold.
const (
	maxSources = 4096
	maxShown   = 65_536 // over all source partitions
	maxRetired = 4096
)

// Clocks are what ticks have said so far: the greatest of everything, so that it does not matter in which order they come, or how often.
// They belong to one goroutine.
type Clocks struct {
	// Refused counts what was left out because there was too much: source partitions, datasets that one has shown, and retired names.
	Refused int64
	// Ahead is how far ahead of the clock here the last tick was made.
	Ahead time.Duration

	sources map[string]*source
	kin     map[string]*kin
	pairs   map[pair]*shown
	tenants map[string][]*shown
	shown   int
	retired map[string]int64
	asked   map[string]*asked
	key     []byte
	latest  latest
	version int // of all that decides clocks

	listened time.Duration // how long ticks were listened to
	looked   time.Time
	wall     int64 // see Listen

	untold, untoldRetired, untoldAlike bool // Untold may have something to give

	changed bool      // the row of sources is not stored
	stale   []*source // whose row of what they have shown is not stored
}

// source is a source partition.
type source struct {
	name     string
	kin      *kin // nil: it is a whole source
	progress int64
	ticked   int64 // when its last tick was made
	heard    time.Duration
	shown    map[pair]*span
	stale    bool
	moved    bool // it has shown something later since its last tick
	unstored bool // and that is not stored
}

type pair struct{ tenant, dataset string }

// span is when a source partition has shown a dataset in a tenant.
type span struct {
	first, last, stored int64
	told                bool // a tick has said it, or Untold
}

// shown are the source partitions that have shown a dataset in a tenant.
type shown struct {
	pair
	sources []*source
	kin     []*kin // of these
	version int    // of what follows
	least   *source
}

// asked is a clock that somebody looks at.
type asked struct {
	tenant   string
	datasets []string
	version  int // of what follows
	now      int64
	derived  int64
	holds    *source // nil: none has shown any of the datasets
}

// New makes Clocks that know nothing yet.
func New() *Clocks {
	return &Clocks{sources: map[string]*source{}, kin: map[string]*kin{}, pairs: map[pair]*shown{}, tenants: map[string][]*shown{}, retired: map[string]int64{},
		asked: map[string]*asked{}, wall: Unknown, version: 1}
}

// News are the sources, or source partitions, that a tick has retired, and those that had been and tick again.
type News struct{ Retired, Back []string }

// Take takes what a tick says. Now is the clock here: no source has come further.
func (c *Clocks) Take(t *Tick, now time.Time) (news News) {
	at := state.Nanoseconds(now)
	c.Ahead = time.Duration(t.Made - at)
	for i := range t.Alike {
		c.takeAlike(&t.Alike[i])
	}
	for i := range t.Sources {
		if back := c.take(&t.Sources[i], min(t.Made, at), at); back {
			news.Back = append(news.Back, t.Sources[i].Name)
		}
	}
	for _, r := range t.Retired {
		if c.retire(r.Name, min(r.At, at)) {
			news.Retired = append(news.Retired, r.Name)
		}
	}
	c.version++
	return news
}

func (c *Clocks) take(said *Source, made, now int64) (back bool) {
	s := c.source(said.Name)
	if s == nil {
		return false
	}
	retired := c.retiredAt(s.name)
	back = retired != Unknown && s.ticked <= retired && made > retired
	if made != s.ticked { // else it is told again
		s.heard = c.listened
	}
	if s.unstored && !s.moved { // it is quiet: what it has shown last may be the last for long
		c.store(s)
	}
	s.moved = false
	if made > s.ticked {
		s.ticked, c.changed = made, true
	}
	if to := min(said.Progress, now); to > s.progress {
		s.progress, c.changed = to, true
	}
	for i := range said.Shown {
		c.show(s, &said.Shown[i])
		if x := s.shown[pair{said.Shown[i].Tenant, said.Shown[i].Dataset}]; x != nil {
			x.told = true
		}
	}
	return back
}

// source is the one of a name, nil where there are too many.
func (c *Clocks) source(name string) *source {
	s := c.sources[name]
	if s == nil {
		if len(c.sources) >= maxSources {
			c.Refused++
			return nil
		}
		s = &source{name: strings.Clone(name), progress: Unknown, ticked: Unknown, shown: map[pair]*span{}}
		c.sources[s.name], c.changed = s, true
		if s.kin = c.kinOf(s.name); s.kin != nil {
			s.kin.known = append(s.kin.known, s)
			c.version++
		}
	}
	return s
}

// storedEvery is how far what a source partition has shown last may have moved before it is stored again while it goes on. When it rests
// for a tick, all is stored.
const storedEvery = int64(10 * time.Minute)

func (c *Clocks) show(s *source, w *Shown) {
	p := pair{w.Tenant, w.Dataset}
	x := s.shown[p]
	if x == nil {
		if c.shown >= maxShown {
			c.Refused++
			return
		}
		c.shown++
		c.untold = true
		p = pair{strings.Clone(w.Tenant), strings.Clone(w.Dataset)}
		x = &span{first: w.First, last: w.Last, stored: Unknown}
		s.shown[p] = x
		by := c.pairs[p]
		if by == nil {
			by = &shown{pair: p}
			c.pairs[p] = by
			c.tenants[p.tenant] = append(c.tenants[p.tenant], by)
		}
		by.sources = append(by.sources, s)
		if s.kin != nil && !slices.Contains(by.kin, s.kin) {
			by.kin = append(by.kin, s.kin)
		}
	}
	x.first = min(x.first, w.First)
	if w.Last > x.last || x.stored == Unknown {
		x.last = max(x.last, w.Last)
		c.outdate(s, x)
	}
}

// outdate notes that what a source partition has shown is to be stored again, where a span has moved so far.
func (c *Clocks) outdate(s *source, x *span) {
	s.moved, s.unstored = true, true
	if x.last >= state.Plus(x.stored, storedEvery) {
		c.store(s)
	}
}

// store makes that what a source partition has shown is stored again.
func (c *Clocks) store(s *source) {
	if !s.stale {
		s.stale = true
		c.stale = append(c.stale, s)
	}
}

func (c *Clocks) retire(name string, at int64) (news bool) {
	if was, have := c.retired[name]; !have && len(c.retired) >= maxRetired {
		c.Refused++
		return false
	} else if have && was >= at {
		return false
	}
	c.retired[strings.Clone(name)] = at
	c.changed = true
	return true
}

// gone reports whether a source partition is retired, itself or with its source, and has not ticked since. Of one that has never ticked its
// records alone are known.
func (c *Clocks) gone(s *source) bool { return s.ticked <= c.retiredAt(s.name) }

// retiredAt is when a source partition was retired last, itself or with its source.
func (c *Clocks) retiredAt(name string) int64 {
	at := Unknown
	if t, have := c.retired[name]; have {
		at = t
	}
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		if t, have := c.retired[name[:i]]; have {
			at = max(at, t)
		}
	}
	return at
}

// Of is the clock of datasets in a tenant, of all of the tenant's where none are named: the least progress of the source partitions that
// have shown one of them, and of those that are alike. It is Unknown where none has, and never goes back.
func (c *Clocks) Of(tenant string, datasets []string) int64 { return c.ask(tenant, datasets).now }

func (c *Clocks) ask(tenant string, datasets []string) *asked {
	a := c.stood(tenant, datasets)
	if a.version != c.version {
		c.derive(a)
	}
	return a
}

// stood is a clock as it stands, without a look at the sources.
func (c *Clocks) stood(tenant string, datasets []string) *asked {
	c.key = append(append(c.key[:0], tenant...), 0)
	for _, d := range datasets {
		c.key = append(append(c.key, d...), 0)
	}
	a := c.asked[string(c.key)]
	if a == nil {
		a = &asked{tenant: strings.Clone(tenant), datasets: slices.Clone(datasets), now: Unknown}
		c.asked[string(c.key)] = a
	}
	return a
}

func (c *Clocks) derive(a *asked) {
	was := a.derived < a.now
	a.version, a.holds, a.derived = c.version, nil, Unknown
	c.each(a.tenant, a.datasets, func(by *shown) {
		if s := c.least(by); s != nil && (a.holds == nil || s.progress < a.holds.progress) {
			a.holds = s
		}
	})
	if a.holds != nil {
		a.derived = a.holds.progress
	}
	if a.derived > a.now {
		a.now = a.derived
	}
	c.changed = c.changed || was != (a.derived < a.now)
}

// each gives who has shown one of the datasets in a tenant, or any where none are named.
func (c *Clocks) each(tenant string, datasets []string, do func(*shown)) {
	if len(datasets) == 0 {
		for _, by := range c.tenants[tenant] {
			do(by)
		}
		return
	}
	for _, d := range datasets {
		if by := c.pairs[pair{tenant, d}]; by != nil {
			do(by)
		}
	}
}

// least is the source partition that is furthest behind; nil: all are gone.
func (c *Clocks) least(by *shown) *source {
	if by.version == c.version {
		return by.least
	}
	by.version, by.least = c.version, nil
	c.holders(by, func(s *source) {
		if by.least == nil || cmp.Or(cmp.Compare(s.progress, by.least.progress), strings.Compare(s.name, by.least.name)) < 0 {
			by.least = s
		}
	})
	return by.least
}

// Shows reports whether a dataset has shown an event in a tenant after a time, at most so much later. It is known when the first and the
// last of a source partition were: one that lies before and after is taken to have shown events all the time.
func (c *Clocks) Shows(tenant, dataset string, after, within int64) bool {
	p := pair{tenant, dataset}
	by := c.pairs[p]
	if by == nil {
		return false
	}
	end := state.Plus(after, within)
	return slices.ContainsFunc(by.sources, func(s *source) bool {
		x := s.shown[p]
		return x.last > after && x.first <= end
	})
}

// Standing is how a source partition stands.
type Standing struct {
	Name     string
	Progress int64 // or Unknown
	Ticked   int64 // when its last tick was made, or Unknown
	Retired  int64 // when it was retired, and has not ticked since; Unknown: it was not
	Shown    []Shown
}

// Sources are all source partitions, by name.
func (c *Clocks) Sources() (all []Standing) {
	for _, name := range slices.Sorted(maps.Keys(c.sources)) {
		s := c.sources[name]
		if s.ticked == Unknown && (s.kin == nil || s.kin.partitions == 0) { // its records alone have shown it
			continue
		}
		one := Standing{Name: name, Progress: s.progress, Ticked: s.ticked, Retired: Unknown}
		if at := c.retiredAt(name); s.ticked <= at {
			one.Retired = at
		}
		for p, x := range s.shown {
			one.Shown = append(one.Shown, Shown{p.tenant, p.dataset, x.first, x.last})
		}
		slices.SortFunc(one.Shown, func(a, b Shown) int {
			return cmp.Or(strings.Compare(a.Tenant, b.Tenant), strings.Compare(a.Dataset, b.Dataset))
		})
		all = append(all, one)
	}
	return all
}

// Wait is a clock, and the source partition that holds it up.
type Wait struct {
	Tenant   string
	Datasets []string // none: all
	Clock    int64    // or Unknown
	Source   string   // "": none that ticks has shown any of the datasets
}

// Waits are the clocks that have been asked for, those furthest behind first.
func (c *Clocks) Waits() (all []Wait) {
	for key := range maps.Values(c.asked) {
		a := c.ask(key.tenant, key.datasets)
		w := Wait{Tenant: a.tenant, Datasets: a.datasets, Clock: a.now}
		if a.holds != nil {
			w.Source = a.holds.name
		}
		all = append(all, w)
	}
	slices.SortFunc(all, func(a, b Wait) int {
		return cmp.Or(cmp.Compare(a.Clock, b.Clock), strings.Compare(a.Tenant, b.Tenant), slices.Compare(a.Datasets, b.Datasets))
	})
	return all
}
