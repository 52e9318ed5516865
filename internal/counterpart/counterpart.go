// Package counterpart is what services have in common that stand in for others, on loopback, in tests and for `noroshi dev`.
package counterpart

import "context"

// T is what Run needs of a *testing.T; package testing itself stays out of programs that use this one.
type T interface {
	Helper()
	Context() context.Context
	Cleanup(func())
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// Server is a service that has taken its address and serves until a context ends.
type Server interface {
	Run(ctx context.Context) error
}

// Run runs a service that was made, or was not, until the end of a test.
func Run[S Server](t T, s S, err error) S {
	t.Helper()
	if err != nil {
		t.Fatalf("start %T: %v", s, err)
	}
	// the test's own context ends before clients that were made later are closed
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run %T: %v", s, err)
		}
	})
	return s
}
