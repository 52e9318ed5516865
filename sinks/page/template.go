package page

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"text/template"
	"time"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/alert"
	"noroshi/internal/strictyaml"
	"noroshi/sinks"
)

// maxRendered bounds what a template writes, in bytes.
const maxRendered = 64 << 10

// Templates are texts of a page that somebody has written otherwise. Nil: the usual ones.
type Templates struct{ title, summary, link *template.Template }

// Read reads the texts title, summary and link. Each is tried on samples at once, so that no alert finds a mistake.
func Read(d *strictyaml.Doc, n *yaml.Node) *Templates {
	t := &Templates{}
	one := func(to **template.Template, check func(text string) error) func(*yaml.Node) {
		return func(n *yaml.Node) {
			text := d.Text(n)
			made, err := parse(text)
			if err == nil {
				err = check(text)
			}
			if err == nil {
				err = try(made, check)
			}
			if err != nil {
				d.At(n, "template", err.Error())
				return
			}
			*to = made
		}
	}
	d.Fields(n, map[string]func(*yaml.Node){"title": one(&t.title, anyText), "summary": one(&t.summary, anyText), "link": one(&t.link, fixedHost)})
	return t
}

func anyText(string) error { return nil }

var hostPattern = regexp.MustCompile(`^https://[A-Za-z0-9.-]+(:[0-9]+)?/`)

// fixedHost is for links: those about whom an alert is may not choose where a reader goes.
func fixedHost(text string) error {
	if !hostPattern.MatchString(text) {
		return errors.New("a link begins with https://, a host and a slash, none of which is made of values: https://soc.example.com/alerts/{{.ID}}")
	}
	return nil
}

// functions are those that templates have beside the built-in ones, such as printf, index and urlquery.
var functions = template.FuncMap{"upper": strings.ToUpper, "lower": strings.ToLower, "join": strings.Join, "path": url.PathEscape,
	"cut": func(most int, s string) string { return alert.OneLine(s, max(1, most)) }}

func parse(text string) (*template.Template, error) {
	t, err := template.New("").Option("missingkey=error").Funcs(functions).Parse(text)
	return t, said(err)
}

// said is an error of a template without the name of Go's package, and without values.
func said(err error) error {
	if err == nil {
		return nil
	}
	var exec template.ExecError
	if errors.As(err, &exec) {
		err = exec.Err
	}
	return errors.New("the template does not work: " + strings.TrimPrefix(strings.TrimPrefix(err.Error(), "template: "), ":1: "))
}

// bounded is a text that ends where it is too long.
type bounded struct{ strings.Builder }

func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > maxRendered {
		return 0, fmt.Errorf("it writes more than %d bytes", maxRendered)
	}
	return b.Builder.Write(p)
}

// render fills a template with the values of a page, which stay values.
func render(t *template.Template, p *Page) (string, error) {
	var b bounded
	if err := t.Execute(&b, *p); err != nil {
		return "", said(err)
	}
	return b.String(), nil
}

// try renders samples: an alert with everything, and one with as little as there can be.
func try(t *template.Template, check func(string) error) error {
	for _, p := range samples() {
		text, err := render(t, p)
		if err == nil {
			err = check(text)
		}
		if err == nil && strings.TrimSpace(text) == "" {
			err = errors.New("the template gives an empty text for an alert that lacks what it tells")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func samples() []*Page {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	full := &Page{Title: "[HIGH] An inbox rule hides mail: taro@contoso.example", Severity: "high", Status: "firing", Account: "taro@contoso.example", Summary: "日本語 {{.}} \" ' < > & /", When: stamp(at), Since: stamp(at),
		Count: 2, From: "203.0.113.7, NL", Why: []Fact{{"action", "New-InboxRule"}}, Steps: []Step{{"Revoke the sessions.", "Revoke-MgUserSignInSession"}}, More: 1, ID: "alrt_1", Rule: "inbox-rule-hides-mail", Class: "hiding",
		Tenant: "t", Guide: []string{"S3"}, Attack: []string{"T1564.008"}, Revision: 1}
	return []*Page{full, {Title: "[LOW] x", Severity: "low", Status: "firing", When: stamp(at), Since: stamp(at), Count: 1, ID: "alrt_1", Rule: "r", Revision: 1}}
}

// Of is the page of an alert, with the texts of the templates. A template that fails on it leaves the usual text, and the page says so.
func (t *Templates) Of(m *sinks.Message) (*Page, error) {
	p, err := Of(m)
	if err != nil || t == nil {
		return p, err
	}
	usual := *p
	for _, one := range []struct {
		name string
		with *template.Template
		to   *string
		most int
	}{{"title", t.title, &p.Title, maxTitle}, {"summary", t.summary, &p.Summary, maxText}, {"link", t.link, &p.Link, 2000}} {
		if one.with == nil {
			continue
		}
		text, err := render(one.with, &usual)
		if err == nil && one.name == "link" {
			err = fixedHost(text)
		}
		if text = strings.Join(strings.Fields(text), " "); err != nil || text == "" {
			p.Why = append(p.Why, Fact{"template " + one.name, "it fails on this alert, and the usual text is here"})
			continue
		}
		if *one.to = alert.OneLine(text, one.most); one.name == "title" {
			p.Subject = *one.to
		}
	}
	if m.Drill() && !strings.HasPrefix(p.Title, drill) {
		p.Title, p.Subject = alert.OneLine(drill+p.Title, maxTitle), alert.OneLine(drill+p.Subject, maxTitle)
	}
	return p, nil
}
