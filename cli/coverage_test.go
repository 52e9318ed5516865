package cli

import (
	"fmt"
	"testing"

	"noroshi/internal/coverage"
)

// TestWhatARuleLacksIsShort, however many fields or rules it is.
func TestWhatARuleLacksIsShort(t *testing.T) {
	var names []string
	for i := range 30 {
		names = append(names, fmt.Sprint("n", i))
	}
	for want, l := range map[string]coverage.Lack{
		"no record of d has n0, n1, n2, n3, n4 and 25 others":                          {Datasets: []string{"d"}, Fields: names},
		"no record of d has n0, n1, n2, n3, n4, n5":                                    {Datasets: []string{"d"}, Fields: names[:6]},
		"it looks at alerts of rules that all sleep: n0, n1, n2, n3, n4 and 25 others": {Rules: names},
	} {
		if got := lacking([]coverage.Lack{l}); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}
