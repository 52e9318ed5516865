// Package slack tells alerts in a channel of Slack, by an incoming webhook or by a bot.
package slack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/alert"
	"noroshi/sinks"
	"noroshi/sinks/page"
	"noroshi/sinks/remote"
)

// Config says where to post: the address of an incoming webhook, or the token of a bot and a channel.
type Config struct {
	remote.Config
	Token     remote.Secret
	Channel   string
	Templates *page.Templates
}

const api = "https://slack.com/api"

// Read reads the sink's part of the configuration. The address of a webhook is a secret: whoever has it can post.
func Read(r remote.Reader, n *yaml.Node) Config {
	c, d := Config{}, r.Doc
	keys := c.Keys(r)
	delete(keys, "url")
	keys["webhook_url"] = func(n *yaml.Node) { c.ReadAddress(r, n) }
	keys["token"] = func(n *yaml.Node) { c.Token = r.Secret(n) }
	keys["channel"] = func(n *yaml.Node) { c.Channel = d.Text(n) }
	keys["api_url"] = func(n *yaml.Node) { c.URL = d.Text(n) }
	keys["templates"] = func(n *yaml.Node) { c.Templates = page.Read(d, n) }
	r.Read(n, keys, func() error { _, err := New(c, sinks.Env{}); return err }, func() error { return c.whole().Check() })
	return c
}

// whole is the configuration with its usual address.
func (c Config) whole() *Config {
	if c.URL == "" && c.Address == nil {
		c.URL = api
	}
	return &c
}

// Sink posts to one channel.
type Sink struct {
	Config
	env    sinks.Env
	client *remote.Client
}

// New checks the configuration.
func New(c Config, env sinks.Env) (*Sink, error) {
	switch {
	case (c.Token == nil) == (c.Address == nil):
		return nil, errors.New("slack needs webhook_url, or token and channel: references to secrets, of which one is there")
	case c.Token != nil && c.Channel == "":
		return nil, errors.New("channel is missing: the id of the channel, such as C0123456789; the bot must be a member")
	case c.Token == nil && (c.Channel != "" || c.URL != "" && c.Address == nil):
		return nil, errors.New("channel and api_url are for a bot, which has a token; a webhook has a channel of its own")
	}
	client, err := remote.New(c.whole().Config, env)
	if err != nil {
		return nil, err
	}
	if c.Token != nil {
		client.Secret("token", c.Token)
	}
	return &Sink{c, env, client}, nil
}

// Batch implements sinks.Sink.
func (*Sink) Batch() sinks.Batch { return sinks.Batch{Messages: 1} }

// Send implements sinks.Sink.
func (s *Sink) Send(ctx context.Context, messages []sinks.Message) error {
	for i := range messages {
		m := &messages[i]
		p, err := s.Templates.Of(m)
		if err != nil {
			return err
		}
		if s.Token != nil {
			err = s.tell(ctx, m, p)
		} else {
			err = s.post(ctx, p)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// post posts to an incoming webhook, which says ok where it has taken a message.
func (s *Sink) post(ctx context.Context, p *page.Page) error {
	body, err := encode(messageOf(p))
	if err != nil {
		return err
	}
	a, err := s.client.Do(ctx, remote.Request{Body: body})
	if err != nil {
		return err
	}
	text := strings.TrimSpace(string(a.Body))
	switch {
	case a.OK() && a.Err != nil:
		return &sinks.Fault{Cause: a.Err}
	case a.OK() && text == "ok":
		return nil
	case a.OK():
		return &sinks.Fault{Cause: fmt.Errorf("post alerts: %s: status %d, but the answer is not ok; is it the address of an incoming webhook?", s.client.Host(), a.Status)}
	case a.Status == http.StatusGone, a.Status == http.StatusBadRequest && slices.Contains(ofTheChannel, text): // nothing is wrong with the alert
		return &sinks.Fault{Cause: s.client.Status(a, text), RetryAfter: a.RetryAfter}
	}
	return s.client.Refusal(a)
}

// ofTheChannel are answers of status 400 that are about the webhook or its channel.
var ofTheChannel = []string{"user_not_found", "channel_not_found", "channel_is_archived", "no_service", "no_team", "team_disabled", "invalid_token", "action_prohibited", "posting_to_general_channel_denied"}

func encode(v any) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, &sinks.Refused{Cause: fmt.Errorf("write message: %w", err)}
	}
	return b, nil
}

// The bounds of messages, in characters.
const (
	maxHeader  = 150
	maxSection = 3000
	maxField   = 2000
	maxFields  = 10
)

// message is what Slack takes. Texts of strangers are plain text: there nothing is a mention, a link or markup.
type message struct {
	Channel   string  `json:"channel,omitempty"`
	TS        string  `json:"ts,omitempty"`
	Thread    string  `json:"thread_ts,omitempty"`
	Text      string  `json:"text"` // for notifications
	Mrkdwn    bool    `json:"mrkdwn"`
	LinkNames bool    `json:"link_names"`
	Parse     string  `json:"parse"`
	Unfurl    bool    `json:"unfurl_links"`
	Media     bool    `json:"unfurl_media"`
	Blocks    []block `json:"blocks,omitempty"`
}

type block struct {
	Type     string `json:"type"`
	Text     *text  `json:"text,omitempty"`
	Fields   []text `json:"fields,omitempty"`
	Elements []text `json:"elements,omitempty"`
}

type text struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

func plain(s string, most int) text { return text{"plain_text", alert.OneLine(s, most)} }

func section(s string) block { t := plain(s, maxSection); return block{Type: "section", Text: &t} }

// escaper is for the text of notifications, in which Slack reads what stands in angle brackets.
var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// messageOf says an alert in a message.
func messageOf(p *page.Page) *message {
	title := plain(p.Title, maxHeader)
	m := &message{Text: escaper.Replace(p.Title), Parse: "none", Blocks: []block{{Type: "header", Text: &title}}}
	if p.Summary != "" {
		m.Blocks = append(m.Blocks, section(p.Summary))
	}
	facts := [][2]string{{"Account", p.Account}, {"From", p.From}, {"Last", p.When}, {"First", p.Since}}
	for _, f := range p.Why {
		facts = append(facts, [2]string{f.Name, f.Value})
	}
	var fields []text
	for _, f := range facts {
		if f[1] != "" && len(fields) < maxFields {
			fields = append(fields, plain(f[0]+": "+f[1], maxField))
		}
	}
	if len(fields) > 0 {
		m.Blocks = append(m.Blocks, block{Type: "section", Fields: fields})
	}
	for i, s := range p.Steps {
		m.Blocks = append(m.Blocks, section(strings.TrimSpace(fmt.Sprintf("%d. %s %s", i+1, s.Text, s.Command))))
	}
	last := fmt.Sprintf("%s, revision %d, %s", p.ID, p.Revision, p.Rule)
	if p.More > 0 {
		last = fmt.Sprintf("%d more steps. %s", p.More, last)
	}
	if p.Link != "" {
		last += ". " + p.Link
	}
	m.Blocks = append(m.Blocks, block{Type: "context", Elements: []text{plain(last, maxField)}})
	return m
}

// Probe implements sinks.Prober.
func (s *Sink) Probe(ctx context.Context) (ends time.Time, err error) { return s.client.Probe(ctx) }
