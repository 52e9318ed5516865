package rules

import (
	"strings"
	"testing"
)

// scalars are the ways of writing a condition over two lines, with %s after the first.
var scalars = map[string]struct {
	text  string
	joins bool // YAML makes one line of them
}{
	"folded":        {">\nI  event.action == \"a\" %s\nI  && user.name == \"b\"", true},
	"folded, strip": {">-\nI  event.action == \"a\" %s\nI  && user.name == \"b\"", true},
	"plain":         {"event.action == \"a\" %s\nI  && user.name == \"b\"", true},
	"single quotes": {"'event.action == \"a\" %s\nI  && user.name == \"b\"'", true},
	"double quotes": {"\"event.action == 'a' %s\nI  && user.name == 'b'\"", true},
	"literal":       {"|\nI  event.action == \"a\" %s\nI  && user.name == \"b\"", false},
	"own indent":    {">\nI  event.action == \"a\" %s\nI    && user.name == \"b\"", false},
}

// clauses are the places where a condition stands, with W in its place, and what stands before its lines.
var clauses = map[string]struct{ text, indent string }{
	"when":       {"when: W\n", ""},
	"unless":     {"when: user.name != \"\"\nunless:\n  - because: x\n    owner: soc\n    until: 2026-12-31\n    when: W\n", "    "},
	"raise":      {"when: user.name != \"\"\nraise:\n  - to: high\n    when: W\n", "    "},
	"step":       {"kind: sequence\nwithin: 1h\nsteps:\n  - id: one\n    when: W\n  - {id: two, when: auth.result == \"success\"}\n", "    "},
	"without":    {"kind: absence\nwhen: event.action == \"Send\"\nneeds: [defender.email_events]\nwithout:\n  after: 30m\n  when: W\n", "  "},
	"among":      {"kind: first_seen\nwithin: 30d\nwhen: auth.result == \"success\"\nvalue: [source.ip]\namong: W\n", ""},
	"in a brace": {"kind: sequence\nwithin: 1h\nsteps:\n  - {id: one, when: W}\n  - {id: two, when: auth.result == \"success\"}\n", "    "},
}

// TestACommentSwallowsNothing: a comment that goes on in the next line is an error wherever a condition stands and however it is
// written; one that ends with its line, or with the condition, is none.
func TestACommentSwallowsNothing(t *testing.T) {
	comments := map[string]bool{"// why": true, "/* why */": false, "/* // */": false, "/* a */ // why": true, "&& inbox_rule.name != \"//\"": false}
	for place, in := range clauses {
		for style, as := range scalars {
			for comment, swallows := range comments {
				if place != "when" && comment != "// why" {
					continue
				}
				name := place + ", " + style + ", " + comment
				brace := place == "in a brace"
				if brace && (strings.ContainsAny(as.text[:1], "|>") || strings.Contains(comment, "\"") && style == "double quotes") {
					continue
				}
				if style == "double quotes" {
					comment = strings.ReplaceAll(comment, "\"", "'")
				}
				text := strings.ReplaceAll(strings.Replace(as.text, "%s", comment, 1), "I", in.indent)
				file := "id: a\ntitle: A\nseverity: low\n" + strings.Replace(in.text, "W", text, 1)
				_, ps := Load(Options{Paths: []string{put(t, map[string]string{"r.yaml": file})}, Now: now})
				told := strings.Contains(formatted(ps), "YAML joins these lines, so that the comment swallows && user.name == ")
				if told != (swallows && as.joins) || !told && len(ps) > 0 {
					t.Errorf("%s\n%s\n%s", name, file, formatted(ps))
				}
			}
		}
	}
}

// TestACommentAtTheEndIsHarmless: nothing comes after it.
func TestACommentAtTheEndIsHarmless(t *testing.T) {
	for _, text := range []string{">\n  event.action == \"a\"\n  // why\n", "event.action == \"a\" // why\n", "'event.action == \"a\"\n  // why'\n"} {
		if r := loaded(t, "id: a\ntitle: A\nseverity: low\nwhen: "+text); r.Kind == nil {
			t.Error(text)
		}
	}
}

// TestACommentThatGoesOnIsTold: behind a whole condition YAML begins a comment at a #; where the comment goes on with the condition, half of
// it may be lost.
func TestACommentThatGoesOnIsTold(t *testing.T) {
	for comment, goesOn := range map[string]bool{
		"# && inbox_rule.deletes": true, "#|| inbox_rule.deletes": true, "# and not inbox_rule.deletes": true, "# or inbox_rule.name in [\"a\"]": true,
		"# because it deletes": false, "# and so on": false, "#1": false, "# or not": false, "# <- the action": false, "# > 5 are bad": false, "# + others later": false, "# ?? why": false, "# see https://example.com": false, "": false,
	} {
		for place, in := range clauses {
			if place == "in a brace" {
				continue // there the comment swallows the brace, too
			}
			file := "id: a\ntitle: A\nseverity: low\n" + strings.Replace(in.text, "W", `event.action == "a" `+comment, 1)
			_, ps := Load(Options{Paths: []string{put(t, map[string]string{"r.yaml": file})}, Now: now})
			text := formatted(ps)
			told := strings.Contains(text, "warning: ") && strings.Contains(text, "YAML reads "+comment+" as a comment, and the condition ends before it")
			if told != goesOn || len(ps) > 1 || !told && len(ps) > 0 {
				t.Errorf("%s: %s\n%s", place, file, text)
			}
		}
	}
}
