package incident

import (
	"slices"
	"time"
)

// score goes through the signs of an incident in the order of time and adds up their points. A rule counts by its weightiest sign at a
// time, and further ones add a share: so a sign more never makes the sum smaller, whenever it comes.
type score struct {
	of      *Scoring
	marked  map[string]*sign // sessions by the first sign of access that marks them
	allowed func(x *sign) bool
	extra   int // where the account is important
	rules   map[string][]weighed
}

// weighed is a sign and its points after all that changes them.
type weighed struct {
	at     time.Time
	points int
}

// weigh gives the points of a sign.
func (c *score) weigh(x *sign) int {
	p := x.points()
	if c.of.Also[x.Rule] == nil && slices.ContainsFunc(x.Sessions, func(s string) bool { m := c.marked[s]; return m != nil && m != x && !m.From.After(x.Time) }) {
		p = p * c.of.MarkedSession / 100
	}
	if x.Managed {
		p = p * c.of.Compliant / 100
	}
	if c.allowed(x) {
		p = p * c.of.AllowedAdmin / 100
	}
	return p
}

// add takes the next sign and gives its points.
func (c *score) add(x *sign) int {
	p := c.weigh(x)
	if p == 0 {
		return 0
	}
	list := append(c.rules[x.Rule], weighed{x.Time, p})
	keep := list[:0]
	for i, w := range list {
		above := 0
		for _, later := range list[i+1:] {
			if later.points >= w.points {
				above++
			}
		}
		if above <= c.of.Repeats.Most && x.Time.Sub(w.at) < c.of.Decay { // else it never counts any more
			keep = append(keep, w)
		}
	}
	c.rules[x.Rule] = keep
	return p
}

// at is the score at a time.
func (c *score) at(now time.Time) int {
	sum := 0.0
	for _, list := range c.rules {
		var top []float64
		for _, w := range list {
			if left := 1 - float64(now.Sub(w.at))/float64(c.of.Decay); left > 0 {
				top = append(top, float64(w.points)*min(left, 1))
			}
		}
		slices.Sort(top)
		slices.Reverse(top)
		for i, p := range top[:min(len(top), 1+c.of.Repeats.Most)] {
			if i > 0 {
				p = p * float64(c.of.Repeats.Share) / 100
			}
			sum += p
		}
	}
	if sum > 0 {
		sum += float64(c.extra)
	}
	return min(int(sum+1e-6), c.of.Cap)
}

// proved are the times from which on a sign says that somebody else came in, in order.
func (s *Scoring) proved(signs []*sign) (all []time.Time) {
	for _, x := range signs {
		if s.takes(&s.Proof, x) {
			all = append(all, x.Time)
		}
	}
	return all
}

// within reports whether one of some times in order is at most so long before another.
func within(all []time.Time, at time.Time, before time.Duration) bool {
	i, _ := slices.BinarySearchFunc(all, at.Add(time.Nanosecond), time.Time.Compare)
	return i > 0 && at.Sub(all[i-1]) <= before
}
