//go:build unix

package service

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// listen is the socket of a service manager. What the process says comes from next.
func listen(t *testing.T) (next func() string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "notify") // a path that is short enough for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	path := filepath.Join(dir, "s")
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	t.Setenv("NOTIFY_SOCKET", path)
	return func() string {
		t.Helper()
		if err := c.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 4096)
		n, err := c.Read(buf)
		if err != nil {
			t.Fatalf("the process says nothing: %v", err)
		}
		return string(buf[:n])
	}
}

func TestWhatTheManagerIsTold(t *testing.T) {
	next := listen(t)
	m := Find(slog.New(slog.DiscardHandler))
	for _, c := range []struct {
		name, want string
		tell       func()
	}{
		{"ready", "READY=1\nSTATUS=running", func() { m.Ready("running") }},
		{"reloading", "RELOADING=1\nSTATUS=files are read again", func() { m.Reloading("files are read again") }},
		{"stopping", "STOPPING=1\nSTATUS=ending\nEXTEND_TIMEOUT_USEC=18000000", func() { m.Stopping("ending", 18*time.Second) }},
	} {
		c.tell()
		if got := next(); got != c.want {
			t.Errorf("%s: told is %q, expected %q", c.name, got, c.want)
		}
	}
}

func TestAProcessThatHangsIsNotSaidToLive(t *testing.T) {
	next := listen(t)
	t.Setenv("WATCHDOG_USEC", "20000")
	t.Setenv("WATCHDOG_PID", strconv.Itoa(os.Getpid()))
	var log bytes.Buffer
	m := Find(slog.New(slog.NewTextHandler(&log, nil)))
	var hung atomic.Bool
	ctx, cancel := context.WithCancel(t.Context())
	looks, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		m.Watch(ctx, func() error {
			select {
			case looks <- struct{}{}:
			case <-ctx.Done():
			}
			if hung.Load() {
				return errors.New("nothing was stored for 5m")
			}
			return nil
		})
	}()
	for range 2 {
		<-looks
		if got := next(); got != "WATCHDOG=1" {
			t.Fatalf("told is %q", got)
		}
	}
	hung.Store(true)
	for range 3 { // the last two are behind a look at a process that hangs
		<-looks
	}
	cancel()
	<-done
	m.Ready("the end")
	for got := next(); got != "READY=1\nSTATUS=the end"; got = next() {
		t.Errorf("a process that hangs says %q", got)
	}
	if n := strings.Count(log.String(), "the process hangs"); n != 1 || !strings.Contains(log.String(), "nothing was stored for 5m") {
		t.Errorf("the log tells it %d times: %s", n, log.String())
	}
}

func TestWithoutAManager(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	m := Find(slog.New(slog.DiscardHandler))
	m.Ready("running")
	m.Watch(t.Context(), func() error { t.Error("nobody watches"); return nil })
}

// A watchdog that is for another process is not this one's; one that cannot be read is told.
func TestOddWatchdogs(t *testing.T) {
	listen(t)
	for name, c := range map[string]struct{ usec, pid, log string }{
		"of another process": {"20000", "1", ""},
		"unreadable":         {"soon", "", "WATCHDOG_USEC"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("WATCHDOG_USEC", c.usec)
			t.Setenv("WATCHDOG_PID", c.pid)
			var log bytes.Buffer
			Find(slog.New(slog.NewTextHandler(&log, nil))).Watch(t.Context(), func() error { t.Error("it is watched"); return nil })
			if got := log.String(); (c.log == "") != (got == "") || !strings.Contains(got, c.log) {
				t.Errorf("the log is %q", got)
			}
		})
	}
}

// A manager that is gone is no reason to end.
func TestAManagerThatDoesNotListen(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", filepath.Join(t.TempDir(), "nobody"))
	var log bytes.Buffer
	Find(slog.New(slog.NewTextHandler(&log, nil))).Ready("running")
	if !strings.Contains(log.String(), "could not be told") {
		t.Errorf("the log is %q", log.String())
	}
}
