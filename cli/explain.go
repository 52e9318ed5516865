package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"noroshi/internal/app"
	"noroshi/internal/diag"
	"noroshi/internal/explain"
	"noroshi/internal/replay"
	"noroshi/rules"
)

// explainFlags say what to explain.
type explainFlags struct {
	ruleFlags
	rule, event, account string
	tests, live, json    bool
	until, data          string
}

func explainCommand(s Streams) *cobra.Command {
	f := &explainFlags{}
	c := &cobra.Command{
		Use:   "explain [--rule ID] [--event ID | --account NAME] [flags] [FILE|-]...",
		Short: "Show why rules fire, or do not, and what is missing",
		Long: `Explain reads records as replay does and says what rules make of them: which condition holds, with the values in it; of a rule
that remembers what it has seen, what is missing, and how long that can still come.

  --event ID                what every rule makes of one event, the nearest first
  --account NAME            what the rules that remember hold for an account at the end, or at --until
  --rule ID                 one rule: the events that it fires for and the nearest others, or the keys that came nearest to an alert
  --rule ID --event ID      one rule and one event
  --rule ID --tests         the rule's own tests instead of files
  --account NAME --live     what they hold of it in the memory that noroshi run has stored, of the Kafka of --config or in --data

"yes" stands before what holds, "no" before what does not. "7 of 10 events" has seven; "3m left" says that in three minutes the first
of them is too old. Of an event that is there the answer is the one that the rule gives when everything has come that counts for it.`,
		Example: `  noroshi explain --event 7d1f8e53-24a1-4e0b-8f0c-2f3b7f0c9a11 audit.ndjson
  noroshi explain --account taro@contoso.example --until 2026-01-02T03:10:00Z audit.ndjson
  noroshi explain --account taro@contoso.example --live --config noroshi.yaml
  noroshi explain --rules my-rules --rule guessed-and-in --tests`,
		RunE: func(c *cobra.Command, args []string) error { return f.run(c.Context(), s, args) },
	}
	f.add(c)
	c.Flags().StringVar(&f.rule, "rule", "", "the rule's `id`; all rules by default")
	_ = c.RegisterFlagCompletionFunc("rule", f.ruleIDs(s)) // it fails where the flag is unknown or has one
	c.Flags().StringVar(&f.event, "event", "", "the event's `id`")
	c.Flags().StringVar(&f.account, "account", "", "the account's `name`, as the field account has it")
	c.Flags().BoolVar(&f.tests, "tests", false, "explain the rule's own tests")
	c.Flags().BoolVar(&f.live, "live", false, "read what noroshi run remembers instead of files")
	c.Flags().StringVar(&f.data, "data", "", "with --live, the `folder` of the embedded Kafka; kafka.data by default, else noroshi-data")
	c.Flags().StringVar(&f.until, "until", "", "leave out events after this `time`, and tell how things stand then")
	c.Flags().BoolVar(&f.json, "json", false, "print JSON, one object a line")
	return c
}

// ruleIDs completes --rule: the ids of the rules that the other flags name, with their titles.
func (f *explainFlags) ruleIDs(s Streams) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) (all []string, _ cobra.ShellCompDirective) {
		s.Out, s.Err = io.Discard, io.Discard
		set, _, err := f.load(s)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		for _, r := range set.Rules {
			all = append(all, cobra.CompletionWithDesc(r.ID, diag.EscapeLine(r.Title)))
		}
		return all, cobra.ShellCompDirectiveNoFileComp
	}
}

// check says what does not go together.
func (f *explainFlags) check(args []string) error {
	switch {
	case f.rule == "" && f.event == "" && f.account == "":
		return errors.New("expected --rule, --event or --account: what to explain")
	case f.event != "" && f.account != "":
		return errors.New("expected one of --event and --account")
	case f.tests && f.rule == "":
		return errors.New("--rule is missing; --tests explains the tests of one rule")
	case f.tests && len(args) > 0:
		return fmt.Errorf("--tests reads the tests of the rule, not %s", args[0])
	case f.live && (f.account == "" || f.tests):
		return errors.New("--live is about one account: expected --account")
	case f.live && len(args) > 0:
		return fmt.Errorf("--live reads what noroshi run remembers, not %s", args[0])
	case f.data != "" && !f.live:
		return errors.New("--data is where noroshi run remembers; expected --live beside it")
	case f.tests && f.until != "":
		return errors.New("--until is for files; a test has a key until of its own")
	}
	return nil
}

func (f *explainFlags) run(ctx context.Context, s Streams, args []string) error {
	if err := f.check(args); err != nil {
		return err
	}
	until, err := moment("until", f.until)
	if err != nil {
		return err
	}
	load := f.load
	if f.tests {
		load = f.loadForTests
	}
	set, conf, err := load(s)
	if err != nil {
		return err
	}
	r, err := f.find(set)
	if err != nil {
		return err
	}
	out := &explaining{explainFlags: *f, out: s.Out, set: set, rule: r}
	if r == nil {
		offs(s.Err, set)
	}
	if f.tests {
		return out.explainTests(ctx, set, app.DecodeOptions(conf))
	}
	if f.live {
		return out.explainLive(ctx, s, compile(set, conf, nil), until)
	}
	x, err := replay.NewExplaining(set, r, app.DecodeOptions(conf))
	if err != nil {
		return failed{err}
	}
	x.Event, x.Account, x.Until, x.Now = f.event, f.account, until, s.Now()
	if err := out.about(); err != nil {
		return failed{err}
	}
	return f.files(ctx, s, args, x, out)
}

// files explains the records of files.
func (f *explainFlags) files(ctx context.Context, s Streams, args []string, x *replay.Explaining, out *explaining) error {
	faults := newFaults(s.Err)
	x.Each, x.Fault = out.each, func(one replay.Fault) { faults.add(one.Input, one.Line, string(one.Reason), one.Detail) }
	var inputs []replay.Input
	for _, one := range open(ctx, s, args) {
		defer one.from.Close()
		inputs = append(inputs, replay.Input{Name: one.name, From: one.from, Err: one.err})
	}
	sum, stats, err := x.Run(ctx, inputs)
	faults.end()
	if ctx.Err() != nil {
		return failed{ctx.Err()}
	}
	var unread *replay.Unread
	if err != nil && !errors.As(err, &unread) {
		return failed{err}
	}
	told := tally{records: stats.Records, events: stats.Events + sum.Later, unknown: stats.Unknown, keys: stats.UnknownKeys, unread: err}.tell(s.Err)
	if told == nil && stats.Events == 0 && sum.Later > 0 {
		return failed{fmt.Errorf("no event in the input is at %s or before", explain.Time{Time: x.Until})}
	}
	if told == nil && f.account != "" && sum.None() {
		return failed{fmt.Errorf("no event in the input is about the account %s; %s", f.account, asAccounts)}
	}
	if stats.Events > 0 {
		if err := out.summary(x, &sum); err != nil {
			return failed{err}
		}
		if err := out.excused(stats.Excused[f.rule]); err != nil {
			return failed{err}
		}
	}
	if told == nil && f.event != "" && sum.Events == 0 {
		return failed{fmt.Errorf("no event %s in the input", f.event)}
	}
	return told
}

// asAccounts says how accounts are written.
const asAccounts = "it is written as the field account has it, such as taro@contoso.example"

// find is the rule that is asked about, nil where all are.
func (f *explainFlags) find(set *rules.Set) (*rules.Rule, error) {
	if f.rule == "" {
		return nil, nil
	}
	if r := set.Find(f.rule); r != nil {
		return r, nil
	}
	var ids []string
	for _, r := range set.Rules {
		ids = append(ids, r.ID)
	}
	if near := cmp.Or(diag.Suggest(f.rule, ids), diag.Beginning(f.rule, ids)); near != "" {
		return nil, fmt.Errorf("no rule %s; did you mean %s?", f.rule, near)
	}
	return nil, fmt.Errorf("no rule %s", f.rule)
}

// printAbout prints what a rule tells about itself, nothing where it tells nothing.
func printAbout(w io.Writer, r *rules.Rule) {
	var lines []string
	for line := range strings.Lines(r.Description) {
		lines = append(lines, line)
	}
	for _, other := range r.FalsePositives {
		lines = append(lines, "it may also be: "+other)
	}
	if r.Runbook != "" {
		lines = append(lines, "runbook: "+r.Runbook)
	}
	for _, page := range r.References {
		lines = append(lines, "see: "+page)
	}
	if len(lines) == 0 {
		return
	}
	fmt.Fprintf(w, "%s: %s\n", r.ID, diag.EscapeLine(r.Title))
	for _, line := range lines {
		fmt.Fprintf(w, "  %s\n", diag.EscapeLine(strings.TrimRight(line, "\n")))
	}
}
