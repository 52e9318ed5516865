package rules

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestShippedIncidents(t *testing.T) {
	set, ps := Load(Options{Library: true})
	if len(ps) > 0 {
		t.Fatal(ps)
	}
	scoring, ps := Incidents("", set.Ids())
	for _, p := range ps {
		t.Error(p.Format())
	}
	if len(scoring.Tests) < 20 || len(scoring.Combinations) < 5 {
		t.Fatalf("got %d tests and %d combinations", len(scoring.Tests), len(scoring.Combinations))
	}
	for i := range scoring.Tests {
		test := &scoring.Tests[i]
		t.Run(test.Name, func(t *testing.T) {
			for _, wrong := range scoring.Run(test, set.Told) {
				t.Error(wrong)
			}
		})
	}
}

// Each mistake in a file of one's own is told with its place.
func TestBadIncidents(t *testing.T) {
	shipped, err := os.ReadFile("library/incidents.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range []struct{ name, old, new, want string }{
		{"a misspelt key", "decay: 72h", "decays: 72h", `no key "decays" here`},
		{"a number in place of a duration", "decay: 72h", "decay: 72", "72s"},
		{"levels that fall", "likely: 60,", "likely: 20,", "expected suspicious below likely"},
		{"a rule that nobody has", "rules: [audit-log-switched-off]", "rules: [audit-log-switched-of]", "there is no rule"},
		{"a class that nobody has", "classes: [hiding, exfiltration], least", "classes: [hidding, exfiltration], least", "none of access"},
		{"no end of a combination", "    within: 24h\n", "", "the key within is missing"},
		{"nothing to look at", "then: {rules: [audit-log-switched-off]}", "then: {least: 3}", "one of the keys classes, rules is missing"},
		{"an age is missing", "quiet: 72h, ", "", "the key quiet is missing"},
		{"a demand that nobody knows", "demands: [password,", "demands: [passwort,", `"passwort"`},
		{"a test without time", "{rule: mass-mailing, at: 0s, actor: service}", "{rule: mass-mailing, actor: service}", "needs at"},
	} {
		t.Run(one.name, func(t *testing.T) {
			text := strings.Replace(string(shipped), one.old, one.new, 1)
			if text == string(shipped) {
				t.Fatalf("the file does not hold %q", one.old)
			}
			file := filepath.Join(t.TempDir(), "incidents.yaml")
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			set, _ := Load(Options{Library: true, Untested: true})
			_, ps := Incidents(file, set.Ids())
			if len(ps) == 0 {
				t.Fatal("no problem")
			}
			for _, p := range ps {
				if strings.Contains(p.Format(), one.want) && p.Line > 0 {
					return
				}
			}
			t.Errorf("got %s, expected %s", ps[0].Format(), one.want)
		})
	}
}
