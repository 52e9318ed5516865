package sinktest

import (
	"net"
	"syscall"
	"testing"
	"time"
)

// Hole is an address at which no connection ever comes about: nobody accepts, and the queue of those that wait is full. It is false
// where the system does not make one.
func Hole(t *testing.T) (string, bool) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	raw, err := l.(*net.TCPListener).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if err := raw.Control(func(fd uintptr) { _ = syscall.Listen(int(fd), 0) }); err != nil { // the shortest queue that there is
		t.Fatal(err)
	}
	for range 16 {
		c, err := net.DialTimeout("tcp", l.Addr().String(), 200*time.Millisecond)
		if err != nil {
			return l.Addr().String(), true
		}
		t.Cleanup(func() { c.Close() })
	}
	return "", false
}
