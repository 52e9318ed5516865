package cli

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"noroshi/internal/app"
	"noroshi/internal/decode"
	"noroshi/internal/diag"
	"noroshi/internal/replay"
	"noroshi/rules"
)

func explainCommand(s Streams) *cobra.Command {
	f := &ruleFlags{}
	var rule, id string
	c := &cobra.Command{
		Use:   "explain --rule ID [--event ID] [flags] [FILE|-]...",
		Short: "Show why a rule fires, or does not, for records",
		Long: `Explain evaluates one rule on each record, or on the one whose event.id is given. It shows each part of the condition,
whether it holds, and the values of the fields in it. Of a rule that remembers it says which of the rule's conditions the record
satisfies: as which step, or as what, it counts. What counted in the end is in the alert's evidence; see noroshi replay.`,
		Example: "  noroshi explain --rule inbox-rule-hides-mail --event 7d1f8e53-24a1-4e0b-8f0c-2f3b7f0c9a11 audit.ndjson",
		RunE: func(c *cobra.Command, args []string) error {
			if rule == "" {
				return fmt.Errorf("--rule is missing; name the rule to explain")
			}
			set, conf, err := f.load(s)
			if err != nil {
				return err
			}
			r := set.Find(rule)
			if r == nil {
				var ids []string
				for _, r := range set.Rules {
					ids = append(ids, r.ID)
				}
				if near := cmp.Or(diag.Suggest(rule, ids), diag.Beginning(rule, ids)); near != "" {
					return fmt.Errorf("no rule %s; did you mean %s?", rule, near)
				}
				return fmt.Errorf("no rule %s", rule)
			}
			e, err := replay.NewExplainer(set, r, app.DecodeOptions(conf))
			if err != nil {
				return failed{err}
			}
			printAbout(s.Out, r)
			files := open(c.Context(), s, args)
			found := 0
			reading := newReading(s)
			for _, one := range files {
				defer one.from.Close()
				err := reading.each(c.Context(), one, e.Reader(), func() error {
					if x := e.Explain(); id == "" || x.ID == id {
						found++
						printExplanation(s.Out, x)
					}
					return nil
				})
				if err != nil {
					return failed{err}
				}
			}
			if err := reading.end(s); err != nil {
				return err
			}
			if id != "" && found == 0 {
				return failed{fmt.Errorf("no event %s in the input", id)}
			}
			return nil
		},
	}
	f.add(c)
	c.Flags().StringVar(&rule, "rule", "", "the rule's `id`")
	c.Flags().StringVar(&id, "event", "", "the event's `id`; all events by default")
	return c
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

func printExplanation(w io.Writer, x replay.Explanation) {
	fmt.Fprintf(w, "%s %s %s: %s\n", decode.FormatTime(x.Time), diag.EscapeLine(x.Action), diag.EscapeLine(x.ID), x.Verdict())
	for _, p := range x.Parts {
		mark := "no "
		switch {
		case p.Err != nil:
			mark = "err"
		case p.Holds:
			mark = "yes"
		}
		fmt.Fprintf(w, "  %s  %s%s\n", mark, p.Role, diag.EscapeLine(p.Source))
		if p.Err != nil {
			fmt.Fprintf(w, "         %s\n", diag.EscapeLine(p.Err.Error()))
		}
		if len(p.Values) > 0 {
			fmt.Fprintf(w, "         %s\n", diag.EscapeLine(strings.Join(p.Values, ", ")))
		}
	}
}
