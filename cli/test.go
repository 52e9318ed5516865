package cli

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"noroshi/detector"
	"noroshi/internal/app"
	"noroshi/internal/decode"
	"noroshi/internal/diag"
	"noroshi/internal/replay"
	"noroshi/rules"
)

func testCommand(s Streams) *cobra.Command {
	f := &pathFlags{}
	var asJSON, mutate bool
	var junit, run string
	c := &cobra.Command{
		Use:   "test [flags] [PATH]...",
		Short: "Run the tests that rules carry",
		Long: `Test runs the tests of the rules named, or of the shipped library. It evaluates them as replay does. Of a test that
fails it prints how the alerts differ from what is wanted, and what the rule makes of the records; see noroshi explain.

With --config it runs the tests of the configuration's exceptions, too, on the rules as the configuration has them. One of an
exception's tests must fail without it: else they prove nothing.

With --mutate it asks whether the tests are worth something. It changes one thing of a rule at a time and expects that a test
fails: a comparison turned round; a part of a condition, an entry of a list, an exception left out; a count by one more or less.
It prints the changes that no test notices, and ends with exit 1 where tests notice fewer than 95 of 100.`,
		Example: "  noroshi test rules/    # the same as noroshi test --rules rules/\n  noroshi test --run 'ten wrong passwords' rules/\n  noroshi test --junit report.xml rules/\n  noroshi test --mutate rules/",
		RunE: func(c *cobra.Command, args []string) error {
			chosen := matcher(run)
			set, conf, ps, err := f.load(s, args, false)
			if err != nil {
				return err
			}
			tuned, more := f.tuned(s, args, conf)
			ps = append(ps, more...)
			show(s.Err, ps)
			var files []string
			for _, r := range set.Rules {
				files = append(files, r.File)
			}
			if err := overwrites("junit", junit, files); err != nil {
				return err
			}
			t := &proving{out: s.Out, problems: s.Err, asJSON: asJSON && !mutate, now: s.Now, set: set, decode: app.DecodeOptions(conf)}
			set.AllLive()
			if err := t.run(c.Context(), chosen); err != nil {
				return err
			}
			if err := t.incidents(c.Context(), incidentFiles(f.library(args), slices.Concat(args, f.dirs)), chosen); err != nil {
				return err
			}
			if tuned != nil {
				if err := t.exceptions(c.Context(), tuned, chosen); err != nil {
					return err
				}
			}
			if len(t.all) == 0 && run != "" {
				return failed{fmt.Errorf("no test has a name with %s", run)}
			}
			if !asJSON {
				left := ""
				if n := diag.Errors(ps); n > 0 {
					left = "; " + plural(n, "error") + " in files, whose tests were not run"
				}
				fmt.Fprintf(s.Err, "ran %s of %s: %s%s\n", plural(len(t.all), "test"), t.of(), t.verdict(), left)
			}
			if junit != "" {
				if err := writeJUnit(junit, t.all, ps, s.Now()); err != nil {
					return failed{err}
				}
			}
			if t.bad > 0 || diag.Errors(ps) > 0 {
				return errSaid
			}
			if mutate {
				return t.mutate(c.Context(), s.Err, asJSON, chosen)
			}
			return nil
		},
	}
	f.add(c)
	c.Flags().BoolVar(&asJSON, "json", false, "print one object a test")
	c.Flags().BoolVar(&mutate, "mutate", false, "change each rule in many ways and tell which changes no test notices")
	c.Flags().Var(filled{&junit}, "junit", "write a JUnit report to this `file`")
	c.Flags().StringVar(&run, "run", "", "run the tests whose `name`, or rule and name as in \"rule: name\", has this text or matches this regular expression")
	return c
}

// matcher reports whether a test is one of those to run: by a part of its name, or a regular expression.
func matcher(pattern string) func(rule, test string) bool {
	re, err := regexp.Compile("(?i)" + pattern)
	return func(rule, test string) bool {
		name := rule + ": " + test
		return strings.Contains(strings.ToLower(name), strings.ToLower(pattern)) || err == nil && re.MatchString(name)
	}
}

// proving runs tests and tells what became of them.
type proving struct {
	out    io.Writer
	asJSON bool
	now    func() time.Time
	set    *rules.Set
	decode decode.Options
	all    []replay.Verdict
	rules  int
	bad    int

	excused  int // exceptions of the configuration whose tests were run
	added    int // tests of what alerts add up to
	problems io.Writer
}

// of is what has been tested.
func (t *proving) of() string {
	text := plural(t.rules, "rule")
	if t.excused > 0 {
		text += " and " + plural(t.excused, "exception")
	}
	if t.added > 0 {
		text += " and of incidents"
	}
	return text
}

func (t *proving) verdict() string {
	switch {
	case t.bad > 0:
		return fmt.Sprintf("%d failed", t.bad)
	case len(t.all) == 0:
		return "nothing is proved"
	}
	return "all passed"
}

// run runs the tests that are chosen, those of several rules at a time, and tells of them in their order.
func (t *proving) run(ctx context.Context, chosen func(rule, test string) bool) error {
	own := t.set.Own()
	all := make([][]replay.Verdict, len(own))
	var next atomic.Int32
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(own); i = int(next.Add(1)) - 1 {
				all[i] = t.prove(ctx, own[i], chosen)
			}
		})
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return err
	}
	for i, verdicts := range all {
		if len(verdicts) > 0 {
			t.rules++
		}
		for _, v := range verdicts {
			if err := t.take(ctx, own[i], v); err != nil {
				return err
			}
		}
	}
	return nil
}

// take counts a verdict and tells it; the rule is nil where it is about an exception of the configuration.
func (t *proving) take(ctx context.Context, r *rules.Rule, v replay.Verdict) error {
	if !v.Pass {
		t.bad++
	}
	t.all = append(t.all, v)
	if err := t.tell(ctx, r, v); err != nil {
		return failed{fmt.Errorf("write results: %w", err)}
	}
	return nil
}

// prove runs the tests of a rule that are chosen.
func (t *proving) prove(ctx context.Context, r *rules.Rule, chosen func(rule, test string) bool) (all []replay.Verdict) {
	var p *replay.Prover
	for i := range r.Tests {
		if !chosen(r.ID, r.Tests[i].Name) || ctx.Err() != nil {
			continue
		}
		if p == nil {
			p = replay.NewProver(t.set, r, detector.Options{Decode: t.decode})
		}
		from := t.now()
		v := p.Prove(ctx, &r.Tests[i])
		v.Took = t.now().Sub(from)
		all = append(all, v)
	}
	return all
}

// tell prints a test: in JSON each, for people those that failed.
func (t *proving) tell(ctx context.Context, r *rules.Rule, v replay.Verdict) error {
	if t.asJSON {
		return writeJSON(t.out, v)
	}
	if v.Pass {
		return nil
	}
	_, err := fmt.Fprintf(t.out, "%s:%d: %s: %s: %s\n", diag.EscapeLine(v.File), v.Line, v.Rule, diag.EscapeLine(v.Test), diag.EscapeLine(v.Why))
	if err == nil {
		err = differences(t.out, v.Differences)
	}
	if err == nil && r != nil {
		err = t.explain(ctx, r, v.Test)
	}
	return err
}

// The bounds of what is printed of one test.
const (
	maxDifferences = 20
	maxExplained   = 10
)

// differences prints how alerts differ from what is wanted, by path.
func differences(w io.Writer, all []replay.Difference) error {
	var b strings.Builder
	for i, d := range all {
		if i == maxDifferences {
			fmt.Fprintf(&b, "  and %d more\n", len(all)-i)
			break
		}
		switch {
		case d.Got == "":
			fmt.Fprintf(&b, "  expected and not there: %s\n", d.Expected)
		case d.Expected == "":
			fmt.Fprintf(&b, "  there and not expected: %s\n", d.Got)
		default:
			fmt.Fprintf(&b, "  alert %d, %s\n    expected %s\n    got      %s\n", d.Alert, d.Path, d.Expected, d.Got)
		}
	}
	_, err := io.WriteString(w, diag.Escape(b.String()))
	return err
}

// explain prints what the rule makes of the records.
func (t *proving) explain(ctx context.Context, r *rules.Rule, name string) error {
	at := slices.IndexFunc(r.Tests, func(one rules.Test) bool { return one.Name == name })
	if at < 0 {
		return nil
	}
	x, err := replay.ExplainingTest(t.set, r, &r.Tests[at], t.decode)
	if err != nil {
		return err
	}
	var b strings.Builder
	n := 0
	x.Each = func(e replay.Explained) error {
		if n++; n <= maxExplained {
			for i := range e.Rules {
				e.Rules[i].WriteEvent(&b, "  ")
			}
		}
		return nil
	}
	sum, err := x.Test(ctx, &r.Tests[at])
	if err != nil {
		return nil // the test says so
	}
	if more := n - maxExplained; more > 0 {
		fmt.Fprintf(&b, "  and %s more\n", plural(more, "record"))
	}
	if _, err = io.WriteString(t.out, b.String()); err != nil || x.OneByOne() {
		return err
	}
	return (&explaining{out: t.out, rule: r}).told(x, &sum, "  ")
}
