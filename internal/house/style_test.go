package house

import (
	"fmt"
	"go/ast"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// maxLines is how long a file may be; what is longer for a reason stands in long.
const maxLines = 400

var long = map[string]string{}

// faults are what a file does that the house does not.
func faults(s source, fset *token.FileSet) (all []string) {
	say := func(n ast.Node, what string) {
		all = append(all, fmt.Sprintf("%s: %s", fset.Position(n.Pos()), what))
	}
	if lines := strings.Count(s.text, "\n"); lines > maxLines && !s.test && long[s.path] == "" {
		say(s.file, fmt.Sprintf("%d lines; more than %d", lines, maxLines))
	}
	for _, i := range s.file.Imports {
		if i.Name != nil && (i.Name.Name == "_" && i.Path.Value != `"embed"` || i.Name.Name == ".") {
			say(i, "blank and dot imports hide what happens")
		}
	}
	for _, d := range s.file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Name.Name == "init" && f.Recv == nil {
			say(f, "init runs where nobody looks")
		}
	}
	if s.test {
		return all
	}
	ast.Inspect(s.file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		switch f := call.Fun.(type) {
		case *ast.Ident:
			if f.Name == "panic" {
				say(call, "panic is for the impossible")
			}
		case *ast.SelectorExpr:
			if x, ok := f.X.(*ast.Ident); ok {
				name := x.Name + "." + f.Sel.Name
				above := s.room == "cli" || s.room == "internal/app" || s.room == "sinks/sinktest" || strings.HasPrefix(s.room, "cmd/")
				switch {
				case name == "time.Now" && !above:
					say(call, "time comes from the event or a parameter")
				case name == "context.Background" && s.room != "cmd/noroshi" && s.room != "internal/kafkatest" && s.room != "sinks/sinktest":
					say(call, "the context comes from main")
				}
			}
		}
		return true
	})
	return all
}

var words = regexp.MustCompile(`(?i)\b(TODO|FIXME|XXX|HACK)\b`)

func TestHouseRules(t *testing.T) {
	all, fset := sources(t)
	documented := map[string]bool{}
	for _, s := range all {
		for _, f := range faults(s, fset) {
			t.Error(f)
		}
		if s.path != "internal/house/style_test.go" && words.MatchString(s.text) {
			t.Errorf("%s: work that is left belongs into an issue", s.path)
		}
		if !s.test && s.file.Doc != nil {
			documented[s.room] = true
		}
	}
	for _, s := range all {
		if !s.test && !documented[s.room] {
			t.Errorf("%s: the package says nowhere what it does", s.room)
			documented[s.room] = true
		}
	}
}

// place is a path of one machine: such paths mean nothing on another.
var place = regexp.MustCompile(`(^|[\s"'=(:])/(work|root|home)/[a-z]`)

func TestNoPathOfOneMachine(t *testing.T) {
	if !place.MatchString(`dir = "/home` + `/taro"`) {
		t.Fatal("the pattern finds nothing")
	}
	out, err := exec.Command("git", "-C", "../..", "ls-files").Output()
	if err != nil {
		t.Skipf("the files of the repository cannot be listed: %v", err)
	}
	for name := range strings.FieldsSeq(string(out)) {
		b, err := os.ReadFile(filepath.Join("../..", name))
		if err != nil {
			continue // removed and not yet committed
		}
		if m := place.Find(b); m != nil {
			t.Errorf("%s: %q", name, m)
		}
	}
}

var link = regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)

var (
	here    = regexp.MustCompile(`\]\(#([^)]+)\)`)
	heading = regexp.MustCompile("(?m)^#+ (.*)$")
	anchor  = regexp.MustCompile(`<a (?:id|name)="([^"]+)"`)
	unsaid  = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// anchors are the places of a page that a link can lead to: those of its headings, as GitHub names them, and those that it sets itself.
func anchors(t *testing.T, page string) map[string]bool {
	b, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]bool{}
	for _, m := range heading.FindAllSubmatch(b, -1) {
		all[strings.ReplaceAll(unsaid.ReplaceAllString(strings.ToLower(string(m[1])), ""), " ", "-")] = true
	}
	for _, m := range anchor.FindAllSubmatch(b, -1) {
		all[string(m[1])] = true
	}
	return all
}

func TestLinksLeadSomewhere(t *testing.T) {
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	below, err := filepath.Glob("../../docs/*/*.md")
	if err != nil {
		t.Fatal(err)
	}
	pages = append(pages, below...)
	of, err := filepath.Glob("../../docs/library/*.md")
	if err != nil {
		t.Fatal(err)
	}
	pages = append(pages, of...)
	pages = append(pages, "../../README.md", "../../CONTRIBUTING.md", "../../SECURITY.md")
	for _, p := range pages {
		b, err := os.ReadFile(p)
		if err != nil {
			t.Error(err)
			continue
		}
		for _, m := range link.FindAllSubmatch(b, -1) {
			to := filepath.Join(filepath.Dir(p), string(m[1]))
			if _, err := os.Stat(to); err != nil {
				t.Errorf("%s: %s leads nowhere", p, m[1])
			} else if filepath.Ext(to) == ".md" && len(m[2]) > 0 && !anchors(t, to)[string(m[2][1:])] {
				t.Errorf("%s: %s has no heading %s", p, m[1], m[2])
			}
		}
		own := anchors(t, p)
		for _, m := range here.FindAllSubmatch(b, -1) {
			if !own[string(m[1])] {
				t.Errorf("%s has no heading #%s", p, m[1])
			}
		}
	}
}

// TestEveryPageIsFound: whoever begins at docs/README.md comes to each page by links.
func TestEveryPageIsFound(t *testing.T) {
	seen, next := map[string]bool{}, []string{"../../docs/README.md"}
	for len(next) > 0 {
		p := next[0]
		next = next[1:]
		if b, err := os.ReadFile(p); err == nil && !seen[p] && filepath.Ext(p) == ".md" {
			seen[p] = true
			for _, m := range link.FindAllSubmatch(b, -1) {
				next = append(next, filepath.Join(filepath.Dir(p), string(m[1])))
			}
		}
	}
	for _, pattern := range []string{"../../docs/*.md", "../../docs/*/*.md"} {
		pages, err := filepath.Glob(pattern)
		if err != nil || len(pages) == 0 {
			t.Fatal(err)
		}
		for _, p := range pages {
			if !seen[p] {
				t.Errorf("no link leads from docs/README.md to %s, not over other pages either", p)
			}
		}
	}
}

func TestScriptsSayWhatTheReaderLearns(t *testing.T) {
	scripts, err := filepath.Glob("../../cmd/noroshi/testdata/script/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	if len(scripts) == 0 {
		t.Fatal("no scripts found")
	}
	for _, p := range scripts {
		b, err := os.ReadFile(p)
		if err != nil || !strings.HasPrefix(string(b), "# ") {
			t.Errorf("%s does not begin with a sentence: %v", p, err)
		}
	}
}
