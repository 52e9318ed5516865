package strictyaml

import "testing"

// What YAML cannot read is told without the words of its parser.
func TestBrokenYAMLIsToldPlainly(t *testing.T) {
	for text, want := range map[string]string{
		"title: [a, b\n":          "a comma or the closing ] is missing before this",
		"title: {a: b\nc\n":       "a comma or the closing } is missing before this",
		"when:\n\tx: 1\n":         "a tab cannot indent; indent by blanks",
		"a: b\n\tc: d\n":          "a tab cannot indent; indent by blanks",
		"title: @x\n":             "YAML has another use for this character; put the text in quotes",
		"title: \"\\q\"\n":        "YAML has no such escape in double quotes; use single quotes",
		"title: 'x\n":             "this quote is not closed",
		"a: b\n c: d\n":           "a colon is not expected here; look at the indentation, or put the text in quotes",
		"- a\nb: c\n":             "expected an entry that begins with a hyphen; look at the indentation",
		"title: {a: b, c: d #}\n": "a comma or the closing } is missing before this",
		"title: {a: \n":           "a value is missing here, or a bracket before this is not closed",
		"title: | x\n":            "after | or > the line ends, and the text begins on the next one",
		"title: &, y\n":           "YAML has another use for & and *; put the text in quotes",
		"title: !a!b y\n":         "YAML has another use for !; put the text in quotes",
		"%x y\n":                  "YAML has another use for a % at the beginning of a line; put the text in quotes",
		"a: \"\\uzzzz\"\n":        "YAML has no such character; \\u takes four hexadecimal digits, \\U eight",
	} {
		if d := Parse("x.yaml", []byte(text)); len(d.Problems) != 1 || d.Problems[0].Message != want {
			t.Errorf("%q: got %v, want %q", text, d.Problems, want)
		}
	}
}
