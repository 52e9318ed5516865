package cli

import (
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// inwardWords are words of the libraries that read flags.
var inwardWords = regexp.MustCompile(`strconv|pars(e|ing)|syntax|time: |%!`)

// TestFlagsOfAWrongTypeSayWhatIsExpected: every flag of every command that takes no text.
func TestFlagsOfAWrongTypeSayWhatIsExpected(t *testing.T) {
	tried := 0
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		c.InheritedFlags() // makes them known
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if strings.HasPrefix(f.Value.Type(), "string") {
				return
			}
			for _, value := range []string{"maybe", "1.5x", "99999999999999999999", "-"} {
				err := c.ParseFlags([]string{"--" + f.Name + "=" + value})
				if err == nil {
					continue
				}
				tried++
				text := c.FlagErrorFunc()(c, err).Error()
				if inwardWords.MatchString(text) || !strings.Contains(text, "expected") && !strings.Contains(text, "outside") {
					t.Errorf("%s --%s=%s: %s", c.CommandPath(), f.Name, value, text)
				}
			}
		})
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(root(Streams{}))
	if tried < 50 {
		t.Errorf("%d flags were tried", tried)
	}
}
