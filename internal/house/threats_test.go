package house

import (
	"go/ast"
	"os"
	"regexp"
	"strings"
	"testing"
)

var testName = regexp.MustCompile("`((?:Test|Fuzz)[A-Za-z0-9]+)`")

// TestEachThreatNamesTestsThatThereAre: SECURITY.md says which tests show what stands against a threat.
func TestEachThreatNamesTestsThatThereAre(t *testing.T) {
	page, err := os.ReadFile("../../SECURITY.md")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	all, _ := sources(t)
	for _, s := range all {
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && s.test && f.Recv == nil {
				known[f.Name.Name] = true
			}
		}
	}
	_, table, found := strings.Cut(string(page), "| threat | what stands against it | tests |\n|---|---|---|\n")
	if !found {
		t.Fatal("there is no table of threats")
	}
	table, _, _ = strings.Cut(table, "\n\n")
	rows := 0
	for row := range strings.Lines(table) {
		rows++
		names := testName.FindAllStringSubmatch(row, -1)
		if len(names) == 0 {
			t.Errorf("no test is named: %s", row)
		}
		for _, n := range names {
			if !known[n[1]] {
				t.Errorf("there is no test %s: %s", n[1], row)
			}
		}
	}
	if rows < 10 {
		t.Errorf("only %d threats are read", rows)
	}
}
