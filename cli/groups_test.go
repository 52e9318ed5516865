package cli

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// TestAWordThatIsNoCommandIsRefused: at each command with others below it, and with the right one where it is near.
func TestAWordThatIsNoCommandIsRefused(t *testing.T) {
	groups := 0
	var look func(c *cobra.Command)
	look = func(c *cobra.Command) {
		for _, below := range c.Commands() {
			look(below)
		}
		if !c.HasParent() || !c.HasSubCommands() {
			return
		}
		groups++
		name := c.Commands()[0].Name()
		for _, word := range []string{name + "x", "zzzzzzzz"} {
			var out, errs strings.Builder
			args := append(strings.Fields(c.CommandPath())[1:], word)
			code := Main(t.Context(), args, Streams{Out: &out, Err: &errs})
			if code != exitUsage || out.Len() > 0 || !strings.Contains(errs.String(), name) {
				t.Errorf("noroshi %s ends with %d and says %q, %q; want %d and the name %s", strings.Join(args, " "), code, out.String(), errs.String(), exitUsage, name)
			}
		}
	}
	look(root(Streams{}))
	if groups < 5 {
		t.Errorf("only %d commands have others below them", groups)
	}
}

// TestEveryCommandHasAnExample: help teaches by one.
func TestEveryCommandHasAnExample(t *testing.T) {
	var look func(c *cobra.Command)
	look = func(c *cobra.Command) {
		if c.Name() == "help" || c.Name() == "completion" || strings.HasPrefix(c.Name(), "__") {
			return
		}
		if c.HasParent() && c.Example == "" {
			t.Errorf("%s has no example", c.CommandPath())
		}
		for _, one := range c.Commands() {
			look(one)
		}
	}
	look(root(Streams{}))
}
