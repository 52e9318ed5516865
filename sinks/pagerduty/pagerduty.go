// Package pagerduty pages by the Events API v2 of PagerDuty.
package pagerduty

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

// Config says whom to page.
type Config struct {
	remote.Config
	RoutingKey remote.Secret
	Templates  *page.Templates
}

const usualURL = "https://events.pagerduty.com/v2/enqueue"

// Read reads the sink's part of the configuration.
func Read(r remote.Reader, n *yaml.Node) Config {
	c, d := Config{}, r.Doc
	c.URL = usualURL
	keys := c.Keys(r)
	keys["routing_key"] = func(n *yaml.Node) {
		c.RoutingKey = r.Secret(n)
		if key, _ := c.RoutingKey(); key != "" && len(key) != keyLength {
			d.At(n, "secret", "a routing key has 32 characters; it is the integration key of a service, of the kind Events API v2")
		}
	}
	keys["templates"] = func(n *yaml.Node) { c.Templates = page.Read(d, n) }
	r.Read(n, keys, func() error { _, err := New(c, sinks.Env{}); return err }, c.Check)
	return c
}

// The bounds of the Events API v2, in characters.
const (
	keyLength  = 32
	maxSummary = 1024
	maxKey     = 255
)

// severities are those of PagerDuty.
var severities = map[string]string{"critical": "critical", "high": "error", "medium": "warning", "low": "info", "info": "info"}

// Sink pages one service.
type Sink struct {
	key       remote.Secret
	templates *page.Templates
	client    *remote.Client
}

// New checks the configuration.
func New(c Config, env sinks.Env) (*Sink, error) {
	if c.RoutingKey == nil {
		return nil, errors.New("routing_key is missing: a reference to the integration key of a service")
	}
	client, err := remote.New(c.Config, env)
	if err != nil {
		return nil, err
	}
	client.Secret("routing_key", c.RoutingKey)
	return &Sink{c.RoutingKey, c.Templates, client}, nil
}

// Batch implements sinks.Sink.
func (*Sink) Batch() sinks.Batch { return sinks.Batch{Messages: 1} }

// Send implements sinks.Sink.
func (s *Sink) Send(ctx context.Context, messages []sinks.Message) error {
	for i := range messages {
		body, err := s.event(&messages[i])
		if err != nil {
			return err
		}
		a, err := s.client.Do(ctx, remote.Request{Body: body})
		if err != nil {
			return err
		}
		if err := s.judge(a); err != nil {
			return err
		}
	}
	return nil
}

// event is what PagerDuty takes. All revisions of an alert have one key, so that they are one incident there.
type event struct {
	RoutingKey string   `json:"routing_key"`
	Action     string   `json:"event_action"`
	DedupKey   string   `json:"dedup_key"`
	Client     string   `json:"client,omitempty"`
	ClientURL  string   `json:"client_url,omitempty"`
	Payload    *payload `json:"payload,omitempty"`
}

type payload struct {
	Summary   string         `json:"summary"`
	Source    string         `json:"source"`
	Severity  string         `json:"severity"`
	Timestamp string         `json:"timestamp"`
	Component string         `json:"component,omitempty"`
	Group     string         `json:"group,omitempty"`
	Class     string         `json:"class,omitempty"`
	Details   map[string]any `json:"custom_details"`
}

func (s *Sink) event(m *sinks.Message) ([]byte, error) {
	p, err := s.templates.Of(m)
	if err != nil {
		return nil, err
	}
	e := event{RoutingKey: s.client.Secret("routing_key", s.key), Action: "trigger", DedupKey: alert.OneLine(m.ID, maxKey), Client: "Noroshi"}
	if m.Status == string(alert.Withdrawn) {
		e.Action, e.Client = "resolve", ""
	} else {
		e.Payload = &payload{Summary: alert.OneLine(p.Title, maxSummary), Source: p.Account, Severity: severities[p.Severity], Timestamp: m.Time.UTC().Format(time.RFC3339Nano), Component: p.Rule, Group: p.Tenant, Class: p.Class, Details: details(p, m)}
		if strings.TrimSpace(p.Account) == "" {
			e.Payload.Source = "noroshi" // an event without a source is refused
		}
		e.ClientURL = p.Link
		if e.Payload.Severity == "" {
			e.Payload.Severity = "warning"
		}
	}
	b, err := json.Marshal(e)
	if err != nil {
		return nil, &sinks.Refused{Cause: fmt.Errorf("write event: %w", err)}
	}
	return b, nil
}

// details are what responders see of an alert.
func details(p *page.Page, m *sinks.Message) map[string]any {
	d := map[string]any{"what": p.Summary, "account": p.Account, "last": p.When, "first": p.Since, "events": p.Count, "rule": p.Rule, "alert_id": m.ID, "revision": m.Revision}
	for name, text := range map[string]string{"from": p.From, "tenant": p.Tenant, "guide": strings.Join(p.Guide, " "), "attack": strings.Join(p.Attack, " ")} {
		if text != "" {
			d[name] = text
		}
	}
	why := map[string]string{}
	for _, f := range p.Why {
		why[f.Name] = f.Value
	}
	d["why"] = why
	var steps []string
	for i, s := range p.Steps {
		steps = append(steps, strings.TrimSpace(fmt.Sprintf("%d. %s %s", i+1, s.Text, s.Command)))
	}
	if p.More > 0 {
		steps = append(steps, fmt.Sprintf("and %d more", p.More))
	}
	if steps != nil {
		d["first_steps"] = steps
	}
	return d
}

// answer is what PagerDuty says.
type answer struct {
	Status  string   `json:"status"`
	Message string   `json:"message"`
	Errors  []string `json:"errors"`
}

// judge makes of an answer what it means.
func (s *Sink) judge(a *remote.Answer) error {
	var said answer
	known := a.Err == nil && json.Unmarshal(a.Body, &said) == nil && said.Status != ""
	switch {
	case a.OK() && a.Err != nil:
		return &sinks.Fault{Cause: a.Err}
	case a.OK() && !known:
		return &sinks.Fault{Cause: fmt.Errorf("post alerts: %s: status %d, but the answer is not that of PagerDuty; is the url right?", s.client.Host(), a.Status)}
	case a.OK():
		return nil
	case !known:
		return s.client.Refusal(a)
	}
	text := strings.Join(append([]string{said.Message}, said.Errors...), "; ")
	status := s.client.Status(a, text)
	if low := strings.ToLower(text); strings.Contains(low, "routing key") || strings.Contains(low, "routing_key") { // nothing is wrong with the alert
		return &sinks.Fault{Cause: status, RetryAfter: a.RetryAfter}
	}
	return sinks.ByStatus(status, a.RetryAfter)
}

// Probe implements sinks.Prober.
func (s *Sink) Probe(ctx context.Context) (ends time.Time, err error) { return s.client.Probe(ctx) }
