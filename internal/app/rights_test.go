package app

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"noroshi/internal/bus"
)

// TestTheTableOfRights: docs/operating.md says what is needed, and nothing else.
func TestTheTableOfRights(t *testing.T) {
	page, err := os.ReadFile("../../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(page), "| resource | name | `ingest` | `detect` | `deliver` |\n|---|---|---|---|---|\n")
	if !found {
		t.Fatal("there is no table")
	}
	table, _, _ = strings.Cut(table, "\n\n")
	got := map[Role][]string{}
	for row := range strings.Lines(table) {
		cells := strings.Split(strings.Trim(row, "|\n"), "|")
		for i, role := range Roles {
			operations := strings.TrimSpace(cells[2+i])
			if operations == "" {
				continue
			}
			for name := range strings.SplitSeq(cells[1], ",") {
				got[role] = append(got[role], strings.ReplaceAll(strings.TrimSpace(cells[0]), " ", "-")+" "+strings.Trim(strings.TrimSpace(name), "`")+": "+operations)
			}
		}
	}
	for _, role := range Roles {
		var want []string
		for _, r := range Granted([]Role{role}) {
			name := "noroshi." + r.Name
			if r.Beginning {
				name += "*"
			}
			want = append(want, r.Resource+" "+name+": "+strings.Join(r.Operations, ", "))
		}
		slices.Sort(want)
		slices.Sort(got[role])
		if d := cmp.Diff(got[role], want); d != "" {
			t.Errorf("%s: the page (-) says something else than what is needed (+)\n%s", role, d)
		}
	}
}

func TestEachTopicIsSomebodys(t *testing.T) {
	all := Granted(nil)
	for _, topic := range bus.Topics {
		if !slices.ContainsFunc(all, func(r Right) bool {
			return r.Resource == "topic" && r.Name != "" && (r.Name == string(topic) || r.Beginning && strings.HasPrefix(string(topic), r.Name))
		}) {
			t.Errorf("nobody may use the topic %s", topic)
		}
	}
}
