package app

import (
	"slices"
	"strings"

	"noroshi/internal/coverage"
	"noroshi/internal/event"
	"noroshi/internal/telemetry"
	"noroshi/rules"
)

func (r *Run) ruleStatus(l *telemetry.Look, s *Status) {
	at := map[string]*RuleSum{}
	rules := r.ruling.Load().set.Rules()
	s.Rules = make([]RuleSum, len(rules))
	for i, rule := range rules {
		s.Rules[i] = RuleSum{ID: rule.ID, State: string(rule.State)}
		at[rule.ID] = &s.Rules[i]
	}
	take(l, ruleNumbers, func(labels []string) *RuleSum { return at[labels[0]] })
	s.Shadow, s.Building, s.Excused = map[string]int64{}, map[string]int64{}, map[string]int64{}
	for _, row := range s.Rules {
		some(s.Shadow, row.ID, row.Shadow)
		some(s.Building, row.ID, row.Building)
		some(s.Excused, row.ID, row.Excused)
	}
}

// some notes a count that is not 0.
func some(counts map[string]int64, rule string, n int64) {
	if n > 0 {
		counts[rule] = n
	}
}

// SleepSum are rules that cannot fire, for they all lack the same: no source has shown records that they look at.
type SleepSum struct {
	Rules []string        `json:"rules"`
	Lacks []coverage.Lack `json:"lacks"`
}

// sleeping remembers which rules sleep: that changes with the rules and the datasets alone.
type sleeping struct {
	rules []*rules.Rule
	shown []string
	all   []SleepSum
}

// asleep tells which rules sleep, by the datasets that sources have shown since this instance began to look. Nothing is told where none has
// shown any, or where there are more than the status tells of.
func (r *Run) asleep(s *Status) {
	if !r.has(Detect) {
		return
	}
	var shown []string
	for _, c := range s.Clocks {
		if len(c.Shown) >= mostTold {
			return
		}
		for _, one := range c.Shown {
			shown = append(shown, one.Dataset)
		}
	}
	if len(shown) == 0 {
		return
	}
	slices.Sort(shown)
	shown = slices.Compact(shown)
	all := r.ruling.Load().set.Rules()
	if was := r.sleeps.Load(); was == nil || !slices.Equal(was.shown, shown) || !slices.Equal(was.rules, all) {
		r.sleeps.Store(&sleeping{all, shown, Sleepers(all, shown)})
	}
	s.Asleep = r.sleeps.Load().all
}

// Sleepers are the rules that cannot fire on some datasets, by what they lack, in their order.
func Sleepers(all []*rules.Rule, datasets []string) (sums []SleepSum) {
	shown := coverage.Shown{Datasets: map[string]map[event.Slot]bool{}}
	for _, d := range datasets {
		shown.Datasets[d] = nil
	}
	at := map[string]int{}
	for _, c := range coverage.Of(&rules.Set{Rules: all}, &shown) {
		if c.Awake {
			continue
		}
		var key strings.Builder
		for _, l := range c.Lacks {
			key.WriteString(strings.Join(l.Datasets, " ") + ";" + strings.Join(l.Rules, " ") + "\n")
		}
		i, have := at[key.String()]
		if !have {
			i = len(sums)
			at[key.String()] = i
			sums = append(sums, SleepSum{Lacks: c.Lacks})
		}
		sums[i].Rules = append(sums[i].Rules, c.Rule.ID)
	}
	return sums
}
