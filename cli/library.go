package cli

import (
	"io"

	"github.com/spf13/cobra"

	"noroshi/internal/app"
	"noroshi/internal/diag"
	"noroshi/rules"
)

func libraryCommand(s Streams) *cobra.Command {
	c := &cobra.Command{
		Use:     "library",
		Short:   "Read about the rules that are shipped, and see what an upgrade changes of them",
		Example: "  noroshi library list\n  noroshi library show inbox-rule-hides-mail\n  noroshi library diff library-before --config noroshi.yaml",
	}
	c.AddCommand(libraryListCommand(s), libraryShowCommand(s), libraryExportCommand(s), libraryDiffCommand(s))
	return c
}

func libraryShowCommand(s Streams) *cobra.Command {
	f := &ruleFlags{}
	c := &cobra.Command{
		Use:   "show RULE",
		Short: "Print the page of a rule: what it looks for, why, what to do first, how to tune it",
		Long: `Show prints the page of a rule as docs/library has it: what it looks for and why that matters, what it says, what else looks
like it, the first steps, and how to tune it. With --rules it knows rules of your own, too.`,
		Example: "  noroshi library show inbox-rule-hides-mail\n  noroshi library show --rules my-rules my-rule",
		Args:    one("a rule, as noroshi library list shows them"),
		RunE: func(c *cobra.Command, args []string) error {
			set, conf, err := f.loadForTests(s)
			if err != nil {
				return err
			}
			r, err := (&explainFlags{rule: args[0]}).find(set)
			if err != nil {
				return err
			}
			states := map[string]rules.State{r.ID: r.State}
			set.AllLive()
			page, err := (&handbook{set: set, states: states, decode: app.DecodeOptions(conf)}).page(c.Context(), r)
			if err != nil {
				return failed{err}
			}
			if _, err := io.WriteString(s.Out, diag.Escape(page)); err != nil {
				return failed{err}
			}
			return nil
		},
	}
	f.add(c)
	return c
}
