package rules

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	yaml "go.yaml.in/yaml/v4"
)

// plainOf notes the numbers, durations and levels of a document by their path, and lists of texts as one text.
func plainOf(path string, n *yaml.Node, to map[string]string) {
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			plainOf(strings.TrimPrefix(path+"."+n.Content[i].Value, "."), n.Content[i+1], to)
		}
	case yaml.SequenceNode:
		var all []string
		for _, c := range n.Content {
			all = append(all, c.Value)
		}
		to[path] = strings.Join(all, ", ")
	case yaml.ScalarNode:
		to[path] = n.Value
	}
}

// rowsOf are the rows of a part of a page that begin with a piece of code, by that piece.
func rowsOf(t *testing.T, page, heading string) map[string][]string {
	t.Helper()
	_, part, ok := strings.Cut(page, "\n## "+heading+"\n")
	if !ok {
		t.Fatalf("the page has no part %q", heading)
	}
	part, _, _ = strings.Cut(part, "\n## ")
	all := map[string][]string{}
	for line := range strings.Lines(part) {
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		var cells []string
		for cell := range strings.SplitSeq(strings.Trim(strings.TrimSpace(line), "|"), "|") {
			cells = append(cells, strings.Trim(strings.TrimSpace(cell), "`"))
		}
		all[cells[0]] = cells[1:]
	}
	return all
}

// TestThePageOfIncidentsHasTheNumbersOfTheLibrary: docs/incidents.md tells each number by which alerts add up, and no other.
func TestThePageOfIncidentsHasTheNumbersOfTheLibrary(t *testing.T) {
	page, err := os.ReadFile("../docs/incidents.md")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("library/incidents.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Rest      map[string]yaml.Node `yaml:",inline"`
		Confirmed []yaml.Node
	}
	if err := yaml.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for key, n := range doc.Rest {
		if !slices.Contains([]string{"tests", "also"}, key) {
			plainOf(key, &n, want)
		}
	}
	got := rowsOf(t, string(page), "How alerts add up")
	for key, value := range want {
		if len(got[key]) == 0 || got[key][0] != value {
			t.Errorf("%s: the page says %q, the library %q", key, got[key], value)
		}
	}
	for key := range got {
		if _, ok := want[key]; !ok {
			t.Errorf("the page tells of %s, which the library does not have", key)
		}
	}
	if len(want) < 15 {
		t.Errorf("the library has only %d numbers", len(want))
	}

	days := func(key string) string { return strings.TrimSuffix(want[key], "d") + " days" }
	for _, text := range []string{
		"\n| suspicious | " + want["levels.suspicious"] + " |", "\n| likely | " + want["levels.likely"] + " |", "\n| confirmed | " + want["levels.confirmed"] + " |",
		"An incident is closed " + strings.TrimSuffix(want["ages.quiet"], "h") + " hours after its last alert, and " + days("ages.most") + " after it was opened at the latest.",
		"An alert within " + days("ages.reopen") + " after closing opens the same incident again, and its " + days("ages.most") + " begin anew.",
	} {
		if !strings.Contains(string(page), text) {
			t.Errorf("the page does not say %q", text)
		}
	}

	got = rowsOf(t, string(page), "What confirms an incident")
	for i := range doc.Confirmed {
		one := map[string]string{}
		plainOf("", &doc.Confirmed[i], one)
		for _, part := range []string{"first", "then"} {
			one[part] = one[part+".classes"]
			if n, err := strconv.Atoi(one[part+".least"]); err == nil {
				one[part] += fmt.Sprintf(" from %d points", n)
			}
			if rules := one[part+".rules"]; rules != "" {
				one[part] = strings.TrimPrefix(one[part]+"; "+strings.ReplaceAll("`"+rules+"`", ", ", "`, `"), "; ")
			}
		}
		row := []string{one["first"], one["then"], one["within"]}
		for i, cell := range row {
			row[i] = strings.Trim(cell, "`")
		}
		if !slices.Equal(got[one["id"]], row) {
			t.Errorf("%s: the page says %q, the library %q", one["id"], got[one["id"]], row)
		}
		if two := one["two_within"]; two != "" && !strings.Contains(string(page), "within `"+two+"` of each other") {
			t.Errorf("%s: the page does not say that the two come within %s", one["id"], two)
		}
	}
	if len(got) != len(doc.Confirmed) {
		t.Errorf("the page has %d combinations, the library %d", len(got), len(doc.Confirmed))
	}
}
