package rules

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRulesThatAreNamedAreRead: those of the folder and of the library, as rules to be named; what is wrong in others is not told.
func TestRulesThatAreNamedAreRead(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"own.yaml": fmt.Sprintf(good, "own") + "of: [near, inbox-rule-hides-mail]\n", "near.yaml": fmt.Sprintf(good, "near"), "wrong.yaml": "id: [", "below/deep.yaml": fmt.Sprintf(good, "deep"),
		"steps.yaml": "id: steps\ntitle: Steps\nseverity: low\nkind: sequence\nwithin: 1h\nsteps:\n  - {id: a, of: [broken]}\n  - {id: b, when: auth.result == \"success\"}\n", "broken.yaml": fmt.Sprintf(good, "broken") + "severty: low\n", "alone.yaml": fmt.Sprintf(good, "alone"),
	} {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range []struct{ file, own, named, told string }{
		{"alone.yaml", "alone", "", ""},
		{"own.yaml", "", "alone deep near inbox-rule-hides-mail", "own.yaml:5:1"}, // no kind has the key of yet
		{"steps.yaml", "steps", "deep", "broken.yaml:5:1"},
	} {
		set, ps := Load(Options{Paths: []string{filepath.Join(dir, r.file)}, Named: true})
		var own, named []string
		for _, x := range set.Rules {
			if x.Named {
				named = append(named, x.ID)
			}
		}
		for _, x := range set.Own() {
			own = append(own, x.ID)
		}
		for _, id := range strings.Fields(r.named) {
			if x := set.Find(id); x == nil || !x.Named {
				t.Errorf("%s: %s is not there to be named", r.file, id)
			}
		}
		all := formatted(ps)
		if strings.Join(own, " ") != r.own || (r.named == "") != (len(named) == 0) || !strings.Contains(all, r.told) || strings.Contains(all, "wrong.yaml") {
			t.Errorf("%s: own %v, named %v, %s", r.file, own, named, all)
		}
	}
}
