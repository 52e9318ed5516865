package clock

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// Whole makes that Untold gives all that is known.
func (c *Clocks) Whole() {
	c.untold = true
	for _, s := range c.sources {
		for _, x := range s.shown {
			x.told = false
		}
	}
	c.untoldRetired, c.untoldAlike = len(c.retired) > 0, len(c.alike()) > 0
}

// Untold gives, as ticks, what is known and neither a tick since Whole nor Untold has said: what records have shown, and what was loaded. Who
// hears the ticks alone would not wait for a source partition that has shown a dataset, and would pass it. One that has never ticked is
// given when it has.
func (c *Clocks) Untold() (all []*Tick) {
	if c.untoldRetired {
		c.untoldRetired = false
		t := &Tick{}
		for _, name := range slices.Sorted(maps.Keys(c.retired)) {
			t.Retired = append(t.Retired, Retired{name, c.retired[name]})
			t.Made = max(t.Made, c.retired[name])
		}
		all = append(all, t)
	}
	if c.untoldAlike {
		c.untoldAlike = false
		t := &Tick{Made: Unknown, Alike: c.alike()}
		for _, s := range c.sources {
			t.Made = max(t.Made, s.ticked)
		}
		all = append(all, t)
	}
	if !c.untold {
		return all
	}
	c.untold = false
	made := map[int64]*Tick{}
	for _, name := range slices.Sorted(maps.Keys(c.sources)) {
		s := c.sources[name]
		said := s.untold()
		switch {
		case len(said) == 0:
			continue
		case s.ticked == Unknown:
			c.untold = true
			continue
		}
		t := made[s.ticked]
		if t == nil {
			t = &Tick{Made: s.ticked}
			made[s.ticked] = t
		}
		for _, w := range said {
			s.shown[pair{w.Tenant, w.Dataset}].told = true
		}
		t.Sources = append(t.Sources, Source{Name: name, Progress: s.progress, Shown: said})
	}
	for _, at := range slices.Sorted(maps.Keys(made)) {
		all = append(all, made[at])
	}
	return all
}

// untold is what a source partition has shown and nobody has told.
func (s *source) untold() (all []Shown) {
	for p, x := range s.shown {
		if !x.told {
			all = append(all, Shown{p.tenant, p.dataset, x.first, x.last})
		}
	}
	slices.SortFunc(all, func(a, b Shown) int {
		return cmp.Or(strings.Compare(a.Tenant, b.Tenant), strings.Compare(a.Dataset, b.Dataset))
	})
	return all
}
