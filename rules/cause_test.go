package rules_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"noroshi/internal/diag"
	"noroshi/rules"
)

// What is wrong in a file is told, and not beside it what follows from that for the rules that name its rule.
func TestTheCauseIsToldAlone(t *testing.T) {
	const guess = "id: guess\ntitle: Guessed\nseverity: low\nwhen: auth.result == \"wrong_credential\"\n"
	both := "id: both\ntitle: Both\nseverity: low\nkind: correlation\nof: [guess]\ncount: 2\nwithin: 5m\n"
	for name, c := range map[string]struct {
		file, text string // "": it is a folder
		want       []string
	}{
		"nothing is wrong":            {"guess.yaml", guess, nil},
		"half a file":                 {"guess.yaml", guess[:len("id: guess\ntit")], []string{"guess.yaml yaml"}},
		"half a file, before the id":  {"guess.yaml", "i", []string{"guess.yaml type"}},
		"half an id":                  {"guess.yaml", guess[:len("id: gu")], []string{"guess.yaml missing", "guess.yaml missing", "guess.yaml missing"}},
		"an empty file":               {"guess.yaml", "# nothing", []string{"guess.yaml empty"}},
		"a broken condition":          {"guess.yaml", guess[:len(guess)-3], []string{"guess.yaml syntax"}},
		"a folder in the place of it": {"guess.yaml", "", []string{"guess.yaml empty"}},
		"a folder, as others are":     {"guess", "", []string{"both.yaml of"}},
		"another rule":                {"guess.yaml", "id: other" + guess[len("id: guess"):], []string{"both.yaml of"}},
		"no rule, beside a folder":    {"guess.yml", "", []string{"guess.yml empty"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "both.yaml"), []byte(both), 0o600); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, c.file)
			err := os.WriteFile(path, []byte(c.text), 0o600)
			if c.text == "" {
				err = os.Remove(path)
				if err == nil {
					err = os.Mkdir(path, 0o700)
				}
			}
			if err != nil {
				t.Fatal(err)
			}
			_, problems := rules.Load(rules.Options{Paths: []string{dir}})
			var got []string
			for _, p := range problems {
				if p.Level == diag.Error {
					got = append(got, filepath.Base(p.File)+" "+p.Code)
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("told is %v, expected %v", got, c.want)
			}
		})
	}
}
