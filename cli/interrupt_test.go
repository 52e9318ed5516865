package cli

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spf13/cobra"
)

// TestACommandEndsWithItsContext, with what it has to say where that comes soon.
func TestACommandEndsWithItsContext(t *testing.T) {
	said := errors.New("said")
	for name, one := range map[string]struct {
		takes, ends time.Duration
		want        error
	}{
		"before":            {time.Second, time.Second, said},
		"soon after":        {2*time.Second + heedWithin/2, 2*time.Second + heedWithin/2, said},
		"a long time after": {time.Minute, 2*time.Second + heedWithin, context.Canceled},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(2*time.Second, cancel)
			c := &cobra.Command{}
			c.SetContext(ctx)
			began := time.Now()
			err := interruptible(func(*cobra.Command, []string) error {
				time.Sleep(one.takes)
				return said
			})(c, nil)
			if took := time.Since(began); !errors.Is(err, one.want) || took != one.ends {
				t.Errorf("%s: it ends after %v with %v; want %v, %v", name, took, err, one.ends, one.want)
			}
			cancel()
			time.Sleep(time.Minute) // until what was left to itself has ended
		})
	}
}
