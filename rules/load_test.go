package rules

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"noroshi/internal/diag"
	"noroshi/internal/strictyaml"
	"noroshi/rules/kind"
)

// put writes files below a fresh folder.
func put(t *testing.T, files map[string]string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for name, text := range files {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// loaded is the rule of one file, which must load.
func loaded(t *testing.T, text string) *Rule {
	t.Helper()
	set, ps := Load(Options{Paths: []string{filepath.Join(put(t, map[string]string{"r.yaml": text}), "r.yaml")}})
	if len(ps) > 0 || len(set.Rules) != 1 {
		t.Fatalf("%d rules\n%s", len(set.Rules), formatted(ps))
	}
	return set.Rules[0]
}

// TestAFileNamedTwiceIsReadOnce: a folder, a file in it, and a link to it are the same rule.
func TestAFileNamedTwiceIsReadOnce(t *testing.T) {
	dir := put(t, map[string]string{"a/one.yaml": fmt.Sprintf(good, "one"), "b/two.yaml": fmt.Sprintf(good, "two")})
	if err := os.Symlink(filepath.Join(dir, "a", "one.yaml"), filepath.Join(dir, "b", "link.yaml")); err != nil {
		t.Fatal(err)
	}
	set, ps := Load(Options{Paths: []string{dir + "/a", dir + "/a/one.yaml", dir + "/b/", dir}})
	if len(ps) > 0 || len(set.Rules) != 2 {
		t.Errorf("%d rules\n%s", len(set.Rules), formatted(ps))
	}
}

// TestTheDoubleOfABrokenRuleIsTold: mending the one does not bring up the other.
func TestTheDoubleOfABrokenRuleIsTold(t *testing.T) {
	dir := put(t, map[string]string{"a.yaml": fmt.Sprintf(good, "one") + "points: x\n", "b.yaml": fmt.Sprintf(good, "one")})
	set, ps := Load(Options{Paths: []string{dir}})
	if len(set.Rules) != 0 || len(ps) != 2 || ps[1].Code != "duplicate-id" || !strings.HasSuffix(ps[1].Message, "a.yaml:1") {
		t.Errorf("%d rules\n%s", len(set.Rules), formatted(ps))
	}
}

// TestWhatIsNoFileIsNamed: devices in a folder, folders and links to nothing that are called like rules; the rest is read.
func TestWhatIsNoFileIsNamed(t *testing.T) {
	dir := put(t, map[string]string{"good.yaml": fmt.Sprintf(good, "one"), "folder.yaml/two.yaml": fmt.Sprintf(good, "two"), "large.yaml": "# " + strings.Repeat("x", strictyaml.MaxSize)})
	for link, to := range map[string]string{"gone.yml": "nowhere", "loop.yml": "loop.yml", "endless.yaml": "/dev/zero", "up.yml": "."} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	set, ps := Load(Options{Paths: []string{dir}})
	if len(set.Rules) != 2 {
		t.Errorf("%d rules", len(set.Rules))
	}
	want := []string{
		"endless.yaml: cannot be read: it is not a plain file [read]",
		"gone.yml: cannot be read: no such file or directory [read]", "large.yaml:1:1: the file has more than 1048576 bytes [size]",
		"loop.yml: cannot be read: too many levels of symbolic links [read]", "up.yml: cannot be read: it is not a plain file [read]",
	}
	var got []string
	for _, p := range ps {
		got = append(got, strings.TrimPrefix(p.Format(), dir+"/"))
	}
	if d := cmp.Diff(got, want); d != "" {
		t.Error(d)
	}
}

// TestManyProblemsAreCounted: a file full of mistakes neither floods the terminal nor the memory.
func TestManyProblemsAreCounted(t *testing.T) {
	dir := put(t, map[string]string{"a.yaml": fmt.Sprintf(good, "a") + "guide: [" + strings.Repeat("x, ", 5000) + "]\n", "b.yaml": fmt.Sprintf(good, "b") + "class: " + strings.Repeat("長", 9000)})
	_, ps := Load(Options{Paths: []string{dir}})
	if len(ps) != maxProblems+2 {
		t.Fatalf("%d problems", len(ps))
	}
	if p := ps[maxProblems]; p.Code != "many" || !strings.Contains(p.Message, "more problems of this file are not shown") {
		t.Errorf("got %s", p.Format())
	}
	for _, p := range ps {
		if len(p.Source) > maxSource || p.Column > maxSource && p.Source != "" {
			t.Fatalf("%d bytes are shown of a line for column %d", len(p.Source), p.Column)
		}
	}
	if n := len([]rune(ps[maxProblems+1].Message)); n != maxMessage+1 {
		t.Errorf("a message of %d characters", n)
	}
}

// TestRevisionsKnowTheText: line ends are the system's, all else is the author's.
func TestRevisionsKnowTheText(t *testing.T) {
	text := fmt.Sprintf(good, "one")
	one := loaded(t, text)
	if again := loaded(t, "\ufeff"+strings.ReplaceAll(text, "\n", "\r\n")); again.Revision != one.Revision || len(one.Revision) != 12 {
		t.Errorf("got %s and %s", again.Revision, one.Revision)
	}
	if other := loaded(t, text+"points: 1\n"); other.Revision == one.Revision {
		t.Errorf("another rule has the revision %s too", other.Revision)
	}
}

// TestAnExpiredExceptionIsAnErrorForCheckAlone: it holds through its last day.
func TestAnExpiredExceptionIsAnErrorForCheckAlone(t *testing.T) {
	file := "testdata/bad/exception-expired.yaml" // its last day is 2025-12-31
	for _, r := range []struct {
		day    int
		strict bool
		want   diag.Level
	}{{-1, true, ""}, {0, true, diag.Error}, {-1, false, ""}, {0, false, diag.Warning}} {
		at := now.AddDate(0, 0, r.day-1).Truncate(24 * 60 * 60 * 1e9)
		set, ps := Load(Options{Paths: []string{file}, Now: at, Strict: r.strict})
		ps = slices.DeleteFunc(ps, func(p diag.Problem) bool { return p.Code != "expired" })
		var got diag.Level
		if len(ps) > 0 {
			got = ps[0].Level
		}
		if got != r.want || !r.strict && len(set.Rules) != 1 {
			t.Errorf("at %s, strict %v: got %q, want %q, %d rules", at, r.strict, got, r.want, len(set.Rules))
		}
		if !r.strict && set.Rules[0].Unless[0].Expired(at) != (r.want != "") {
			t.Errorf("at %s the exception says otherwise", at)
		}
	}
}

// TestWhatCheckDemands: of every rule tests, of shipped ones guide, class and summary too.
func TestWhatCheckDemands(t *testing.T) {
	test := "tests:\n  - {name: fires, events: [{Id: a}], want: [{account: x}]}\n  - {name: silent, events: [{Id: b}], want: []}\n"
	rows := []struct {
		name            string
		text            string
		strict, shipped bool
		want            []string
	}{
		{"a plain load", fmt.Sprintf(good, "a"), false, true, nil},
		{"no tests", fmt.Sprintf(good, "a"), true, false, []string{"the rule needs tests: one that fires and one that stays silent"}},
		{"tests", fmt.Sprintf(good, "a") + test, true, false, nil},
		{"shipped", fmt.Sprintf(good, "a") + test, true, true, []string{"the rule needs the key guide", "the rule needs the key class", "the rule needs the key summary"}},
	}
	for _, r := range rows {
		set, _ := Load(Options{})
		l := &loader{options: Options{Strict: r.strict}, set: set, ids: map[string]string{}}
		l.read("f.yaml", []byte(r.text), r.shipped)
		var got []string
		for _, p := range l.problems {
			got = append(got, p.Message)
		}
		if d := cmp.Diff(got, r.want); d != "" {
			t.Errorf("%s: %s", r.name, d)
		}
	}
}

// TestEventsOfTestsLoseNothing: order, numbers and texts are those of the file.
func TestEventsOfTestsLoseNothing(t *testing.T) {
	r := loaded(t, fmt.Sprintf(good, "one")+`tests:
  - name: all kinds of values
    events:
      - {z: 1, a: 1.50, big: 12345678901234567890, e: 1e3, minus: -0, yes: yes, no: "no", t: True, n: ~, "null": "null", day: 2026-01-02, time: 2026-01-02T03:04:05Z,
         s: "a\"b\\\n日本\u0001<&>", l: [1, [], {}], o: {"": ''}, 7: seven}
      - |
        { "Id": "x",  "n": 1.50e0,
          "s": " spaces  stay " }
    want: []
`)
	want := []string{
		`{"z":1,"a":1.50,"big":12345678901234567890,"e":1e3,"minus":-0,"yes":"yes","no":"no","t":true,"n":null,"null":"null","day":"2026-01-02","time":"2026-01-02T03:04:05Z",` +
			`"s":"a\"b\\\n日本\u0001\u003c\u0026\u003e","l":[1,[],{}],"o":{"":""},"7":"seven"}`,
		`{"Id":"x","n":1.50e0,"s":" spaces  stay "}`,
	}
	for i, e := range r.Tests[0].Events {
		if string(e.Record()) != want[i] {
			t.Errorf("got  %s\nwant %s", e.Record(), want[i])
		}
	}
}

// TestStates: off is a word and no truth.
func TestStates(t *testing.T) {
	for _, s := range []State{Live, Shadow, Off} {
		if r := loaded(t, fmt.Sprintf(good, "one")+"state: "+string(s)+"\n"); r.State != s {
			t.Errorf("%s: got %s", s, r.State)
		}
	}
}

// TestWhatALoadedRuleHolds: every key has its place.
func TestWhatALoadedRuleHolds(t *testing.T) {
	r := loaded(t, `# a comment
id: one
title: ' A rule '
severity: high
class: hiding
points: 30
guide: [S3, I3]
attack: [T1564.008, T1114]
kind: match
by: [account, user.name]
when: event.action == "x"
description: |
  A rule about x.
  It has two lines.
references: [https://docs.example.com/x, "http://wiki.example.com/y?z=1#a"]
false_positives: [Somebody tries]
runbook: https://wiki.example.com/runbooks/x
facts: [app.id, 'param["Mail box"]', raw.Some.Path]
unless:
  - {because: so, owner: me, until: 2027-03-31, when: user.name == "y"}
summary: '{{ account }}'
respond: [revoke-sessions, reset-password]
`)
	type facts struct {
		ID, Title, Severity, Class, Kind string
		Points, Line, Slots              int
		Guide, Attack, By, Respond       []string
		State                            State
		Until, Because, Owner            string
	}
	got := facts{r.ID, r.Title, r.Severity, r.Class, r.Kind.Name(), r.Points, r.Line, len(r.Kind.By), r.Guide, r.Attack, names(r.Kind.By), []string{r.Respond[0].ID, r.Respond[1].ID}, r.State,
		r.Unless[0].Until.Format("2006-01-02"), r.Unless[0].Because, r.Unless[0].Owner}
	want := facts{"one", "A rule", "high", "hiding", "match", 30, 2, 2, []string{"S3", "I3"}, []string{"T1564.008", "T1114"}, []string{"account", "user.name"}, []string{"revoke-sessions", "reset-password"}, Live,
		"2027-04-01", "so", "me"}
	if d := cmp.Diff(got, want); d != "" {
		t.Error(d)
	}
	about := About{"A rule about x.\nIt has two lines.", []string{"https://docs.example.com/x", "http://wiki.example.com/y?z=1#a"}, []string{"Somebody tries"}, "https://wiki.example.com/runbooks/x"}
	if d := cmp.Diff(r.About, about); d != "" {
		t.Error(d)
	}
	if len(r.Facts) != 3 {
		t.Errorf("%d facts", len(r.Facts))
	}
	if r.Kind.Clauses[0].When == nil || r.Summary == nil || r.Unless[0].When == nil || r.Shipped {
		t.Error("something is not compiled")
	}
	if r := loaded(t, fmt.Sprintf(good, "one")); !slices.Equal(names(r.Kind.By), []string{"account"}) {
		t.Errorf("grouped by %v where the rule does not say", names(r.Kind.By))
	}
}

func names(all []kind.Field) (out []string) {
	for _, f := range all {
		out = append(out, f.Name)
	}
	return out
}
