package teams

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"noroshi/sinks"
	"noroshi/sinks/page"
	"noroshi/sinks/remote"
	"noroshi/sinks/sinktest"
)

const path = "workflows/0123456789abcdef/triggers/manual/paths/invoke?sig=S3cretSignature"

func sink(t *testing.T, o sinktest.Options) *Sink {
	t.Helper()
	c := Config{Config: o.Remote()}
	c.URL, c.Address = "", remote.Fixed(o.URL+path)
	s, err := New(c, sinktest.Env())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// read checks what holds for every card, and gives its title.
func read(t *testing.T, body []byte) string {
	t.Helper()
	var m message
	if err := json.Unmarshal(body, &m); err != nil || m.Type != "message" || len(m.Attachments) != 1 || m.Attachments[0].ContentType != "application/vnd.microsoft.card.adaptive" {
		t.Fatalf("%s: %v", body, err)
	}
	if len(body) >= maxCard {
		t.Errorf("a card of %d bytes", len(body))
	}
	c := m.Attachments[0].Content
	for _, l := range c.Body {
		if l.Type != "RichTextBlock" || len(l.Inlines) == 0 {
			t.Errorf("%+v", l)
		}
		for _, r := range l.Inlines {
			if r.Type != "TextRun" || r.Text == "" || strings.ContainsAny(r.Text, "\r\n\u202e") {
				t.Errorf("%+v", r)
			}
		}
	}
	if strings.Contains(string(body), "TextBlock\",\"text") || strings.Contains(string(body), "FactSet") {
		t.Errorf("markup is read in %s", body)
	}
	return c.Body[0].Inlines[0].Text
}

func TestContract(t *testing.T) {
	sinktest.HTTP{
		Make: func(t *testing.T, o sinktest.Options) sinks.Sink { return sink(t, o) }, Secrets: []string{"S3cretSignature", "0123456789abcdef"},
		Want: func(m sinks.Message) string {
			p, err := page.Of(&m)
			if err != nil {
				return err.Error()
			}
			return p.Title
		},
		Alerts: func(t *testing.T, r *http.Request, body []byte) []string {
			if r.URL.Query().Get("sig") != "S3cretSignature" {
				t.Error(r.URL)
			}
			return []string{read(t, body)}
		}}.Contract(t)
}

// TestACardIsSmall: what is too long is left out from the end, and it says so.
func TestACardIsSmall(t *testing.T) {
	long := strings.Repeat("\x01\u202e長い", 500)
	p := &page.Page{Title: "t", Summary: long, Account: "a", Steps: []page.Step{{Text: "one", Command: long}, {Text: "two", Command: long}}, More: 3, ID: "alrt_1"}
	for range 8 {
		p.Why = append(p.Why, page.Fact{Name: "n", Value: long})
	}
	b, err := small(p)
	if err != nil || len(b) >= maxCard || len(p.Why) != 8 || len(p.Steps) != 2 || !strings.Contains(string(b), "alrt_1") {
		t.Errorf("%d bytes, %v", len(b), err)
	}
}

func TestConnectorsAreRefused(t *testing.T) {
	for address, want := range map[string]string{"https://contoso.webhook.office.com/webhookb2/x": "retired", "https://prod-1.westeurope.logic.azure.com/x": ""} {
		_, err := New(Config{Config: remote.Config{Address: remote.Fixed(address)}}, sinks.Env{})
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", address, err)
		}
	}
	if _, err := New(Config{}, sinks.Env{}); err == nil || !strings.Contains(err.Error(), "workflow_url is missing") {
		t.Error(err)
	}
}
