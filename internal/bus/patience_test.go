package bus_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"noroshi/internal/bus"
)

// A start asks again where a broker goes away in its midst, for a minute, and ends at once where waiting does not help.
func TestAStartOutlastsABrokerThatGoesAway(t *testing.T) {
	dial := &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	for _, c := range []struct {
		name   string
		err    error
		passes bool
	}{
		{"the connection ends", io.EOF, true},
		{"nothing listens", dial, true},
		{"the connection is reset", &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}, true},
		{"the coordinator moves", kerr.CoordinatorNotAvailable, true},
		{"the controller moves", kerr.NotController, true},
		{"a leader moves", kerr.NotLeaderForPartition, true},
		{"the user may not", kerr.TransactionalIDAuthorizationFailed, false},
		{"the password is wrong", kerr.SaslAuthenticationFailed, false},
		{"too few brokers", kerr.InvalidReplicationFactor, false},
		{"a topic is not as it should be", errors.New("topic events has 3 partitions"), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tries := 0
				err := bus.Patiently(t.Context(), func(context.Context) error {
					if tries++; tries < 4 {
						return fmt.Errorf("create topic: %w", c.err)
					}
					return nil
				})
				if want := map[bool]int{true: 4, false: 1}[c.passes]; tries != want || (err == nil) != c.passes {
					t.Errorf("%d tries, %v; want %d", tries, err, want)
				}
			})
		})
	}
	t.Run("it lasts", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			err := bus.Patiently(t.Context(), func(context.Context) error { return dial })
			if took := time.Since(began); !errors.Is(err, syscall.ECONNREFUSED) || took != time.Minute {
				t.Errorf("%v after %v", err, took)
			}
		})
	})
}
