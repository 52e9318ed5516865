package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"noroshi/rules"
)

func schemaCommand(s Streams) *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of rule files",
		Long: `Schema prints the JSON Schema of rule files. Editors with a YAML language server complete the keys of rules with it, and show what
they mean. Name it in the first line of a rule:

  # yaml-language-server: $schema=noroshi.schema.json`,
		Example: "  noroshi schema > rules/noroshi.schema.json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			text, err := rules.Schema()
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
