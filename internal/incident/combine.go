package incident

import (
	"slices"
	"time"
)

// confirmed is the combination that confirms an incident, and the sign that completes it.
type confirmed struct {
	by *Combination
	at *sign
}

// combined looks for the combination that is complete first; of several at the same time the one that stands first in the file.
func (s *Scoring) combined(signs []*sign) (found confirmed) {
	if s.alone(signs) {
		return confirmed{}
	}
	for i := range s.Combinations {
		c := &s.Combinations[i]
		if x := s.completes(c, signs); x != nil && (found.at == nil || x.Time.Before(found.at.Time)) {
			found = confirmed{c, x}
		}
	}
	return found
}

// alone reports whether there is nothing but rules that never confirm.
func (s *Scoring) alone(signs []*sign) bool {
	return !slices.ContainsFunc(signs, func(x *sign) bool { return x.points() > 0 && !s.NeverAlone[x.Rule] })
}

// completes is the sign that completes a combination first, nil where none does.
func (s *Scoring) completes(c *Combination, signs []*sign) (done *sign) {
	var before *moments
	if c.First != nil {
		before = s.moments(c.First, signs)
	}
	last := map[string]*sign{} // by class
	for _, x := range signs {
		if !s.takes(&c.Then, x) {
			continue
		}
		end := x
		if before != nil {
			if end = before.behind(c, x); end == nil {
				continue
			}
		}
		if c.Two == 0 || c.second(last, x) {
			if done == nil || end.Time.Before(done.Time) {
				done = end
			}
			if end == x { // none that comes later is complete sooner
				return done
			}
		}
		last[x.Class] = x
	}
	return done
}

// second reports whether a sign and an earlier one are of two classes, one of them one of those that must be there.
func (c *Combination) second(last map[string]*sign, x *sign) bool {
	for class, o := range last {
		if class != x.Class && x.Time.Sub(o.Time) <= c.Two && (len(c.OneOf) == 0 || slices.Contains(c.OneOf, class) || slices.Contains(c.OneOf, x.Class)) {
			return true
		}
	}
	return false
}

// moments are when signs began and when they were complete, in order: what follows either follows the sign.
type moments struct {
	all       []moment
	unknown   []moment // of signs without a session
	bySession map[string][]moment
}

type moment struct {
	at time.Time
	of *sign
}

func (s *Scoring) moments(p *Part, signs []*sign) *moments {
	m := &moments{bySession: map[string][]moment{}}
	for _, x := range signs {
		if !s.takes(p, x) {
			continue
		}
		for _, one := range []moment{{x.From, x}, {x.Time, x}} {
			m.all = append(m.all, one)
			if len(x.Sessions) == 0 {
				m.unknown = append(m.unknown, one)
			}
			for _, session := range x.Sessions {
				m.bySession[session] = append(m.bySession[session], one)
			}
		}
	}
	for _, list := range m.bySession {
		slices.SortFunc(list, earlier)
	}
	slices.SortFunc(m.all, earlier)
	slices.SortFunc(m.unknown, earlier)
	return m
}

func earlier(a, b moment) int {
	if n := a.at.Compare(b.at); n != 0 {
		return n
	}
	return inOrder(a.of, b.of)
}

// behind looks for a first sign that another one follows as the combination says, and gives the later of the two, or nil.
// No sign follows itself. Within a session any time may lie between them; signs of two different sessions do not belong together.
func (m *moments) behind(c *Combination, x *sign) *sign {
	near := m.all
	if c.Session {
		for _, session := range x.Sessions {
			if f := latest(m.bySession[session], x); f != nil {
				return later(f.of, x)
			}
		}
		if len(x.Sessions) > 0 {
			near = m.unknown
		}
	}
	if f := latest(near, x); f != nil && x.Time.Sub(f.at) <= c.Within {
		return later(f.of, x)
	}
	return nil
}

// latest is the last moment up to a sign that is not its own.
func latest(all []moment, x *sign) *moment {
	i, _ := slices.BinarySearchFunc(all, x.Time.Add(1), func(m moment, at time.Time) int { return m.at.Compare(at) })
	for i--; i >= 0; i-- {
		if all[i].of != x {
			return &all[i]
		}
	}
	return nil
}

func later(a, b *sign) *sign {
	if a.Time.After(b.Time) {
		return a
	}
	return b
}
