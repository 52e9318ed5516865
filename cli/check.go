package cli

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/spf13/cobra"

	"noroshi/internal/app"
	"noroshi/internal/config"
	"noroshi/internal/diag"
	"noroshi/internal/replay"
	"noroshi/internal/strictyaml"
	"noroshi/rules"
)

// pathFlags choose what check and test look at: the rules named, by paths or by --rules, else the shipped library.
type pathFlags struct {
	ruleFlags
	now string

	doc *strictyaml.Doc // of the configuration that was read; nil: none
}

func (f *pathFlags) add(c *cobra.Command) {
	c.Flags().StringArrayVar(&f.dirs, "rules", nil, "rule `file` or folder, as PATH is one; may be repeated")
	c.Flags().BoolVar(&f.noLibrary, "no-library", false, "leave the shipped library out: its ids are free, and no rule can name its rules")
	c.Flags().StringVar(&f.config, "config", "", "configuration `file` to check too, with its rules and lists")
	c.Flags().StringVar(&f.now, "now", "", "check on this `day` whether exceptions have ended; today by default")
}

// load reads the rules named, as strictly as asked.
func (f *pathFlags) load(s Streams, args []string, strict bool) (*rules.Set, *config.Config, []diag.Problem, error) {
	now := s.Now()
	if f.now != "" {
		at, _, err := when("now", f.now)
		if err != nil || at.IsZero() {
			return nil, nil, nil, errors.New("--now: write a day such as 2027-03-31")
		}
		now = at
	}
	c, doc, ps := wholeConfiguration(s, f.config)
	f.doc = doc
	paths := slices.Concat(args, f.dirs)
	if len(paths) == 0 && f.noLibrary && f.config == "" {
		return nil, nil, nil, errors.New("--no-library leaves no rules; expected a rule file or folder")
	}
	o := rules.Options{Paths: append(paths, c.Rules...), Library: f.library(args), Beside: strict && !f.noLibrary,
		Named: true, Alone: f.noLibrary, Lists: c.Lists, Now: now, Strict: strict}
	if strict { // tests prove rules as they stand in their files
		o.Tuning = tuning(c, doc)
	}
	set, more := rules.Load(o)
	ps = append(ps, more...)
	diag.Sort(ps)
	return set, c, ps, nil
}

// library reports whether the shipped rules are looked at.
func (f *pathFlags) library(args []string) bool {
	return len(args)+len(f.dirs) == 0 && !f.noLibrary
}

// wholeConfiguration reads a configuration file with its sinks and sources, which are made and not started.
func wholeConfiguration(s Streams, path string) (*config.Config, *strictyaml.Doc, []diag.Problem) {
	if path == "" {
		return config.Default(), nil, nil
	}
	c, doc, ps := readConfiguration(s, path, sinkKinds())
	return c, doc, append(ps, makeEnds(s, c, doc, &app.Run{}, slog.New(slog.DiscardHandler))...)
}

func checkCommand(s Streams) *cobra.Command {
	f := &pathFlags{}
	var asJSON bool
	c := &cobra.Command{
		Use:   "check [flags] [PATH]...",
		Short: "Find mistakes in rules and configuration",
		Long: `Check reads rule files and folders, the shipped library where none is named, and reports every mistake with its place
and what would be right. It also demands what a rule should have: tests, one that fires and one that stays silent.`,
		Example: "  noroshi check rules/    # the same as noroshi check --rules rules/\n  noroshi check --config noroshi.yaml rules/\n  noroshi check --json rules/ | jq -r .message",
		RunE: func(_ *cobra.Command, args []string) error {
			set, conf, ps, err := f.load(s, args, true)
			if err != nil {
				return err
			}
			ps = append(ps, replay.Unreadable(set, app.DecodeOptions(conf))...)
			for _, file := range incidentFiles(f.library(args), slices.Concat(args, f.dirs)) {
				_, more := rules.Incidents(file, set.Ids())
				ps = append(ps, more...)
			}
			diag.Sort(ps)
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
