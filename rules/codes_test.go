package rules

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// codeArgument is where functions that note a problem take its code.
var codeArgument = map[string]int{"At": 1, "Warn": 1, "OneOf": 1, "refuse": 1, "Inside": 2, "add": 2, "oneOfEach": 2}

// codesOf are the codes that a Go file gives to problems, by reading it.
func codesOf(t *testing.T, file string) (all []string) {
	t.Helper()
	tree, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	take := func(e ast.Expr) {
		if l, ok := e.(*ast.BasicLit); ok && l.Kind == token.STRING {
			if s, err := strconv.Unquote(l.Value); err == nil && code.MatchString(s) {
				all = append(all, s)
			}
		}
	}
	ast.Inspect(tree, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BasicLit: // a warning written without a Problem
			if m := written.FindStringSubmatch(n.Value); m != nil {
				all = append(all, m[1])
			}
		case *ast.KeyValueExpr:
			if k, ok := n.Key.(*ast.Ident); ok && k.Name == "Code" {
				take(n.Value)
			}
		case *ast.AssignStmt:
			for i, l := range n.Lhs {
				if i < len(n.Rhs) && strings.EqualFold(nameOf(l), "code") {
					take(n.Rhs[i])
				}
			}
		case *ast.CallExpr:
			if i, ok := codeArgument[nameOf(n.Fun)]; ok && i < len(n.Args) {
				take(n.Args[i])
			}
		}
		return true
	})
	return all
}

var (
	code    = regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`)
	written = regexp.MustCompile(`^".*warning: .*\[([a-z-]+)\]\\n"$`)
)

// nameOf is the last word of an expression such as next.Code or d.At.
func nameOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	}
	return ""
}

// TestThePageOfProblemsIsWhole: each code that the product gives has a row that says what it means and what is right, and each row
// is a code that it gives.
func TestThePageOfProblemsIsWhole(t *testing.T) {
	page, err := os.ReadFile("../docs/problems.md")
	if err != nil {
		t.Fatal(err)
	}
	ofFiles, _, _ := strings.Cut(string(page), "\n## ") // those of doctor stand behind, and have a test of their own
	var told []string
	for line := range strings.Lines(ofFiles) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) != 5 || !strings.HasPrefix(cells[1], " `") {
			continue
		}
		c := strings.Trim(cells[1], " `")
		if strings.TrimSpace(cells[2]) == "" || strings.TrimSpace(cells[3]) == "" {
			t.Errorf("the row of %s has an empty cell", c)
		}
		told = append(told, c)
	}
	if !slices.IsSorted(told) || len(slices.Compact(slices.Clone(told))) != len(told) {
		t.Errorf("the rows are not sorted, or doubled: %v", told)
	}
	given := map[string]string{}
	err = filepath.WalkDir("..", func(p string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir() && (e.Name() == "tools" || e.Name() == "testdata" || len(e.Name()) > 2 && e.Name()[0] == '.'):
			return fs.SkipDir
		case strings.HasPrefix(filepath.ToSlash(p), "../cli/doctor"): // its codes are those of the machine
		case filepath.Ext(p) == ".go" && !strings.HasSuffix(p, "_test.go"):
			for _, c := range codesOf(t, p) {
				given[c] = p
			}
		}
		return nil
	})
	if err != nil || len(given) < 30 {
		t.Fatalf("%d codes, %v", len(given), err)
	}
	for c, p := range given {
		if !slices.Contains(told, c) {
			t.Errorf("the code %s, given by %s, has no row in docs/problems.md", c, p)
		}
	}
	for _, c := range told {
		if given[c] == "" {
			t.Errorf("docs/problems.md tells of %s, which nobody gives", c)
		}
	}
}
