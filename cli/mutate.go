package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"noroshi/detector"
	"noroshi/internal/diag"
	"noroshi/internal/replay"
	"noroshi/rules"
)

// leastNoticed is the part of all changes that the tests of rules must notice.
const leastNoticed = 0.95

// changed is what became of a change of a rule.
type changed struct {
	Rule    string `json:"rule"`
	File    string `json:"file"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Change  string `json:"change"`
	Noticed bool   `json:"noticed"`
	Test    string `json:"test,omitempty"` // the first that fails
}

// mutating changes rules one thing at a time and runs their tests.
type mutating struct {
	*proving
	tried   func(*changed) bool // whether a change is tried; nil: all are
	changes int
	noticed int
	ruled   int // rules that were changed
}

// run changes the rules that have a test that is chosen, several at a time, and tells of them in their order.
func (t *mutating) run(ctx context.Context, chosen func(rule, test string) bool) error {
	own := slices.DeleteFunc(t.set.Own(), func(r *rules.Rule) bool {
		return !slices.ContainsFunc(r.Tests, func(one rules.Test) bool { return chosen(r.ID, one.Name) })
	})
	all, errs := make([][]changed, len(own)), make([]error, len(own))
	var next atomic.Int32
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(own) && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				all[i], errs[i] = t.each(ctx, own[i], chosen)
			}
		})
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return err
	}
	t.ruled = len(own)
	for i, some := range all {
		if errs[i] != nil {
			return failed{fmt.Errorf("change the rule %s: %w", own[i].ID, errs[i])}
		}
		for _, c := range some {
			t.changes++
			if c.Noticed {
				t.noticed++
			}
			if err := t.tellChange(c); err != nil {
				return failed{fmt.Errorf("write results: %w", err)}
			}
		}
	}
	return nil
}

// mutate changes the rules whose tests have passed.
func (t *proving) mutate(ctx context.Context, to io.Writer, asJSON bool, chosen func(rule, test string) bool) error {
	t.asJSON = asJSON
	m := &mutating{proving: t}
	if err := m.run(ctx, chosen); err != nil {
		return err
	}
	fmt.Fprintln(to, m.sum())
	if !m.enough() {
		return errSaid
	}
	return nil
}

// each tries the changes of a rule.
func (t *mutating) each(ctx context.Context, r *rules.Rule, chosen func(rule, test string) bool) (all []changed, err error) {
	var mutants []rules.Mutant
	t.set.Compiling(func() { mutants, err = t.set.Mutants(r) })
	for _, m := range mutants {
		if ctx.Err() != nil {
			break
		}
		c := changed{Rule: r.ID, File: r.File, Line: m.Line, Column: m.Column, Change: m.Change}
		if t.tried != nil && !t.tried(&c) {
			continue
		}
		c.Test, c.Noticed = t.notices(ctx, m.Rule, chosen)
		all = append(all, c)
	}
	return all, err
}

// notices is the first test that fails with a changed rule.
func (t *mutating) notices(ctx context.Context, r *rules.Rule, chosen func(rule, test string) bool) (test string, fails bool) {
	p := replay.NewProver(t.set.Instead(r), r, detector.Options{Decode: t.decode})
	for _, t := range cheapest(r.Tests) {
		if chosen(r.ID, t.Name) && !p.Prove(ctx, t).Pass {
			return t.Name, true
		}
	}
	return "", false
}

// cheapest are tests, those first that cost the least: most changes are noticed by some of them.
func cheapest(all []rules.Test) (some []*rules.Test) {
	cost := func(t *rules.Test) (n int) {
		for i := range t.Events {
			n += t.Events[i].Times
		}
		if t.Arrive.Shuffled {
			n *= replay.Shuffles
		}
		return n
	}
	for i := range all {
		some = append(some, &all[i])
	}
	slices.SortStableFunc(some, func(a, b *rules.Test) int { return cmp.Compare(cost(a), cost(b)) })
	return some
}

// tellChange prints a change: in JSON each, for people those that no test notices.
func (t *mutating) tellChange(c changed) error {
	if t.asJSON {
		return writeJSON(t.out, c)
	}
	if c.Noticed {
		return nil
	}
	_, err := fmt.Fprintf(t.out, "%s:%d:%d: %s: no test notices: %s\n", diag.EscapeLine(c.File), c.Line, c.Column, c.Rule, diag.EscapeLine(c.Change))
	return err
}

// sum is the last line of all.
func (t *mutating) sum() string {
	if t.changes == 0 {
		return fmt.Sprintf("found nothing to change in %s", plural(t.ruled, "rule"))
	}
	return fmt.Sprintf("changed %s in %s: tests notice %d (%.1f %%)", plural(t.ruled, "rule"), plural(t.changes, "way"), t.noticed,
		100*float64(t.noticed)/float64(t.changes))
}

// enough reports whether the tests notice as much as they should.
func (t *mutating) enough() bool { return float64(t.noticed) >= leastNoticed*float64(t.changes) }
