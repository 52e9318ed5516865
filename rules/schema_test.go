package rules

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"github.com/santhosh-tekuri/jsonschema/v6"
	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/diag"
	"noroshi/internal/strictyaml"
	"noroshi/rules/kind"
	"noroshi/rules/library"
)

// compiledSchema is the schema as an editor uses it.
func compiledSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("rule.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("rule.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// plain is a node as JSON has it: a day is a text.
func plain(n *yaml.Node) any {
	switch {
	case n.Kind == yaml.MappingNode:
		m := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			m[n.Content[i].Value] = plain(n.Content[i+1])
		}
		return m
	case n.Kind == yaml.SequenceNode:
		all := []any{}
		for _, c := range n.Content {
			all = append(all, plain(c))
		}
		return all
	case n.Tag == "!!int" || n.Tag == "!!float":
		return json.Number(n.Value)
	case n.Tag == "!!bool":
		return strings.EqualFold(n.Value, "true")
	case n.Tag == "!!null":
		return nil
	}
	return n.Value
}

// rulesOfDocs are the whole rules among the examples of the documentation.
func rulesOfDocs(t *testing.T) map[string]string {
	t.Helper()
	page, err := os.ReadFile("../docs/rules.md")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, m := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(page), -1) {
		if id := regexp.MustCompile(`(?m)^id: (\S+)`).FindStringSubmatch(m[1]); id != nil {
			all[id[1]] = m[1]
		}
	}
	return all
}

// TestWhatIsRightFitsTheSchema: the shipped rules and the examples of the documentation.
func TestWhatIsRightFitsTheSchema(t *testing.T) {
	s := compiledSchema(t)
	all := rulesOfDocs(t)
	files, err := fs.Glob(library.Files, "*/*.yaml")
	if err != nil || len(all) == 0 {
		t.Fatal(err, len(all))
	}
	for _, f := range files {
		if text, err := library.Files.ReadFile(f); err == nil {
			all[f] = string(text)
		}
	}
	for name, text := range all {
		d := strictyaml.Parse(name, []byte(text))
		if d.Root == nil {
			t.Fatalf("%s: %v", name, d.Problems)
		}
		if err := s.Validate(plain(d.Root)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestWhatCheckAcceptsFitsTheSchema: every rule of the scripts that loads, and ways of writing that are seldom used.
func TestWhatCheckAcceptsFitsTheSchema(t *testing.T) {
	all := map[string]string{
		"step ids": "id: a\ntitle: A\nseverity: low\nkind: sequence\nwithin: 1.5h\nsteps:\n  - {id: Fail_1, when: event.action == \"a\"}\n  - {id: in-2, when: event.action == \"b\"}\n" +
			"tests:\n  - name: x\n    events: [{like: signin, id: S_1/x, at: +1m30s}]\n    want: []\n",
		"times": "id: a\ntitle: A\nseverity: low\nkind: threshold\nwithin: 0.5d1h\nrepeat: each\nwhen: event.action == \"a\"\nsum: {of: mailbox.items, least: 1e3}\n",
	}
	scripts, err := filepath.Glob("../cmd/noroshi/testdata/script/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, script := range scripts {
		archive, err := txtar.ParseFile(script)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range archive.Files {
			if filepath.Ext(f.Name) == ".yaml" && bytes.HasPrefix(f.Data, []byte("id: ")) {
				all[filepath.Base(script)+": "+f.Name] = string(f.Data)
			}
		}
	}
	s := compiledSchema(t)
	set, _ := Load(Options{})
	looked := 0
	for name, text := range all {
		l := newLoader(Options{}, set)
		l.problems = nil
		l.read(name, []byte(text), false)
		if slices.ContainsFunc(l.problems, func(p diag.Problem) bool { return p.Level == diag.Error || p.Code == "missing" }) {
			continue // also what is an error of check alone
		}
		looked++
		if err := s.Validate(plain(strictyaml.Parse(name, []byte(text)).Root)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if looked < 50 {
		t.Errorf("looked at %d files", looked)
	}
}

// shapeCodes are the codes of mistakes that are told by the shape of a file alone.
var shapeCodes = []string{"key", "severity", "class", "guide", "kind", "state", "attack", "id", "duration", "respond"}

// beyondShape are files whose mistake has such a code and no shape.
var beyondShape = regexp.MustCompile(`twice|-keys|exception-misspelt`)

// TestMistakesOfShapeDoNotFitTheSchema: what check refuses for its keys and words, an editor underlines.
func TestMistakesOfShapeDoNotFitTheSchema(t *testing.T) {
	s := compiledSchema(t)
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	looked := 0
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		d := strictyaml.Parse(f, text)
		_, ps := Load(Options{Paths: []string{f}, Now: now})
		shape := slices.ContainsFunc(ps, func(p diag.Problem) bool {
			return p.Level == diag.Error && (slices.Contains(shapeCodes, p.Code) || p.Code == "missing" && strings.HasPrefix(p.Message, "the rule needs"))
		})
		if d.Root == nil || !shape || beyondShape.MatchString(f) {
			continue
		}
		looked++
		if s.Validate(plain(d.Root)) == nil {
			t.Errorf("%s fits the schema\n%s", f, formatted(ps))
		}
	}
	if looked < 30 {
		t.Errorf("looked at %d files", looked)
	}
}

// known are the keys that reading offers where it finds one that it does not know, at a place of a rule.
func known(t *testing.T, rule string) []string {
	t.Helper()
	set, _ := Load(Options{})
	l := newLoader(Options{}, set)
	l.read("f.yaml", []byte("id: one\ntitle: A rule\nseverity: low\n"+rule), false)
	for _, p := range l.problems {
		if _, names, ok := strings.Cut(p.Message, "; known are "); ok && p.Code == "key" {
			return strings.Split(names, ", ")
		}
	}
	t.Fatalf("no key is offered\n%s", formatted(l.problems))
	return nil
}

// TestTheSchemaHasTheKeysThatAreRead: none is forgotten, and none is promised.
func TestTheSchemaHasTheKeysThatAreRead(t *testing.T) {
	names := func(keys ...kind.Key) (all []string) {
		for _, k := range keys {
			all = append(all, k.Name)
		}
		return all
	}
	const odd = "qqqqqqqq"
	rows := map[string]struct{ got, want []string }{
		"unless": {known(t, "when: event.action == \"x\"\nunless: [{"+odd+": 1}]\n"), names(exceptionKeys...)},
		"tests":  {known(t, "when: event.action == \"x\"\ntests: [{"+odd+": 1}]\n"), names(testKeys...)},
		"events": {known(t, "when: event.action == \"x\"\ntests: [{name: a, want: [], events: [{like: signin, "+odd+": 1}]}]\n"), names(eventKeys...)},
	}
	for _, k := range kind.All {
		rows[k.Name()] = struct{ got, want []string }{known(t, "kind: "+k.Name()+"\n"+odd+": 1\n"), append(names(commonKeys(nil)...), names(k.Keys()...)...)}
	}
	for at, r := range rows {
		slices.Sort(r.want)
		if d := cmp.Diff(r.got, slices.Compact(r.want)); d != "" {
			t.Errorf("%s: reading offers and the schema has: %s", at, d)
		}
	}
}
