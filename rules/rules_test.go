package rules

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"noroshi/internal/diag"
)

var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// formatted is all problems as a person sees them.
func formatted(ps []diag.Problem) string {
	var b strings.Builder
	for _, p := range ps {
		b.WriteString(p.Format() + "\n")
	}
	return b.String()
}

// asCheck are the files that load and that check refuses.
var asCheck = regexp.MustCompile(`expired|fires|endless`)

// TestBadFiles are files with one mistake each, and exactly what is said of it.
func TestBadFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(files) < 250 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, f := range files {
		t.Run(filepath.Base(f), func(t *testing.T) {
			set, ps := Load(Options{Paths: []string{f}, Now: now, Strict: asCheck.MatchString(f)})
			if diag.Errors(ps) == 0 || len(set.Rules) > 0 {
				t.Fatalf("it loads: %v", ps)
			}
			for _, p := range ps {
				if p.File == "" || p.Line == 0 && p.Code != "size" || p.Code == "" {
					t.Errorf("a problem without its place: %+v", p)
				}
			}
			got, golden := formatted(ps), strings.TrimSuffix(f, ".yaml")+".want"
			if os.Getenv("NOROSHI_UPDATE") != "" {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

const good = "id: %s\ntitle: A rule\nseverity: low\nwhen: event.action == \"x\"\n"

// TestOneBadFileHidesNoOther: all problems are told, and the good rules are there.
func TestOneBadFileHidesNoOther(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"a.yaml": fmt.Sprintf(good, "one"), "b.yaml": "id: [", "c.yml": fmt.Sprintf(good, "two"), "d.yaml": fmt.Sprintf(good, "three") + "severty: low\n", "sub/e.yaml": fmt.Sprintf(good, "one"), "notes.txt": "x", ".hidden.yaml": "["} {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	set, ps := Load(Options{Paths: []string{dir, filepath.Join(dir, "gone.yaml")}})
	if len(set.Rules) != 2 || set.Find("one") == nil || set.Find("two") == nil {
		t.Errorf("%d rules", len(set.Rules))
	}
	all := formatted(ps)
	for _, want := range []string{"b.yaml:", "d.yaml:5:1: no key \"severty\" here; did you mean \"severity\"? [key]", "e.yaml:1:5: the id one is taken by ", "gone.yaml: cannot be read"} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is not in\n%s", want, all)
		}
	}
}

// TestTheLibraryIsInOrder: it loads as strictly as check does, and each rule proves itself more than once.
func TestTheLibraryIsInOrder(t *testing.T) {
	set, ps := Load(Options{Library: true, Strict: true, Now: now})
	if len(ps) > 0 {
		t.Error(formatted(ps))
	}
	for _, r := range set.Rules {
		hits, misses := 0, 0
		for _, x := range r.Tests {
			if len(x.Want) > 0 {
				hits++
			} else {
				misses++
			}
		}
		if hits < 2 || misses < 3 {
			t.Errorf("%s has %d tests that fire and %d that stay silent", r.ID, hits, misses)
		}
		if len(r.Respond) == 0 || len(r.Attack) == 0 {
			t.Errorf("%s tells no step to take or no technique", r.ID)
		}
	}
}

// TestEveryCodeIsExplained: the page of problems has a line for every code that a bad file gives.
func TestEveryCodeIsExplained(t *testing.T) {
	page, err := os.ReadFile("../docs/problems.md")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("testdata/bad/*.want")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(b)) {
			i := strings.LastIndex(line, "[")
			if line = strings.TrimSpace(line); !strings.HasPrefix(line, "testdata/") || i < 0 || !strings.HasSuffix(line, "]") {
				continue
			}
			if code := strings.Trim(line[i:], "[]"); !strings.Contains(string(page), "| `"+code+"` |") {
				t.Errorf("%s: the code %s is not in docs/problems.md", f, code)
			}
		}
	}
}

// FuzzLoad: whatever the file, loading ends, and every problem has a file and a place in it.
func FuzzLoad(f *testing.F) {
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		if len(b) < 2000 {
			f.Add(b)
		}
	}
	f.Add([]byte(fmt.Sprintf(good, "a")))
	f.Fuzz(func(t *testing.T, data []byte) {
		set, _ := Load(Options{})
		l := newLoader(Options{}, set)
		l.read("f.yaml", data, false)
		lines := strings.Count(string(data), "\n") + 1
		for _, p := range l.problems {
			if p.File != "f.yaml" || p.Line < 1 || p.Line > lines || p.Column < 1 {
				t.Fatalf("%q: %+v", data, p)
			}
		}
		if len(l.problems) == 0 && len(set.Rules) == 0 {
			t.Fatalf("%q: neither rule nor problem", data)
		}
	})
}
