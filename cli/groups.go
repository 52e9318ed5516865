package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"noroshi/internal/diag"
)

// guided makes commands that only hold other commands refuse a word that is not one of these, and list them. Without it a misspelt command
// prints the help and succeeds.
func guided(c *cobra.Command) {
	for _, below := range c.Commands() {
		guided(below)
	}
	if !c.HasParent() || !c.HasSubCommands() || c.Args != nil {
		return
	}
	c.Args = aCommand
	c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
}

// aCommand refuses a word that does not name a command below c.
func aCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	names := []string{}
	for _, below := range c.Commands() {
		if below.IsAvailableCommand() {
			names = append(names, below.Name())
		}
	}
	err := fmt.Errorf("unknown command %q for %q", args[0], c.CommandPath())
	if near := diag.Suggest(args[0], names); near != "" {
		return fmt.Errorf("%w; did you mean %q?", err, near)
	}
	return fmt.Errorf("%w; there are %s", err, strings.Join(names, ", "))
}

// one takes one argument, which is what it says.
func one(what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		switch len(args) {
		case 0:
			return fmt.Errorf("name %s: %s", what, c.UseLine())
		case 1:
			return nil
		}
		return fmt.Errorf("%s takes one argument, not %d; quote a name with blanks", c.CommandPath(), len(args))
	}
}
