package cli

import (
	"errors"
	"fmt"
	"log/slog"

	"github.com/spf13/cobra"

	"noroshi/internal/app"
	"noroshi/internal/config"
	"noroshi/internal/diag"
	"noroshi/rules"
)

// pathFlags choose what check and test look at: the paths named, else the shipped library.
type pathFlags struct {
	config    string
	now       string
	noLibrary bool
}

func (f *pathFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.config, "config", "", "configuration `file` to check too; rules use its lists")
	c.Flags().StringVar(&f.now, "now", "", "check on this `day` whether exceptions have ended; today by default")
}

// load reads the rules named, as strictly as asked.
func (f *pathFlags) load(s Streams, paths []string, strict bool) (*rules.Set, *config.Config, []diag.Problem, error) {
	now := s.Now()
	if f.now != "" {
		at, _, err := when("now", f.now)
		if err != nil || at.IsZero() {
			return nil, nil, nil, errors.New("--now: write a day such as 2027-03-31")
		}
		now = at
	}
	c, ps := wholeConfiguration(s, f.config)
	set, more := rules.Load(rules.Options{Paths: append(paths, c.Rules...), Library: len(paths) == 0 && !f.noLibrary, Beside: strict && !f.noLibrary, Named: true, Lists: c.Lists, Now: now, Strict: strict})
	ps = append(ps, more...)
	diag.Sort(ps)
	return set, c, ps, nil
}

// wholeConfiguration reads a configuration file with its sinks and sources, which are made and not started.
func wholeConfiguration(s Streams, path string) (*config.Config, []diag.Problem) {
	if path == "" {
		return config.Default(), nil
	}
	c, doc, ps := readConfiguration(s, path, sinkKinds())
	return c, append(ps, makeEnds(s, c, doc, &app.Run{}, slog.New(slog.DiscardHandler))...)
}

func checkCommand(s Streams) *cobra.Command {
	f := &pathFlags{}
	var asJSON bool
	c := &cobra.Command{
		Use:   "check [flags] [PATH]...",
		Short: "Find mistakes in rules and configuration",
		Long: `Check reads rule files and folders, the shipped library where none is named, and reports every mistake with its place
and what would be right. It also demands what a rule should have: tests, one that fires and one that stays silent.`,
		Example: "  noroshi check rules/\n  noroshi check --config noroshi.yaml rules/\n  noroshi check --json rules/ | jq -r .message",
		RunE: func(_ *cobra.Command, args []string) error {
			set, _, ps, err := f.load(s, args, true)
			if err != nil {
				return err
			}
			for _, p := range ps {
				if asJSON {
					if err := writeJSON(s.Out, p); err != nil {
						return failed{fmt.Errorf("write problems: %w", err)}
					}
					continue
				}
				fmt.Fprintln(s.Out, p.Format())
			}
			n := diag.Errors(ps)
			if !asJSON {
				fmt.Fprintln(s.Err, checked(len(set.Own()), n, len(ps)-n))
			}
			if n > 0 {
				return errSaid
			}
			return nil
		},
	}
	f.add(c)
	c.Flags().BoolVar(&f.noLibrary, "no-library", false, "the rules will not stand beside the shipped ones, whose ids are free")
	c.Flags().BoolVar(&asJSON, "json", false, "print one object a line")
	return c
}

// checked is what check has found: rules are those without an error.
func checked(rules, errors, warnings int) string {
	if errors+warnings == 0 {
		return fmt.Sprintf("checked %s: no problems", plural(rules, "rule"))
	}
	found := fmt.Sprintf("found %s and %s", plural(errors, "error"), plural(warnings, "warning"))
	if rules == 1 {
		return found + "; 1 rule has no error"
	}
	return fmt.Sprintf("%s; %d rules have no error", found, rules)
}
