package eventhubstest

import "context"

// T is what Start needs of a *testing.T; package testing itself stays out of programs that use this one.
type T interface {
	Helper()
	Context() context.Context
	Cleanup(func())
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// Start runs a namespace until the end of a test.
func Start(t T, c Config) *Server {
	t.Helper()
	s, err := New(c)
	if err != nil {
		t.Fatalf("start a namespace: %v", err)
	}
	// the test's own context ends before clients that were made later are closed
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run a namespace: %v", err)
		}
	})
	return s
}
