// Package teams tells alerts in a channel of Microsoft Teams, by a workflow of Power Automate.
package teams

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/alert"
	"noroshi/sinks"
	"noroshi/sinks/page"
	"noroshi/sinks/remote"
)

// Config says where to post.
type Config struct {
	remote.Config
	Templates *page.Templates
}

// Read reads the sink's part of the configuration. The address of a workflow is a secret: whoever has it can post.
func Read(r remote.Reader, n *yaml.Node) Config {
	c, d := Config{}, r.Doc
	keys := c.Keys(r)
	delete(keys, "url")
	keys["workflow_url"] = func(n *yaml.Node) { c.ReadAddress(r, n) }
	keys["templates"] = func(n *yaml.Node) { c.Templates = page.Read(d, n) }
	r.Read(n, keys, func() error { _, err := New(c, sinks.Env{}); return err }, c.Check)
	return c
}

// Sink posts to one workflow.
type Sink struct {
	Config
	client *remote.Client
}

// New checks the configuration.
func New(c Config, env sinks.Env) (*Sink, error) {
	if c.Address == nil {
		return nil, errors.New("workflow_url is missing: a reference to the address of a workflow")
	}
	client, err := remote.New(c.Config, env)
	if err != nil {
		return nil, err
	}
	if strings.HasSuffix(strings.ToLower(client.Host()), ".webhook.office.com") {
		return nil, errors.New("the address is of a connector, which Microsoft has retired; make a workflow of the kind \"Post to a channel when a webhook request is received\"")
	}
	return &Sink{c, client}, nil
}

// Batch implements sinks.Sink.
func (*Sink) Batch() sinks.Batch { return sinks.Batch{Messages: 1} }

// Send implements sinks.Sink.
func (s *Sink) Send(ctx context.Context, messages []sinks.Message) error {
	for i := range messages {
		p, err := s.Templates.Of(&messages[i])
		if err != nil {
			return err
		}
		body, err := small(p)
		if err != nil {
			return err
		}
		a, err := s.client.Do(ctx, remote.Request{Body: body})
		if err != nil {
			return err
		}
		if !a.OK() {
			return s.client.Refusal(a)
		}
	}
	return nil
}

// maxCard bounds a request in bytes. Teams refuses about 28 KB, and counts more than was sent.
const maxCard = 20_000

// small is a message that is not too long: facts are left out first, then steps, then the summary is cut.
func small(p *page.Page) ([]byte, error) {
	left := *p
	for {
		b, err := json.Marshal(messageOf(&left))
		if err != nil {
			return nil, &sinks.Refused{Cause: fmt.Errorf("write card: %w", err)}
		}
		switch n := len(left.Why); {
		case len(b) < maxCard:
			return b, nil
		case n > 0:
			left.Why = left.Why[:n-1]
		case len(left.Steps) > 0:
			left.Steps, left.More = left.Steps[:len(left.Steps)-1], left.More+1
		case len(left.Summary) > 100:
			left.Summary = alert.OneLine(left.Summary, 100)
		default:
			return nil, &sinks.Refused{Cause: fmt.Errorf("the card has %d bytes, at most %d are taken", len(b), maxCard)}
		}
	}
}

type message struct {
	Type        string       `json:"type"`
	Attachments []attachment `json:"attachments"`
}

type attachment struct {
	ContentType string  `json:"contentType"`
	ContentURL  *string `json:"contentUrl"`
	Content     card    `json:"content"`
}

type card struct {
	Schema  string `json:"$schema"`
	Type    string `json:"type"`
	Version string `json:"version"`
	Body    []line `json:"body"`
	Actions []open `json:"actions,omitempty"`
	Teams   teams  `json:"msteams"`
}

type teams struct {
	Width string `json:"width"`
}

// line is a text without markup: in a run nothing is a link, a mention or a list.
type line struct {
	Type      string `json:"type"`
	Separator bool   `json:"separator,omitempty"`
	Inlines   []run  `json:"inlines"`
}

type run struct {
	Type   string `json:"type"`
	Text   string `json:"text"`
	Weight string `json:"weight,omitempty"`
	Size   string `json:"size,omitempty"`
	Color  string `json:"color,omitempty"`
	Font   string `json:"fontType,omitempty"`
	Subtle bool   `json:"isSubtle,omitempty"`
}

type open struct {
	Type  string `json:"type"`
	Title string `json:"title"`
	URL   string `json:"url"`
}

// colours are those of severities.
var colours = map[string]string{"critical": "attention", "high": "attention", "medium": "warning", "low": "accent", "info": "default"}

func textOf(runs ...run) line {
	for i := range runs {
		runs[i].Type = "TextRun"
	}
	return line{Type: "RichTextBlock", Inlines: runs}
}

// messageOf says an alert in a card.
func messageOf(p *page.Page) *message {
	body := []line{textOf(run{Text: p.Title, Weight: "bolder", Size: "medium", Color: colours[p.Severity]})}
	if p.Summary != "" {
		body = append(body, textOf(run{Text: p.Summary}))
	}
	facts := [][2]string{{"Account", p.Account}, {"From", p.From}, {"Last", p.When}, {"First", p.Since}}
	for _, f := range p.Why {
		facts = append(facts, [2]string{f.Name, f.Value})
	}
	for _, f := range facts {
		if f[1] != "" {
			body = append(body, textOf(run{Text: f[0] + ": ", Weight: "bolder"}, run{Text: f[1]}))
		}
	}
	for i, s := range p.Steps {
		step := textOf(run{Text: strings.TrimSpace(fmt.Sprintf("%d. %s", i+1, s.Text))})
		step.Separator = i == 0
		body = append(body, step)
		if s.Command != "" {
			body = append(body, textOf(run{Text: s.Command, Font: "monospace"}))
		}
	}
	last := fmt.Sprintf("%s, revision %d, %s", p.ID, p.Revision, p.Rule)
	if p.More > 0 {
		last = fmt.Sprintf("%d more steps. %s", p.More, last)
	}
	body = append(body, textOf(run{Text: last, Size: "small", Subtle: true}))
	c := card{Schema: "http://adaptivecards.io/schemas/adaptive-card.json", Type: "AdaptiveCard", Version: "1.4", Body: body, Teams: teams{"Full"}}
	if p.Link != "" {
		c.Actions = []open{{"Action.OpenUrl", "Open", p.Link}}
	}
	return &message{Type: "message", Attachments: []attachment{{ContentType: "application/vnd.microsoft.card.adaptive", Content: c}}}
}

// Probe implements sinks.Prober.
func (s *Sink) Probe(ctx context.Context) (ends time.Time, err error) { return s.client.Probe(ctx) }
