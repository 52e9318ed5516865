package cli

import (
	"fmt"
	"io"
	"maps"
	"slices"

	"noroshi/internal/state"
)

// maxBounds is how many rules are told of which bounds have bitten.
const maxBounds = 10

// tellBounds tells of which rules memory was too small, so that what they find is not complete.
func tellBounds(w io.Writer, by map[string]state.Counts) {
	told := 0
	for _, rule := range slices.Sorted(maps.Keys(by)) {
		c := by[rule]
		if c.Overflow+c.Evicted == 0 {
			continue
		}
		if told++; told > maxBounds {
			continue
		}
		if c.Overflow > 0 {
			fmt.Fprintf(w, "warning: rule %s reached the bound of a key %s; what it finds there is not complete\n", rule, plural(c.Overflow, "time"))
		}
		if c.Evicted > 0 {
			fmt.Fprintf(w, "warning: rule %s forgot %s too early, because one tenant had too many; what it finds there is not complete\n",
				rule, plural(c.Evicted, "key"))
		}
	}
	if more := told - maxBounds; more > 0 {
		fmt.Fprintf(w, "warning: %s more reached a bound; --stats tells all\n", plural(more, "rule"))
	}
}
