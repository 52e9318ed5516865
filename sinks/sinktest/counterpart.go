package sinktest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// heavy are counterparts that take long to install or to start. They run where NOROSHI_SOAK is set.
var heavy = map[string]bool{"opensearch": true, "otelcol": true, "formats": true}

// perhaps are counterparts of the system's packages, which are not everywhere to be had, CI included.
var perhaps = map[string]bool{"alertmanager": true, "rsyslog": true}

// installed installs a counterpart, and gives what runs its scripts. Where it cannot be had the test is skipped, in CI it fails.
func installed(t *testing.T, name string, env []string) func(what string, args ...string) error {
	t.Helper()
	soak, ci := os.Getenv("NOROSHI_SOAK") != "", os.Getenv("CI") != ""
	if heavy[name] && !soak {
		t.Skipf("%s takes long to install and to start: make soak", name)
	}
	if testing.Short() || runtime.GOOS != "linux" {
		t.Skipf("%s is for the long form of the tests, on Linux", name)
	}
	run := func(what string, args ...string) error {
		c := exec.Command(script(t, name, what), args...)
		c.Env = append(os.Environ(), env...)
		if out, err := c.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", what, err, strings.TrimSpace(string(out)))
		}
		return nil
	}
	if err := run("install"); err != nil {
		if (ci || soak) && !perhaps[name] {
			t.Fatalf("%s cannot be installed: %v", name, err)
		}
		t.Skipf("%s cannot be installed here: %v", name, err)
	}
	return run
}

func script(t *testing.T, name, what string) string {
	path, err := filepath.Abs(filepath.Join("../../tools/counterparts", name, what))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// Program is the script that runs a foreign program once.
func Program(t *testing.T, name string) string {
	t.Helper()
	installed(t, name, nil)
	return script(t, name, "check")
}

// Counterpart starts a foreign receiver of tools/counterparts on a port and the three behind it, and ends it with the test. The folder
// holds what it has received.
func Counterpart(t *testing.T, name string, env ...string) (port int, dir string) {
	t.Helper()
	run := installed(t, name, env)
	port, dir = freePorts(t), t.TempDir()
	if err := run("start", fmt.Sprint(port), dir); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := run("stop", fmt.Sprint(port), dir); err != nil {
			t.Error(err)
		}
	})
	return port, dir
}

// Certs is the folder of the certificates that counterparts have: ca.crt, client.crt and client.key.
func Certs(t *testing.T) string {
	home := os.Getenv("COUNTERPARTS_HOME")
	if home == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			t.Fatal(err)
		}
		home = filepath.Join(cache, "noroshi-counterparts")
	}
	return filepath.Join(home, "certs")
}

// freePorts is a port that is free, as are the three behind it.
func freePorts(t *testing.T) int {
	for range 100 {
		first, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		port := first.Addr().(*net.TCPAddr).Port
		all := []net.Listener{first}
		for i := 1; i < 4; i++ {
			if l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port+i)); err == nil {
				all = append(all, l)
			}
		}
		for _, l := range all {
			l.Close()
		}
		if len(all) == 4 {
			return port
		}
	}
	t.Fatal("no four free ports in a row")
	return 0
}
