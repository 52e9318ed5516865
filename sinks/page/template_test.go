package page

import (
	"strings"
	"testing"

	"noroshi/internal/alert"
	"noroshi/internal/strictyaml"
	"noroshi/sinks/sinktest"
)

// TestTemplatesAreTriedAtOnce: what is wrong with one is told before there is an alert.
func TestTemplatesAreTriedAtOnce(t *testing.T) {
	for text, want := range map[string]string{
		`title: "{{.Severity}} {{.Account}}"`:                              "",
		`title: "{{if .Account}}{{.Account}}{{end}}"`:                      "empty text",
		`title: "{{.Acount}}"`:                                             "can't evaluate field Acount",
		`title: "{{.Severity"`:                                             "unclosed action",
		`title: "{{nothing .Severity}}"`:                                   "not defined",
		`summary: "{{range .Why}}{{.Name}}{{end}}{{index .Why 0}}"`:        "index",
		`summary: "{{range $i := .Count}}{{printf \"%70000d\" 1}}{{end}}"`: "more than 65536 bytes",
		`link: "https://soc.example.com/a/{{path .ID}}"`:                   "",
		`link: "https://{{.Account}}.example.com/"`:                        "a link begins with https://",
		`link: "http://soc.example.com/"`:                                  "a link begins with https://",
		`link: "https://soc.example.com"`:                                  "a link begins with https://",
		`text: "x"`:                                                        "text",
	} {
		d := strictyaml.Parse("f", []byte(text))
		Read(d, d.Root)
		switch {
		case want == "" && len(d.Problems) > 0, want != "" && len(d.Problems) == 0:
			t.Errorf("%s: %v, want %q", text, d.Problems, want)
		case want != "" && !strings.Contains(d.Problems[0].Message, want):
			t.Errorf("%s: %s, want %q", text, d.Problems[0].Message, want)
		}
	}
}

// TestValuesAreNoTemplates: what strangers write is text, one line, and never chooses where a link goes.
func TestValuesAreNoTemplates(t *testing.T) {
	d := strictyaml.Parse("f", []byte("{title: \"{{.Account}} | {{cut 9 .Summary}}\", summary: \"why: {{range .Why}}{{.Name}}={{.Value}} {{end}}{{join .Guide \\\" \\\"}}\", link: \"https://soc.example.com/{{path .Account}}/{{.Account}}\"}"))
	templates := Read(d, d.Root)
	if len(d.Problems) > 0 {
		t.Fatal(d.Problems)
	}
	for i, m := range append(sinktest.Hostile(), sinktest.Message(1)) {
		p, err := templates.Of(&m)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range texts(p) {
			if s != alert.OneLine(s, len(s)+1) {
				t.Errorf("%d: %q", i, s)
			}
		}
		if len([]rune(p.Title)) > maxTitle || !strings.HasPrefix(p.Link, "https://soc.example.com/") {
			t.Errorf("%d: %q %q", i, p.Title, p.Link)
		}
		if strings.Contains(string(m.Body), "{{ .Secret }}") && !strings.Contains(p.Title, "{{ .Secret }}") {
			t.Errorf("a value was read as a template: %q", p.Title)
		}
	}
	m := sinktest.Message(1)
	p, err := templates.Of(&m)
	if err != nil || p.Title != "taro1@contoso.example | The rule…" || p.Summary != "why: action=New-InboxRule inbox_rule.folder_class=rss inbox_rule.name=請求書 S3" || p.Link != "https://soc.example.com/taro1@contoso.example/taro1@contoso.example" {
		t.Errorf("%q %q %q %v", p.Title, p.Summary, p.Link, err)
	}
}

// TestATemplateThatFailsLeavesTheUsualText: an alert is never lost over its title.
func TestATemplateThatFailsLeavesTheUsualText(t *testing.T) {
	made, err := parse(`{{index .Guide 3}}`)
	if err != nil {
		t.Fatal(err)
	}
	m := sinktest.Message(1)
	p, err := (&Templates{title: made}).Of(&m)
	if err != nil || !strings.HasPrefix(p.Title, "[HIGH] An inbox rule") || p.Why[len(p.Why)-1].Name != "template title" {
		t.Errorf("%+v, %v", p, err)
	}
}

// TestDrillsSaySo, whatever the template.
func TestDrillsSaySo(t *testing.T) {
	a := sinktest.Alert(1)
	a.Tenant = alert.DrillTenant
	m := sinktest.Of(a)
	m.Tenant = a.Tenant
	made, err := parse(`{{.Rule}}`)
	if err != nil {
		t.Fatal(err)
	}
	for _, templates := range []*Templates{nil, {title: made}} {
		if p, err := templates.Of(&m); err != nil || !strings.HasPrefix(p.Title, "[DRILL] ") {
			t.Errorf("%+v, %v", p, err)
		}
	}
	if !strings.Contains(string(m.Body), `"drill":true`) {
		t.Errorf("%s", m.Body)
	}
}
