package deploy

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// tool gives the path of a program, and skips the test on a machine without it; in CI it has to be there.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil && os.Getenv("CI") == "" {
		t.Skipf("without %s: %v", name, err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestTheUnitIsInOrder: systemd itself has no objection to the unit, and finds little that it may do.
func TestTheUnitIsInOrder(t *testing.T) {
	analyze := tool(t, "systemd-analyze")
	unit := filepath.Join(t.TempDir(), "noroshi.service")
	text := strings.ReplaceAll(read(t, "systemd/noroshi.service"), "/usr/local/bin/noroshi", "/bin/true") // which is there
	if err := os.WriteFile(unit, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), analyze, "verify", unit).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
	out, err := exec.CommandContext(t.Context(), analyze, "security", "--offline=true", unit).CombinedOutput()
	found := regexp.MustCompile(`Overall exposure level for noroshi.service: ([0-9.]+)`).FindSubmatch(out)
	if err != nil || found == nil {
		t.Fatalf("systemd-analyze security: %v\n%s", err, out)
	}
	if level, err := strconv.ParseFloat(string(found[1]), 64); err != nil || level > 1.5 {
		t.Errorf("the exposure is %s, expected at most 1.5\n%s", found[1], out)
	}
}

// TestTheUnitKnowsHowARunEnds: a run takes up to 20 s after a SIGTERM, reads files at SIGHUP and serves the watchdog.
func TestTheUnitKnowsHowARunEnds(t *testing.T) {
	text := "\n" + read(t, "systemd/noroshi.service")
	for _, want := range []string{"Type=notify", "WatchdogSec=30", "TimeoutStopSec=30", "ExecReload=/bin/kill -HUP $MAINPID", "StartLimitIntervalSec=0"} {
		if !strings.Contains(text, "\n"+want+"\n") {
			t.Errorf("there is no line %s", want)
		}
	}
}
