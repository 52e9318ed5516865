package sample

import (
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func parsed(t *testing.T, text string) *Node {
	t.Helper()
	n, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestPaths: what a path puts where, or why it leads nowhere.
func TestPaths(t *testing.T) {
	const rec = `{"A":{"b":"x","n":1},"P":[{"Name":"To","Value":"a"},{"Name":"Copy","Value":"b"}],"M":[{"displayName":"D","newValue":"1"}],"L":["p",{"q":2}],"E":[],"T":"{\"f\":\"u\"}","@odd.x":1}`
	for _, r := range []struct{ path, value, want string }{
		{"A.b", `"y"`, `{"A":{"b":"y","n":1}`},
		{"a.B", `"y"`, `{"A":{"b":"y","n":1}`},
		{"A.b", `7`, `{"A":{"b":"7","n":1}`},
		{"A.b", `null`, `{"A":{"b":null,"n":1}`},
		{"A.n", `7`, `{"A":{"b":"x","n":7}`},
		{"A.c", `{"d":1}`, `{"A":{"b":"x","n":1,"c":{"d":1}}`},
		{"P[To]", `"z"`, `"P":[{"Name":"To","Value":"z"},`},
		{"P[to]", `true`, `"P":[{"Name":"To","Value":"true"},`},
		{"P[New]", `"z"`, `{"Name":"Copy","Value":"b"},{"Name":"New","Value":"z"}]`},
		{"P[New]", `{"Value":"z","More":1}`, `{"Name":"New","Value":"z","More":1}]`},
		{"P[0].Value", `"z"`, `"P":[{"Name":"To","Value":"z"},`},
		{"E[New]", `"z"`, `"E":[{"Name":"New","Value":"z"}]`},
		{"M[D].newValue", `"2"`, `"M":[{"displayName":"D","newValue":"2"}]`},
		{"M[E]", `{"newValue":"2"}`, `{"displayName":"E","newValue":"2"}]`},
		{"M[D]", `{"oldValue":"2"}`, `"M":[{"displayName":"D","oldValue":"2"}]`},
		{"L[0]", `"z"`, `"L":["z",{"q":2}]`},
		{"L[1].q", `3`, `"L":["p",{"q":3}]`},
		{"L[2]", `3`, `"L":["p",{"q":2},3]`},
		{"T.f", `"v"`, `"T":"{\"f\":\"v\"}"`},
		{`["@odd.x"]`, `2`, `"@odd.x":2`},
		{`A["b"]`, `"y"`, `{"A":{"b":"y","n":1}`},

		{"B.c", `1`, `! 0 there is no member "B" here`},
		{"A.c.d", `1`, `! 2 there is no member "c" here`},
		{"A.b.c", `1`, `! 4 there is no "c" here: the value before it is a text or a number`},
		{"P.To", `1`, `! 2 "To" is no place in a list; name an entry of it first, such as [0] or [To]`},
		{"P[No].Value", `1`, `! 2 there is no entry "No" in this list`},
		{"M[D]", `"2"`, `! 2 the entry D has no member Value; name the member behind the bracket: displayName, newValue`},
		{"M[E]", `"2"`, `! 2 there is no entry E; a new one needs its members: {displayName, newValue}`},
		{"L[9]", `1`, `! 2 there is no element 9; the list has 2, and the next one is number 2`},
		{"L[x]", `1`, `! 2 there is no element "x"; the list has 2, counted from 0`},
		{`A["B"].x`, `1`, `! 2 there is no member "B" here`},
		{"", `1`, `! 0 the path is empty`},
		{".A", `1`, `! 0 a path names a member between dots, such as properties.ipAddress`},
		{"A.", `1`, `! 0 a path ends with a name, not with a dot`},
		{"P[To", `1`, `! 1 the bracket is not closed`},
		{`日["x`, `1`, `! 1 a name in quotes is not closed; expected ["name"]`},
	} {
		p, wrong := ParsePath(r.path)
		n := parsed(t, rec)
		if wrong == nil {
			wrong = p.Set(n, parsed(t, r.value))
		}
		got := string(n.Append(nil))
		if wrong != nil {
			got = "! " + string(rune('0'+wrong.At)) + " " + wrong.Message
		}
		if !strings.Contains(got, r.want) {
			t.Errorf("%s: %s:\ngot  %s\nwant %s", r.path, r.value, got, r.want)
		}
	}
}

// TestUnset: what a path leads to is taken away, and nothing besides.
func TestUnset(t *testing.T) {
	const rec = `{"A":{"b":"x","n":1},"P":[{"Name":"To","Value":"a"},{"Name":"Copy","Value":"b"}],"T":"[{\"f\":1,\"g\":2}]"}`
	for path, want := range map[string]string{
		"A":      `{"P":[{"Name":"To","Value":"a"},{"Name":"Copy","Value":"b"}],"T":"[{\"f\":1,\"g\":2}]"}`,
		"a.N":    `{"A":{"b":"x"},"P":[{"Name":"To","Value":"a"},{"Name":"Copy","Value":"b"}],"T":"[{\"f\":1,\"g\":2}]"}`,
		"P[To]":  `{"A":{"b":"x","n":1},"P":[{"Name":"Copy","Value":"b"}],"T":"[{\"f\":1,\"g\":2}]"}`,
		"P[1]":   `{"A":{"b":"x","n":1},"P":[{"Name":"To","Value":"a"}],"T":"[{\"f\":1,\"g\":2}]"}`,
		"T[0].g": `{"A":{"b":"x","n":1},"P":[{"Name":"To","Value":"a"},{"Name":"Copy","Value":"b"}],"T":"[{\"f\":1}]"}`,
		"A.q":    "",
		"P[No]":  "",
		"A.b.c":  "",
	} {
		p, wrong := ParsePath(path)
		n := parsed(t, rec)
		if wrong == nil {
			wrong = p.Unset(n)
		}
		if (wrong == nil) != (want != "") {
			t.Errorf("%s: %v", path, wrong)
		} else if d := cmp.Diff(want, string(n.Append(nil))); wrong == nil && d != "" {
			t.Errorf("%s: %s", path, d)
		}
	}
}

// TestMove: every time moves, in its own notation, also in text; nothing else does.
func TestMove(t *testing.T) {
	n := parsed(t, `{"a":"2026-01-02T03:00:00","b":"2026-01-02T03:00:00.1234567Z","c":"2026-01-02T12:00:00.000+09:00","d":"2026-01-02","e":"at 2026-01-02T03:00:00Z","f":1767322800,"g":"{\"ts\":\"2026-01-02T03:00:00Z\",\"n\":1.50}","h":["2026-01-02T03:00:00Z"]}`)
	n.Move(24*time.Hour + 90*time.Second + 250*time.Millisecond)
	want := `{"a":"2026-01-03T03:01:30","b":"2026-01-03T03:01:30.3734567Z","c":"2026-01-03T12:01:30.250+09:00","d":"2026-01-02","e":"at 2026-01-02T03:00:00Z","f":1767322800,"g":"{\"ts\":\"2026-01-03T03:01:30Z\",\"n\":1.50}","h":["2026-01-03T03:01:30Z"]}`
	if d := cmp.Diff(want, string(n.Append(nil))); d != "" {
		t.Error(d)
	}
}

// TestRename: an id is replaced wherever it is the whole of a value, also in text.
func TestRename(t *testing.T) {
	n := parsed(t, `{"id":"x-1","n":7,"p":{"requestId":"x-1","note":"of x-1"},"t":"{\"Id\":\"x-1\"}"}`)
	n.Rename("x-1", "y")
	n.Rename("7", "z")
	if d := cmp.Diff(`{"id":"y","n":"z","p":{"requestId":"y","note":"of x-1"},"t":"{\"Id\":\"y\"}"}`, string(n.Append(nil))); d != "" {
		t.Error(d)
	}
}

// TestNames: records in the folder samples, by their names; what else lies there is left alone.
func TestNames(t *testing.T) {
	f := fstest.MapFS{"r/samples/b.json": {Data: []byte(`{}`)}, "r/samples/a-b_2.json": {}, "r/samples/a.json.bak": {}, "r/samples/.c.json": {}, "r/samples/d d.json": {}, "r/x.json": {}}
	if d := cmp.Diff([]string{"a-b_2", "b"}, Names(f, "r")); d != "" {
		t.Error(d)
	}
	if got, err := Read(f, "r", "b"); err != nil || string(got) != "{}" {
		t.Errorf("%s, %v", got, err)
	}
}

// FuzzPath: whatever the path, a record stays one.
func FuzzPath(f *testing.F) {
	for _, p := range []string{"A.b", "P[To]", `["x"].y`, "L[1].q", "T.f", "A..b", "P[", "P[9]"} {
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, path string) {
		n := parsed(t, `{"A":{"b":"x"},"P":[{"Name":"To","Value":"a"}],"L":["p",{"q":2}],"T":"{\"f\":\"u\"}"}`)
		p, wrong := ParsePath(path)
		if wrong == nil {
			_ = p.Set(n, &Node{Kind: Text, Text: "z"})
			_ = p.Unset(n)
		}
		if _, err := Parse(n.Append(nil)); err != nil {
			t.Errorf("%q: %v", path, err)
		}
	})
}
