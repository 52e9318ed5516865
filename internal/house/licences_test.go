package house

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/licensecheck"
)

// allowed are licences under which the binary may be given on, with their texts beside it.
var allowed = []string{"MIT", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "ISC", "Zlib", "0BSD"}

// licence names the licence of a module by its files.
func licence(dir string) (string, error) {
	var found []string
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	for _, e := range entries {
		name := strings.ToLower(e.Name())
		if e.IsDir() || !strings.HasPrefix(name, "licen") && !strings.HasPrefix(name, "copying") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return "", err
		}
		for _, m := range licensecheck.Scan(text).Match {
			if !m.IsURL && !slices.Contains(found, m.ID) {
				found = append(found, m.ID)
			}
		}
	}
	slices.Sort(found)
	return strings.Join(found, ", "), nil
}

// TestLicences: docs/licences.md names the licence of each module that is in the binary, and each is one under which it may be.
func TestLicences(t *testing.T) {
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}}\t{{.Dir}}{{end}}{{end}}", "./cmd/noroshi")
	list.Dir, list.Env = "../..", append(os.Environ(), "GOOS=linux")
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	modules := slices.Compact(slices.Sorted(slices.Values(strings.Split(strings.TrimSpace(string(out)), "\n"))))
	var b strings.Builder
	b.WriteString("# Licences\n\nThe modules of which the binary for Linux is made, and their licences. A test makes this page from the modules' own files.\n\n| module | licence |\n|---|---|\n")
	n := 0
	for _, one := range modules {
		path, dir, ok := strings.Cut(one, "\t")
		if !ok {
			continue
		}
		n++
		name, err := licence(dir)
		if err != nil {
			t.Fatal(err)
		}
		for kind := range strings.SplitSeq(name, ", ") {
			if !slices.Contains(allowed, kind) {
				t.Errorf("%s has the licence %q: expected one of %s", path, kind, strings.Join(allowed, ", "))
			}
		}
		fmt.Fprintf(&b, "| `%s` | %s |\n", path, name)
	}
	if n < 20 {
		t.Fatalf("only %d modules are found", n)
	}
	const page = "../../docs/licences.md"
	if os.Getenv("NOROSHI_UPDATE") != "" {
		if err := os.WriteFile(page, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(page); err != nil || string(got) != b.String() {
		t.Errorf("docs/licences.md is not of the modules that are used: make golden writes it again (%v)", err)
	}
}
