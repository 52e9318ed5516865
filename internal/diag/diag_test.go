package diag

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestTheCaretStandsUnderThePlace(t *testing.T) {
	rows := []struct {
		p    Problem
		want string
	}{
		{Problem{File: "a.yaml", Line: 6, Column: 5, Code: "field", Message: `no field "Contry"`, Suggestion: "Country", Source: `    Contry != "JP"`}, "a.yaml:6:5: no field \"Contry\"; did you mean \"Country\"? [field]\n  6 |     Contry != \"JP\"\n    |     ^"},
		{Problem{File: "a.yaml", Line: 12, Column: 3, Code: "x", Message: "m", Source: "日本x"}, "a.yaml:12:3: m [x]\n 12 | 日本x\n    |     ^"},
		{Problem{File: "a.yaml", Line: 1, Column: 2, Code: "x", Message: "m", Source: "\tx", Level: Warning}, "a.yaml:1:2: warning: m [x]\n  1 |  x\n    |  ^"},
		{Problem{File: "a.yaml", Code: "read", Message: "gone"}, "a.yaml: gone [read]"},
	}
	for _, r := range rows {
		if got := r.p.Format(); got != r.want {
			t.Errorf("got\n%s\nwant\n%s", got, r.want)
		}
	}
}

func TestSuggestions(t *testing.T) {
	all := []string{"severity", "summary", "state", "when"}
	for word, want := range map[string]string{"severty": "severity", "Severity": "severity", "sumary": "summary", "whne": "when", "completely": "", "": ""} {
		if got := Suggest(word, all); got != want {
			t.Errorf("%q: got %q, want %q", word, got, want)
		}
	}
}

// FuzzEscape: whatever a stranger writes, nothing of it moves a cursor, hides or turns text, or ends a line that must not end.
func FuzzEscape(f *testing.F) {
	for _, s := range []string{"plain", "\x1b[2J", "\u202e", "\xff", "a\nb\tc", "\u2028", "\u200b", "\x9b31m", "日本😀"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e, line := Escape(s), EscapeLine(s)
		if !utf8.ValidString(e) || strings.ContainsAny(line, "\n\t\r") {
			t.Fatalf("%q becomes %q and %q", s, e, line)
		}
		for _, r := range e {
			if r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) {
				t.Fatalf("%q keeps %U", s, r)
			}
		}
	})
}
