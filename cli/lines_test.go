package cli

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"noroshi/internal/alert"
)

// What is told late stands where its time is, as far as lines are held; none is left out, and all name their tenant from where there are two.
func TestLinesComeInOrderOfTime(t *testing.T) {
	base := time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)
	for _, n := range []int{3, maxHeld, 3*maxHeld + 5} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			var out bytes.Buffer
			l := &lines{out: &out}
			for i := range n {
				late := i % 3 * 1000 // of three, two come up to 1,000 and 2,000 s late
				one := &alert.Alert{ID: fmt.Sprint(i), Tenant: "t-1", Time: base.Add(time.Duration(i-late) * time.Second), Rule: alert.Rule{ID: "r"}}
				if i == n-1 {
					one.Tenant = "t-2"
				}
				if err := l.add(one); err != nil {
					t.Fatal(err)
				}
			}
			if err := l.flush(); err != nil {
				t.Fatal(err)
			}
			all := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
			if len(all) != n || !slices.IsSorted(all) {
				t.Errorf("%d lines, in order: %t", len(all), slices.IsSorted(all))
			}
			if !strings.Contains(all[len(all)-1], "t-") {
				t.Errorf("the last line is %q", all[len(all)-1])
			}
		})
	}
}
