package clock

import (
	"strconv"
	"strings"
)

// Alike is a source whose partitions hold records of the same kinds, as those of an event hub do, and how many it has. What one of them has
// shown the others may hold, too: also those that nobody has read yet.
type Alike struct {
	Source     string // audit
	Partitions int
}

// kin are the partitions of a source.
type kin struct {
	source     string
	partitions int // that hold records of the same kinds; 0: nobody has said so
	known      []*source
}

// kinOf are the partitions of the source that a source partition belongs to, nil where it is a whole source.
func (c *Clocks) kinOf(name string) *kin {
	i := strings.LastIndexByte(name, '/')
	if i < 0 {
		return nil
	}
	return c.partitionsOf(name[:i])
}

func (c *Clocks) partitionsOf(source string) *kin {
	k := c.kin[source]
	if k == nil {
		k = &kin{source: strings.Clone(source)}
		c.kin[k.source] = k
	}
	return k
}

// takeAlike takes that the partitions of a source hold records of the same kinds. There are as many as was ever said: of those that are gone
// it is said when they are retired.
func (c *Clocks) takeAlike(a *Alike) {
	k := c.partitionsOf(a.Source)
	if a.Partitions <= k.partitions {
		return
	}
	k.partitions, c.changed, c.untoldAlike = a.Partitions, true, true
	for i := range min(a.Partitions, maxSources) {
		c.source(k.source + "/" + strconv.Itoa(i))
	}
}

// holders gives the source partitions for which the clock of a dataset in a tenant waits.
func (c *Clocks) holders(by *shown, do func(*source)) {
	for _, s := range by.sources {
		if !c.gone(s) {
			do(s)
		}
	}
	for _, k := range by.kin {
		for _, s := range k.alike() {
			if retired := c.retiredAt(s.name); retired == Unknown || s.ticked > retired {
				do(s)
			}
		}
	}
}

// alike are the partitions, where they hold records of the same kinds.
func (k *kin) alike() []*source {
	if k.partitions == 0 {
		return nil
	}
	return k.known
}
