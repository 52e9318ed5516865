package reference

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/strictyaml"
)

func compiled(t *testing.T) *jsonschema.Schema {
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
	if err := c.AddResource("config.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("config.json")
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
	case n.Tag == "!!int":
		return json.Number(n.Value)
	case n.Tag == "!!bool":
		return n.Value == "true"
	}
	return n.Value
}

// TestTheConfigurationsOfTheDocumentationFitTheSchema: what check takes, an editor does not underline.
func TestTheConfigurationsOfTheDocumentationFitTheSchema(t *testing.T) {
	s := compiled(t)
	pages, err := filepath.Glob("../../docs/sinks/*.md")
	if err != nil {
		t.Fatal(err)
	}
	looked := 0
	for _, page := range append(pages, "../../docs/operating.md", "../../README.md") {
		b, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(b), -1) {
			if m[1][0] == ' ' || strings.HasPrefix(m[1], "id: ") {
				continue // a part of one, or a rule
			}
			d := strictyaml.Parse(page, []byte(m[1]))
			if d.Root == nil {
				t.Fatalf("%s: %v", page, d.Problems)
			}
			looked++
			if err := s.Validate(plain(d.Root)); err != nil {
				t.Errorf("%s: %v\n%s", page, err, m[1])
			}
		}
	}
	if looked < 25 {
		t.Errorf("looked at %d configurations", looked)
	}
}

// TestMistakesDoNotFitTheSchema: an editor underlines what check refuses.
func TestMistakesDoNotFitTheSchema(t *testing.T) {
	s := compiled(t)
	for _, text := range []string{
		"kafak: {}", "kafka: {partitions: 0}", "kafka: {partitions: four}", "kafka: {tls: 'yes'}", "kafka: {sasl: {mechanism: plain, user: u, password: p}}",
		"sources: {file: {paths: [a]}}", "sources: [{file: {poll: 5}}]", "sources: [{o365: {tenant: x}}]", "sinks: [{file: {path: a}}]",
		"sinks: [{name: a, webhook: {url: 'https://a.example.com/', secrets: [whsec_x]}}]", "library: {severity: {a: grave}}", "lateness: {ual.*: {wait: long}}",
	} {
		d := strictyaml.Parse("noroshi.yaml", []byte(text))
		if d.Root == nil {
			t.Fatal(d.Problems)
		}
		if s.Validate(plain(d.Root)) == nil {
			t.Errorf("%s fits", text)
		}
	}
}
