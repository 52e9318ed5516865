package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"noroshi/internal/decode"
	"noroshi/rules"
)

// pagesOfRules are the files of docs/library.
func pagesOfRules(t *testing.T) map[string]string {
	t.Helper()
	set, ps := rules.Load(rules.Options{Library: true})
	if len(ps) > 0 {
		t.Fatal(ps)
	}
	h := &handbook{set: set, states: map[string]rules.State{}, decode: decode.Options{}}
	for _, r := range set.Rules {
		h.states[r.ID] = r.State
	}
	set.AllLive()
	pages := map[string]string{"README.md": h.overview()}
	for _, r := range set.Rules {
		page, err := h.page(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		pages[r.ID+".md"] = page
	}
	return pages
}

// TestThePagesOfRulesAreFresh: docs/library says what the rules say, has no page of a rule that is gone, and its tuning works.
func TestThePagesOfRulesAreFresh(t *testing.T) {
	const dir = "../docs/library"
	pages := pagesOfRules(t)
	if os.Getenv("NOROSHI_UPDATE") != "" {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		for name, text := range pages {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	there, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range there {
		if _, wanted := pages[e.Name()]; !wanted && os.Getenv("NOROSHI_UPDATE") != "" {
			if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
				t.Error(err)
			}
		} else if !wanted {
			t.Errorf("%s is of no rule; make golden", e.Name())
		}
	}
	for _, id := range []string{"password-guessed", "inbox-rule-after-suspect-sign-in"} { // of events, of alerts
		_, text, found := strings.Cut(pages[id+".md"], "```yaml\nlibrary:")
		text, _, _ = strings.Cut(text, "```")
		if code, out, said := command(t, "check", "--config", write(t, t.TempDir(), "noroshi.yaml", "library:"+text)); code != 0 || !found {
			t.Errorf("%s: the tuning of its page does not work: %s%s", id, out, said)
		}
	}
	for name, text := range pages {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || strings.ReplaceAll(string(got), "\r\n", "\n") != text {
			t.Errorf("docs/library/%s is not what the rules say; make golden: %v", name, err)
		}
	}
}
