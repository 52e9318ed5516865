package kind

import "noroshi/internal/state"

// straight reports whether the places are filled when each entry in turn fills the next open place that it can, unless it clashes with
// one that fills a place already. It is quick and finds a way nearly always where there is one.
func (s *sequence) straight(w *state.Window, all []state.Entry, kept int) bool {
	g := straight{filling: s.filling(w), clash: map[uint64]struct{}{}}
	g.left[len(s.steps)-1]--
	g.bar(&all[kept])
	for i := 0; i < len(all) && !g.full(); {
		from := i
		for second := state.Floor(all[i].Time, 1e9); i < len(all) && state.Floor(all[i].Time, 1e9) == second; i++ {
		}
		g.take(all[from:i], kept-from)
	}
	return g.full()
}

// straight is a walk in which each entry fills the next open place that it can.
type straight struct {
	*filling
	clash map[uint64]struct{} // the hashes of what clashes with those that fill a place
}

// bar keeps away what clashes with an entry.
func (g *straight) bar(e *state.Entry) {
	if e.Clashes() {
		g.w.EachClash(e, func(hash uint64) { g.clash[hash] = struct{}{} })
	}
}

// take fills places with the entries of one second, whatever their order.
func (g *straight) take(all []state.Entry, kept int) {
	if g.steps[0].distinct > 0 {
		for i := range all {
			if i != kept && all[i].Clauses&1 != 0 {
				g.w.EachValue(&all[i], func(v uint64) { g.seen[v] = struct{}{} })
			}
		}
	}
	used := make([]bool, len(all))
	for again := g.begun(); again; {
		again = false
		for i := range all {
			if i == kept || used[i] || !g.fits(&all[i]) {
				continue
			}
			used[i], again = true, len(all) > 1
			g.bar(&all[i])
			g.left[g.at]--
			g.next()
		}
	}
}

// fits reports whether an entry can fill a place of the step that is open.
func (g *straight) fits(e *state.Entry) bool {
	if e.Clauses&(1<<g.at) == 0 || g.left[g.at] == 0 || g.steps[0].distinct > 0 && e.Clauses&1 != 0 {
		return false
	}
	if !e.Clashes() {
		return true
	}
	_, barred := g.clash[e.Hash()]
	return !barred
}

// next goes on to the first step that is open.
func (g *straight) next() {
	for g.at < len(g.steps)-1 && g.left[g.at] == 0 {
		g.at++
	}
}
