package config

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"noroshi/internal/watch"
)

// TestTheTableOfKafkaNamesItsKeys: docs/operating.md says what the key kafka reads, and nothing else.
func TestTheTableOfKafkaNamesItsKeys(t *testing.T) {
	page, err := os.ReadFile("../../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "<!-- keys of kafka -->\n")
	table, _, ok := strings.Cut(table, "<!-- /keys of kafka -->")
	if !ok {
		t.Fatal("the page has no table")
	}
	var told []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z_.]+)` \\|").FindAllStringSubmatch(table, -1) {
		told = append(told, m[1])
	}
	want := known(t, "kafka: {x: 1}", "")
	want = slices.DeleteFunc(want, func(key string) bool { return key == "sasl" })
	want = append(want, known(t, "kafka: {sasl: {x: 1}}", "sasl.")...)
	slices.Sort(told)
	slices.Sort(want)
	if !slices.Equal(told, want) {
		t.Errorf("the table names %q, the configuration knows %q", told, want)
	}
}

// TestTheTableOfAdminNamesItsKeys: docs/operating.md says what the key admin reads, and nothing else.
func TestTheTableOfAdminNamesItsKeys(t *testing.T) {
	page, err := os.ReadFile("../../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "<!-- keys of admin -->\n")
	table, _, _ = strings.Cut(table, "<!-- /keys of admin -->")
	var told []string
	for line := range strings.Lines(table) {
		first, _, _ := strings.Cut(strings.TrimPrefix(line, "| "), " |")
		for _, m := range regexp.MustCompile("`([a-z_.]+)`").FindAllStringSubmatch(first, -1) {
			told = append(told, m[1])
		}
	}
	want := slices.DeleteFunc(known(t, "admin: {x: 1}", ""), func(key string) bool { return key == "tls" })
	want = append(want, known(t, "admin: {tls: {x: 1}}", "tls.")...)
	slices.Sort(told)
	slices.Sort(want)
	if !slices.Equal(told, want) {
		t.Errorf("the table names %q, the configuration knows %q", told, want)
	}
}

// TestTheTableOfWatchNamesItsKeys: docs/operating.md says what the key watch reads, and which alerts it is about.
func TestTheTableOfWatchNamesItsKeys(t *testing.T) {
	page, err := os.ReadFile("../../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	_, part, _ := strings.Cut(string(page), "\n## Watching itself\n")
	part, table, _ := strings.Cut(part, "<!-- keys of watch -->\n")
	table, _, _ = strings.Cut(table, "<!-- /keys of watch -->")
	first := func(text string) (all []string) {
		for _, m := range regexp.MustCompile("(?m)^\\| `([a-z_-]+)` \\|").FindAllStringSubmatch(text, -1) {
			all = append(all, m[1])
		}
		slices.Sort(all)
		return all
	}
	want := known(t, "watch: {x: 1}", "")
	slices.Sort(want)
	if told := first(table); !slices.Equal(told, want) {
		t.Errorf("the table names %q, the configuration knows %q", told, want)
	}
	if told := first(part); !slices.Equal(told, watch.Rules) {
		t.Errorf("the table names %q, there are %q", told, watch.Rules)
	}
}

func TestHowTheWatchIsTuned(t *testing.T) {
	for text, want := range map[string]string{
		"{enabled: false}": "", "{off: [noroshi-new-dataset], silent_from: 2h, ends_within: 7d}": "",
		"{off: [noroshi-new]}": "noroshi-new-dataset", "{silent_from: 1m}": "at least 10m", "{ends_within: 200d}": "at most 90d", "{on: true}": "known are enabled",
	} {
		c, problems := read(t, "watch: "+text)
		if want == "" && problems != "" || !strings.Contains(problems, want) {
			t.Errorf("%s: %s", text, problems)
		}
		if strings.Contains(text, "2h") && (c.Watch.SilentFrom != 2*time.Hour || c.Watch.EndsWithin != 7*24*time.Hour || !c.Watch.Enabled || len(c.Watch.Off) != 1) {
			t.Errorf("it is %+v", c.Watch)
		}
	}
}

// known are the keys that a mistake names.
func known(t *testing.T, text, above string) (all []string) {
	t.Helper()
	_, problems := read(t, text)
	_, list, ok := strings.Cut(problems, "known are ")
	list, _, _ = strings.Cut(list, " [")
	if !ok {
		t.Fatalf("%s: %s", text, problems)
	}
	for key := range strings.SplitSeq(list, ", ") {
		all = append(all, above+key)
	}
	return all
}
