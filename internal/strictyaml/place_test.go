package strictyaml

import (
	"strings"
	"testing"
)

// TestPlacesInsideScalars: the mark is found in the file whatever the style of the scalar that holds it.
func TestPlacesInsideScalars(t *testing.T) {
	rows := map[string]string{
		"plain":                  "k: a 日本 ¶b\n",
		"plain over lines":       "k: a\n    日本  \n   c ¶b\nl: x\n",
		"plain, blank lines":     "k: a\n\n\n   b ¶b\n",
		"single quotes":          "k: 'a ''日本'' ¶b'\n",
		"single over lines":      "k: 'a ''\n\n   b''  \n  ¶b'\n",
		"double quotes":          "k: \"a \\\"\\u65e5\\x41\\U0001F600\\\" ¶b\"\n",
		"double over lines":      "k: \"a \\\"\n   日\\t ¶b\"\n",
		"double, escaped breaks": "k: \"a \\\n   b \\\n   日¶b\"\n",
		"double, blank lines":    "k: \"a\n\n   b\n\n\n  ¶b\"\n",
		"literal":                "k: |\n  a\n\n  日本 ¶b\nl: x\n",
		"literal, own indent":    "k: |2\n    a\n    日本 ¶b\n",
		"literal, blank first":   "k: |\n\n\n    a\n    ¶b\n",
		"literal below its key":  "k:\n  |-\n    ¶b\n",
		"folded":                 "k: >\n  a\n  日本 ¶b\nl: x\n",
		"folded, deeper lines":   "k: >-\n  a\n    日本\n\n  ¶b\nl: x\n",
		"carriage returns":       "k: |\r\n  a\r\n  日本 ¶b\r\n",
		"plain with returns":     "k: a\r\n  日本\r\n  ¶b\r\n",
		"folded with returns":    "k: >\r\n  a\r\n  ¶b\r\n",
	}
	for name, text := range rows {
		d := Parse("f.yaml", []byte(text))
		if d.Root == nil {
			t.Fatalf("%s: %v", name, d.Problems)
		}
		n := d.Root.Content[1]
		at := -1
		for i, r := range []rune(n.Value) {
			if r == '¶' {
				at = i
			}
		}
		p := d.Inside(n, at, "x", "here")
		line := []rune(p.Source)
		if at < 0 || p.Column > len(line) || line[p.Column-1] != '¶' {
			t.Errorf("%s: character %d of %q is told at %d:%d of %q", name, at, n.Value, p.Line, p.Column, text)
		}
	}
}

// TestThePlaceAfterTheEnd: what lacks at a text's end is told there, not at what follows.
func TestThePlaceAfterTheEnd(t *testing.T) {
	rows := []struct {
		text         string
		line, column int
	}{
		{"k: ab\nl: x\n", 1, 6}, {"k: 'ab'\nl: x\n", 1, 7}, {"k: |-\n  ab\nl: x\n", 2, 5}, {"k: >\n  a\n  b\nl: x\n", 3, 4}, {"k: >\n  ab\n", 2, 5}, {"k: a\n  b\nl: x\n", 2, 4},
	}
	for _, r := range rows {
		d := Parse("f.yaml", []byte(r.text))
		n := d.Root.Content[1]
		if p := d.Inside(n, len([]rune(n.Value)), "x", "here"); p.Line != r.line || p.Column != r.column {
			t.Errorf("%q: got %d:%d, want %d:%d", r.text, p.Line, p.Column, r.line, r.column)
		}
	}
}

// FuzzPlace: every character of every scalar has a place in the file, and a plain letter is found where it stands.
func FuzzPlace(f *testing.F) {
	for _, s := range []string{"k: a\n   b\n", "k: 'a\n\n  b'", "k: \"a\\\n b\\u0041\"", "k: |2\n   a\n  b\n", "k: >\n  a\n\n  b\n   c\n", "- ? |\n  a\n: b\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d := Parse("f", data)
		if d.Root == nil || strings.ContainsAny(string(data), "\u2028\u2029\u0085") {
			return
		}
		for i := 0; i+1 < len(d.Root.Content); i += 2 {
			n := d.Root.Content[i+1]
			if len(n.Content) > 0 {
				continue
			}
			for at := range []rune(n.Value) {
				p := d.Inside(n, at, "x", "here")
				if p.Line < 1 || p.Line > len(d.lines) || p.Column < 1 {
					t.Fatalf("%q: character %d of %q is told at %d:%d", data, at, n.Value, p.Line, p.Column)
				}
			}
		}
	})
}
