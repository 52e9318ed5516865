// Package kind holds the ways in which rules fire.
package kind

import (
	"time"
)

// Finding is what makes a rule fire: the events that complete it.
type Finding struct {
	Anchor []string // what it is known by beside tenant, rule and group, whatever the order in which its events came
	First  time.Time
	Last   time.Time // when it was complete
	Count  int       // events, also those that Hits leaves out
	Late   bool      // completed by an event behind the watermark
	Hits   []*Hit    // evidence, in order of time
}

// Memory is what one rule keeps of the events of one partition.
type Memory interface {
	// Apply takes the next hit of the rule and appends the findings that it completes. It is called from the one goroutine
	// that owns the partition. The hit and its texts live until the findings have been used: a memory that keeps a hit
	// keeps its Clone. What fires must be a monotone function of the set of hits, and the anchor a function of when it
	// completes, so that order and repeats do not matter.
	Apply(h *Hit, to []Finding) []Finding
}

// Kind is a way of firing.
type Kind interface {
	// Name is what `kind:` says.
	Name() string
	// New makes the memory of one rule for one partition.
	New() Memory
}

// All are the kinds there are; the first is what a rule is that does not say.
var All = []Kind{Match{}}

// Lookup finds a kind by its name.
func Lookup(name string) (Kind, bool) {
	for _, k := range All {
		if k.Name() == name {
			return k, true
		}
	}
	return nil, false
}

// Names are the names of all kinds.
func Names() (all []string) {
	for _, k := range All {
		all = append(all, k.Name())
	}
	return all
}
