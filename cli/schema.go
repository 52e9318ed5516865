package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"noroshi/internal/alert"
	"noroshi/rules"
)

// schemaOf are what has a JSON Schema.
var schemaOf = []string{"rule", "alert"}

func schemaCommand(s Streams) *cobra.Command {
	return &cobra.Command{
		Use:   "schema [rule|alert]",
		Short: "Print the JSON Schema of rule files, or of alerts",
		Long: `Schema prints the JSON Schema of rule files; schema alert prints that of alerts, see docs/alert.md. Editors with a YAML language server
complete the keys of rules with it, and show what they mean. Name it in the first line of a rule:

  # yaml-language-server: $schema=noroshi.schema.json`,
		Example:           "  noroshi schema > rules/noroshi.schema.json\n  noroshi schema alert > alert.schema.json",
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: cobra.FixedCompletions(schemaOf, cobra.ShellCompDirectiveNoFileComp),
		RunE: func(_ *cobra.Command, args []string) error {
			text, err := rules.Schema()
			if len(args) > 0 && !slices.Contains(schemaOf, args[0]) {
				return fmt.Errorf("no schema of %s; there are those of %s", args[0], strings.Join(schemaOf, ", "))
			}
			if len(args) > 0 && args[0] == "alert" {
				text, err = alert.JSONSchema()
			}
			if err == nil {
				_, err = fmt.Fprintf(s.Out, "%s\n", text)
			}
			if err != nil {
				return failed{fmt.Errorf("write schema: %w", err)}
			}
			return nil
		},
	}
}
