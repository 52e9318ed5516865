package detector_test

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"noroshi/detector"
	"noroshi/internal/alert"
	"noroshi/rules/kind"
)

// explained are the answers about the hits of a case's events in order, by rule, key and event.
func (x tried) explained(c theCase) (fires map[string]bool, failed error) {
	hits, shown, err := x.hitsOf(c)
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	fires = map[string]bool{}
	m := x.set.Memory(detector.MemoryOptions{Shown: shown})
	asking := detector.NewExplainer(m, func(packed []byte, s *detector.Standing) {
		if s.Progress == nil || s.Progress.Gone || s.Progress.Waits != math.MaxInt64 && s.Progress.Fires {
			failed = fmt.Errorf("%s has no answer", names[string(packed)])
			return
		}
		fires[names[string(packed)]] = s.Progress.Fires
	})
	numbers := make([]int, len(c.events))
	for i := range numbers {
		numbers[i] = i
	}
	slices.SortStableFunc(numbers, func(a, b int) int { return order(c.events[a], c.events[b]) })
	var last time.Time
	for _, i := range numbers {
		last = c.events[i].at
		if err := asking.Before(last.UnixNano()); err != nil {
			return nil, err
		}
		m.Advance(last, func(*alert.Alert) {})
		for _, packed := range hits[i] {
			var h kind.Hit
			if err := h.Unpack(packed); err != nil {
				return nil, err
			}
			names[string(packed)] = firedName(x.set.Rules()[h.Rule].ID, h.Key, c.events[i])
			if err := m.Apply(packed, func(*alert.Alert) {}); err != nil {
				return nil, err
			}
			if err := asking.Ask(packed); err != nil {
				return nil, err
			}
		}
	}
	if err := asking.End(last.UnixNano()); err != nil {
		return nil, err
	}
	return fires, failed
}

func firedName(rule string, key []string, e *event) string {
	return fmt.Sprintf("%s %q %q %s %s", rule, e.tenant(), key, e.identity(), e.at)
}

// TestExplainKnowsWhatFires: what is explained as firing are the events for which the definitions say that the rule fires.
func TestExplainKnowsWhatFires(t *testing.T) {
	cases := 150
	if testing.Short() {
		cases = 50
	}
	for _, name := range slices.Sorted(maps.Keys(kinds)) {
		t.Run(name, func(t *testing.T) {
			known(t, kinds[name](newMaker(1)))
			fired := 0
			for seed := range uint64(cases) {
				c := kinds[name](newMaker(seed))
				if len(c.rules) > 1 {
					t.Skip("alerts are not asked about")
				}
				x, err := loadTried(c)
				if err != nil {
					t.Fatal(err)
				}
				got, err := x.explained(c)
				if err != nil {
					t.Fatalf("seed %d: %v\n%s", seed, err, c)
				}
				want := map[string]bool{}
				for _, f := range c.evaluate(newWorld(c.events)) {
					for _, e := range f.fires {
						want[firedName(f.rule.id, f.key, e)] = true
					}
				}
				maps.DeleteFunc(got, func(_ string, fires bool) bool { return !fires })
				fired += len(got)
				if !maps.Equal(got, want) {
					t.Fatalf("seed %d: explained as firing\n  %s\nfires\n  %s\n%s", seed, listed(got), listed(want), c)
				}
			}
			if fired == 0 {
				t.Error("nothing fires")
			}
		})
	}
}

func listed(all map[string]bool) string {
	return strings.Join(slices.Sorted(maps.Keys(all)), "\n  ")
}
