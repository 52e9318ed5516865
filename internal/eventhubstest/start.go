package eventhubstest

import "noroshi/internal/counterpart"

// Start runs a namespace until the end of a test.
func Start(t counterpart.T, c Config) *Server {
	t.Helper()
	s, err := New(c)
	return counterpart.Run(t, s, err)
}
