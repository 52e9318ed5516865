package cli

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"noroshi/internal/diag"
	"noroshi/rules"
)

// listedRule is a rule as `library list --json` prints it.
type listedRule struct {
	Rule     string   `json:"rule"`
	Title    string   `json:"title"`
	Severity string   `json:"severity"`
	Class    string   `json:"class,omitempty"`
	Guide    []string `json:"guide"`
	State    string   `json:"state"` // live, shadow, building or off, as the configuration has it
	Shipped  bool     `json:"shipped"`
}

func libraryListCommand(s Streams) *cobra.Command {
	f, asJSON := &ruleFlags{}, false
	var class, guide string
	c := &cobra.Command{
		Use:   "list",
		Short: "List the rules: their severity, class, items of the guide, state and title",
		Long: `List prints the shipped rules and those of --rules and --config, the gravest first. The state is that of the configuration: live rules
alert, rules in shadow are counted, building ones alert no one and serve other rules, and those that are off are not evaluated.`,
		Example: "  noroshi library list\n  noroshi library list --class hiding --config noroshi.yaml\n  noroshi library list --guide S3 --json | jq -r .rule",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if class != "" && !slices.Contains(rules.Classes, class) {
				return fmt.Errorf("no class %s; known are %s", class, strings.Join(rules.Classes, ", "))
			}
			if guide != "" && !slices.Contains(rules.GuideItems, guide) {
				return fmt.Errorf("no item %s of the guide; known are %s", guide, strings.Join(rules.GuideItems, ", "))
			}
			set, _, err := f.loadUntested(s)
			if err != nil {
				return err
			}
			return listRules(s, set, asJSON, func(r *rules.Rule) bool {
				return (class == "" || r.Class == class) && (guide == "" || slices.Contains(r.Guide, guide))
			})
		},
	}
	f.add(c)
	c.Flags().BoolVar(&asJSON, "json", false, "print one object a line")
	c.Flags().StringVar(&class, "class", "", "rules of this `class` alone")
	c.Flags().StringVar(&guide, "guide", "", "rules of this `item` of the guide alone, such as S3")
	for flag, values := range map[string][]string{"class": rules.Classes, "guide": rules.GuideItems} {
		_ = c.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)) // it fails where the flag is unknown
	}
	return c
}

// listRules prints the rules that are wanted, the gravest first.
func listRules(s Streams, set *rules.Set, asJSON bool, wanted func(*rules.Rule) bool) error {
	all := slices.DeleteFunc(slices.Clone(set.Rules), func(r *rules.Rule) bool { return !wanted(r) })
	slices.SortStableFunc(all, func(a, b *rules.Rule) int {
		return slices.Index(rules.Severities, b.Severity) - slices.Index(rules.Severities, a.Severity)
	})
	w := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
	if !asJSON {
		fmt.Fprintln(w, "RULE\tSEVERITY\tCLASS\tGUIDE\tSTATE\tTITLE")
	}
	for _, r := range all {
		var err error
		if asJSON {
			err = writeJSON(s.Out, listedRule{r.ID, r.Title, r.Severity, r.Class, append([]string{}, r.Guide...), string(r.State), r.Shipped})
		} else {
			_, err = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", r.ID, r.Severity, r.Class, strings.Join(r.Guide, ","), r.State, diag.EscapeLine(r.Title))
		}
		if err != nil {
			return failed{fmt.Errorf("write rules: %w", err)}
		}
	}
	if err := w.Flush(); err != nil {
		return failed{fmt.Errorf("write rules: %w", err)}
	}
	return nil
}
