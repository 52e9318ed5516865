package house

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestFuzzStopsAtFindings runs the script with a stand-in for the go command that says what it said when it failed.
func TestFuzzStopsAtFindings(t *testing.T) {
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("there is no bash")
	}
	const late = "fuzz: elapsed: 20s, execs: 1531065 (78701/sec), new interesting: 12 (total: 835)\n--- FAIL: FuzzX (20.13s)\n    context deadline exceeded\nFAIL\nexit status 1\nFAIL\tnoroshi/x\t20.139s\n"
	for name, c := range map[string]struct {
		says string
		rc   int
		want bool
	}{
		"nothing found":                      {"PASS\n", 0, true},
		"the end of the time, and no input":  {late, 1, true},
		"the end of the time, but an input":  {late + "    Failing input written to testdata/fuzz/FuzzX/5f1c\n", 1, false},
		"a finding":                          {"--- FAIL: FuzzX (0.04s)\n    --- FAIL: FuzzX (0.00s)\n        x_test.go:9: context deadline exceeded\n    Failing input written to testdata/fuzz/FuzzX/5f1c\nFAIL\n", 1, false},
		"a target whose own deadline passed": {"--- FAIL: FuzzX (0.04s)\n    x_test.go:9: context deadline exceeded\nFAIL\n", 1, false},
		"no build":                           {"# noroshi/x\nx.go:1:1: expected 'package'\nFAIL\tnoroshi/x [build failed]\n", 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			target := filepath.Join(dir, "x_test.go")
			write(t, target, "package x\n\nfunc FuzzX(f *testing.F) {}\n", 0o600)
			write(t, filepath.Join(dir, "says"), c.says, 0o600)
			write(t, filepath.Join(dir, "go"), "#!/usr/bin/env bash\ncat \"$(dirname \"$0\")/says\"\nexit "+string(rune('0'+c.rc))+"\n", 0o700)
			cmd := exec.Command("bash", "../../tools/fuzz", dir)
			cmd.Env = append(os.Environ(), "GO="+filepath.Join(dir, "go"))
			out, err := cmd.CombinedOutput()
			if (err == nil) != c.want {
				t.Errorf("the script ended with %v:\n%s", err, out)
			}
		})
	}
}

func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}
