package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"noroshi/internal/alert"
	"noroshi/internal/reference"
	"noroshi/rules"
)

// schemaOf are what has a JSON Schema.
var schemaOf = []string{"rule", "alert", "config"}

func schemaCommand(s Streams) *cobra.Command {
	return &cobra.Command{
		Use:   "schema [rule|alert|config]",
		Short: "Print the JSON Schema of rule files, of alerts or of the configuration",
		Long: `Schema prints the JSON Schema of rule files; schema alert prints that of alerts, see docs/alert.md, and schema config that
of the configuration. Editors with a YAML language server complete keys with it, and show what they mean. Name it in the first line of
a rule or configuration:

  # yaml-language-server: $schema=noroshi.schema.json`,
		Example:           "  noroshi schema > rules/noroshi.schema.json\n  noroshi schema alert > alert.schema.json\n  noroshi schema config > config.schema.json",
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: cobra.FixedCompletions(schemaOf, cobra.ShellCompDirectiveNoFileComp),
		RunE: func(_ *cobra.Command, args []string) error {
			of := append(args, schemaOf[0])[0]
			if !slices.Contains(schemaOf, of) {
				return fmt.Errorf("no schema of %s; there are those of %s", of, strings.Join(schemaOf, ", "))
			}
			text, err := map[string]func() ([]byte, error){"rule": rules.Schema, "alert": alert.JSONSchema, "config": reference.Schema}[of]()
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
