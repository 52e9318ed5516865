package cli

import (
	"time"

	"github.com/spf13/cobra"

	"noroshi/internal/bus"
)

// heedWithin is how long a command that asks brokers may take to end after its context.
const heedWithin = time.Second

// interruptible is a command that ends with its context. The client of Kafka does not heed that while it signs in at a broker that does
// not answer: then the command is left to itself, and ends with the process.
func interruptible(do func(*cobra.Command, []string) error) func(*cobra.Command, []string) error {
	return func(c *cobra.Command, args []string) error {
		return bus.Within(c.Context(), heedWithin, func() error { return do(c, args) })
	}
}
