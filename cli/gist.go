package cli

import (
	"fmt"
	"slices"
	"strings"

	"noroshi/internal/explain"
	"noroshi/internal/replay"
)

// The bounds of a gist.
const (
	maxFired   = 20
	maxNearest = 5
)

// gist is what a rule that looks at one event alone makes of many: those that it fires for, the first as they come, and the nearest of the
// others.
type gist struct {
	events, fired int
	nearest       []explain.Tree
}

// take counts an event, and shows it where the rule fires for it.
func (g *gist) take(b *strings.Builder, x *replay.Explained) {
	g.events++
	for i := range x.Rules {
		t := &x.Rules[i]
		if t.Verdict != explain.Fires {
			g.miss(t)
			continue
		}
		if g.fired++; g.fired <= maxFired {
			t.WriteEvent(b, "")
		}
	}
}

// miss keeps an event for which the rule does not fire, if few are nearer. Of those that are as near the first is kept.
func (g *gist) miss(t *explain.Tree) {
	at, _ := slices.BinarySearchFunc(g.nearest, t, func(other explain.Tree, t *explain.Tree) int {
		if explain.Nearer(&other, t) <= 0 {
			return -1
		}
		return 1
	})
	if at < maxNearest {
		g.nearest = slices.Insert(g.nearest, at, *t)
		g.nearest = g.nearest[:min(maxNearest, len(g.nearest))]
	}
}

// end shows the nearest, and how many there are of each.
func (g *gist) end(b *strings.Builder) {
	if more := g.fired - maxFired; more > 0 {
		fmt.Fprintf(b, "and %s more for which the rule fires; --event ID shows one\n", plural(more, "event"))
	}
	for i := range g.nearest {
		g.nearest[i].WriteEvent(b, "")
	}
	misses := g.events - g.fired
	if more := misses - len(g.nearest); more > 0 {
		fmt.Fprintf(b, "and %s no nearer; --event ID shows one\n", plural(more, "event"))
	}
	fmt.Fprintf(b, "%s; the rule fires for %d\n", plural(g.events, "event"), g.fired)
}
