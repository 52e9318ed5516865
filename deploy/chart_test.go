package deploy

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	yaml "go.yaml.in/yaml/v4"
)

// valid tells what the chart's schema has against some values, laid over those of the chart as helm does it.
func valid(t *testing.T, text string) error {
	t.Helper()
	c := jsonschema.NewCompiler()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(read(t, "helm/noroshi/values.schema.json")))
	if err == nil {
		err = c.AddResource("values.json", doc)
	}
	if err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("values.json")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]any{}
	for _, one := range []string{read(t, "helm/noroshi/values.yaml"), text} {
		var values map[string]any
		if err := yaml.Unmarshal([]byte(one), &values); err != nil {
			t.Fatal(err)
		}
		over(all, values)
	}
	b, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return schema.Validate(value)
}

// over lays values over others.
func over(to, from map[string]any) {
	for k, v := range from {
		below, ok := to[k].(map[string]any)
		if more, also := v.(map[string]any); ok && also {
			over(below, more)
			continue
		}
		to[k] = v
	}
}

func TestValuesOfTheChart(t *testing.T) {
	_, block, found := strings.Cut(read(t, "../docs/deploy.md"), "helm install")
	if found {
		_, block, _ = strings.Cut(block, "```yaml\n")
		block, _, found = strings.Cut(block, "```")
	}
	if !found {
		t.Fatal("the page has no values")
	}
	right := map[string]string{"those of the chart": "{}", "those of the page": block}
	files, err := filepath.Glob("helm/noroshi/ci/*-values.yaml")
	if err != nil || len(files) < 2 {
		t.Fatalf("%d files of values, %v", len(files), err)
	}
	for _, f := range files {
		right[f] = read(t, f)
	}
	for name, text := range right {
		if err := valid(t, text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, c := range map[string]struct{ text, says string }{
		"a key that does not exist":      {"replicas: 3", "replicas"},
		"a role that does not exist":     {"secrets: [{name: x, roles: [watch]}]", "/secrets/0/roles/0"},
		"metrics without a certificate":  {"metrics: {enabled: true, token: x}", "/metrics/tls"},
		"the key that the chart adds":    {"config: {admin: {listen: ':1'}}", "/config"},
		"no limit of memory":             {"resources: {limits: null}", "/resources/limits"},
		"a rule that is not named .yaml": {"rules: {mine: ''}", "'mine' does not match"},
	} {
		if err := valid(t, c.text); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
