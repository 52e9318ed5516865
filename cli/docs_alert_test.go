package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	webhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"noroshi/internal/alert"
)

const alertPage = "../docs/alert.md"

// TestThePageOfAlertsIsRight: its example is what the record gives, its table and the JSON Schema are of the type.
func TestThePageOfAlertsIsRight(t *testing.T) {
	page, err := os.ReadFile(alertPage)
	if err != nil {
		t.Fatal(err)
	}
	record := regexp.MustCompile("(?s)<!-- record -->\n```json\n(.*?\n)```").FindSubmatch(page)
	if record == nil {
		t.Fatal("the page has no record")
	}
	code, out, errs := command(t, "replay", "--json", write(t, t.TempDir(), "audit.ndjson", string(record[1])))
	if code != 0 {
		t.Fatal(errs)
	}
	first, _, _ := strings.Cut(out, "\n")
	var text bytes.Buffer
	if err := json.Indent(&text, []byte(first), "", "  "); err != nil {
		t.Fatal(err)
	}
	want := between(string(page), "<!-- alert -->\n```json\n", "```\n", text.String()+"\n")
	want = between(want, "<!-- members -->\n", "<!-- end -->\n", membersTable())
	if os.Getenv("NOROSHI_UPDATE") != "" {
		if err := os.WriteFile(alertPage, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if string(page) != want && os.Getenv("NOROSHI_UPDATE") == "" {
		t.Errorf("docs/alert.md is not what the program does; NOROSHI_UPDATE=1 writes it anew")
	}
	validates(t, first)
	for _, m := range alert.Members() {
		if m.Doc == "" {
			t.Errorf("the member %s is not documented", m.Path)
		}
	}
}

// between puts a text between two others.
func between(page, from, to, text string) string {
	before, rest, _ := strings.Cut(page, from)
	_, after, _ := strings.Cut(rest, to)
	return before + from + text + to + after
}

func membersTable() string {
	var b strings.Builder
	b.WriteString("| member | type | always | what it says |\n|---|---|---|---|\n")
	for _, m := range alert.Members() {
		always := ""
		if m.Always {
			always = "yes"
		}
		doc := m.Doc
		if len(m.Values) > 0 {
			doc += ": `" + strings.Join(m.Values, "`, `") + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", m.Path, m.Type, always, strings.ReplaceAll(doc, "``, ", ""))
	}
	return b.String()
}

// validates holds an alert against the schema that schema alert prints.
func validates(t *testing.T, text string) {
	t.Helper()
	code, out, errs := command(t, "schema", "alert")
	if code != 0 {
		t.Fatal(errs)
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(out))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("alert.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("alert.json")
	if err != nil {
		t.Fatal(err)
	}
	one, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(one); err != nil {
		t.Error(err)
	}
	for _, broken := range []string{`"severity":"grave"`, `"revision":"1"`, `"rule":{}`, `"window":{"first":"yesterday","last":"2026-01-02T03:00:00.000Z","count":1}`} {
		name, _, _ := strings.Cut(broken, ":")
		var all map[string]any
		if err := json.Unmarshal([]byte(text), &all); err != nil {
			t.Fatal(err)
		}
		delete(all, strings.Trim(name, `"`))
		rest, err := json.Marshal(all)
		if err != nil {
			t.Fatal(err)
		}
		if one, err = jsonschema.UnmarshalJSON(strings.NewReader("{" + broken + "," + string(rest[1:]))); err != nil {
			t.Fatal(err)
		}
		if schema.Validate(one) == nil {
			t.Errorf("the schema takes %s", broken)
		}
	}
}

// TestTheCheckOfSignaturesInTheDocumentation: what it says of a request is what a published library says.
func TestTheCheckOfSignaturesInTheDocumentation(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no python3 on this machine")
	}
	page, err := os.ReadFile(alertPage)
	if err != nil {
		t.Fatal(err)
	}
	text := regexp.MustCompile("(?s)```python\n(.*?)```").FindSubmatch(page)
	const key, body = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=", `{"type":"noroshi.alert.firing","data":{}}`
	w, err := webhooks.NewWebhook(key)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Now()
	signature, err := w.Sign("alrt_X_1", at, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(t.TempDir(), "check.py")
	check := fmt.Sprintf("%s\nimport sys\nh = {'webhook-id': 'alrt_X_1', 'webhook-timestamp': '%d', 'webhook-signature': 'v1,AAAA ' + sys.argv[1]}\nprint(signed(%q, h, sys.argv[2].encode()))\n", text[1], at.Unix(), key)
	if err := os.WriteFile(script, []byte(check), 0o600); err != nil {
		t.Fatal(err)
	}
	for sent, want := range map[string]string{body: "True\n", body + " ": "False\n"} {
		out, err := exec.Command(python, script, signature, sent).CombinedOutput()
		if err != nil || string(out) != want {
			t.Errorf("%q: %s, %v; want %s", sent, out, err, want)
		}
	}
}
