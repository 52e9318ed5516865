//go:build unix

package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestTheServiceManagerIsTold: a run says on the socket of systemd when it works, that it lives, that files are read again, and that it ends.
func TestTheServiceManagerIsTold(t *testing.T) {
	dir, err := os.MkdirTemp("", "notify") // a path that is short enough for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(dir, "s"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	writeFiles(t, dir, map[string]string{"signins.ndjson": "", "noroshi.yaml": "sources: [{file: {paths: [signins.ndjson]}}]\n"})
	p := &process{args: []string{"run", "--config", filepath.Join(dir, "noroshi.yaml"), "--data", filepath.Join(dir, "data")}, said: filepath.Join(dir, "stderr"),
		environment: []string{"NOTIFY_SOCKET=" + filepath.Join(dir, "s"), "WATCHDOG_USEC=300000", "GOMEMLIMIT=400MiB"}}
	p.start(t)
	defer func() { _ = p.cmd.Process.Kill() }() // it may have ended
	// next waits for a message that begins so; what the watchdog is told in between is left out.
	next := func(want string) {
		t.Helper()
		if err := socket.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		for buf := make([]byte, 4096); ; {
			n, err := socket.Read(buf)
			got := string(buf[:n])
			switch {
			case err != nil:
				t.Fatalf("nothing says %s: %v\n%s", want, err, p.text())
			case strings.HasPrefix(got, want):
				return
			case got != "WATCHDOG=1":
				t.Fatalf("the manager is told %q, expected %s", got, want)
			}
		}
	}
	next("READY=1\nSTATUS=running: ingest, detect, deliver; 1 sources, ")
	next("WATCHDOG=1")
	next("WATCHDOG=1")
	if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	next("RELOADING=1\nSTATUS=files are read again: a signal")
	next("READY=1\n")
	if !strings.Contains(p.text(), `msg="memory is limited" heap_bytes=419430400`) {
		t.Errorf("the log does not tell the limit of memory:\n%s", p.text())
	}
	out, err := noroshi("status", "--data", filepath.Join(dir, "data")).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "limits: 400.0 MiB of memory, ") {
		t.Errorf("the status does not tell the limit of memory: %v\n%s", err, out)
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	next("STOPPING=1\nSTATUS=ending\nEXTEND_TIMEOUT_USEC=18000000")
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("the run ends with %v\n%s", err, p.text())
	}
}
