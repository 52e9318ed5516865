// Package alertmanager hands alerts to Prometheus Alertmanager, by its API v2.
package alertmanager

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/alert"
	"noroshi/sinks"
	"noroshi/sinks/page"
	"noroshi/sinks/remote"
)

// Config says where to post, and for how long an alert is firing.
type Config struct {
	remote.Config
	Keep      time.Duration // usualKeep where 0
	Templates *page.Templates
}

const usualKeep = 24 * time.Hour

// Read reads the sink's part of the configuration.
func Read(r remote.Reader, n *yaml.Node) Config {
	c, d := Config{}, r.Doc
	keys := c.Keys(r)
	keys["headers"] = func(n *yaml.Node) { c.ReadHeaders(r, n) }
	keys["templates"] = func(n *yaml.Node) { c.Templates = page.Read(d, n) }
	keys["keep"] = func(n *yaml.Node) { c.Keep = d.Within(n, time.Minute, 30*24*time.Hour) }
	r.Read(n, keys, func() error { _, err := New(c, sinks.Env{}); return err }, c.Check)
	return c
}

// Sink posts to one Alertmanager.
type Sink struct {
	Config
	client *remote.Client
}

// New checks the configuration.
func New(c Config, env sinks.Env) (*Sink, error) {
	if c.Keep == 0 {
		c.Keep = usualKeep
	}
	client, err := remote.New(c.Config, env)
	return &Sink{c, client}, err
}

// maxBatch bounds the alerts of one request.
const maxBatch = 32

// Batch implements sinks.Sink. Alertmanager takes what is right in a request also where it refuses the rest, so no account comes twice.
func (*Sink) Batch() sinks.Batch { return sinks.Batch{Messages: maxBatch, Bytes: 1 << 20, Apart: true} }

// Send implements sinks.Sink.
func (s *Sink) Send(ctx context.Context, messages []sinks.Message) error {
	if len(messages) == 0 {
		return nil
	}
	var all []posted
	for i := range messages {
		m := &messages[i]
		p, err := s.Templates.Of(m)
		if err != nil {
			return err
		}
		all = append(all, s.alerts(m, p)...)
	}
	body, err := json.Marshal(all)
	if err != nil {
		return &sinks.Refused{Cause: fmt.Errorf("write alerts: %w", err)}
	}
	a, err := s.client.Do(ctx, remote.Request{Path: "api/v2/alerts", Body: body})
	if err != nil {
		return err
	}
	if a.OK() {
		return nil
	}
	return s.client.Refusal(a)
}

// posted is an alert as Alertmanager takes it. Its labels say which it is.
type posted struct {
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	Starts      time.Time         `json:"startsAt"`
	Ends        time.Time         `json:"endsAt"`
	Generator   string            `json:"generatorURL,omitempty"`
}

// alerts are a message as Alertmanager knows it: one that fires, or has ended. Severity is a label, since routes look at it; a later
// revision of another severity is another alert there, so the ones of other severities end with it.
func (s *Sink) alerts(m *sinks.Message, p *page.Page) []posted {
	now := s.client.Now().UTC()
	one := posted{Labels: labels(p, p.Severity), Annotations: annotations(p), Starts: m.Time.UTC(), Ends: now.Add(s.Keep)}
	if !now.IsZero() && m.Time.After(now) { // a clock is ahead
		one.Starts = now
	}
	if p.Link != "" {
		one.Generator = p.Link
	}
	if p.Status == string(alert.Withdrawn) {
		one.Ends = now
	}
	all := []posted{one}
	if m.Revision > 1 {
		for _, other := range alert.Severities {
			if other != p.Severity {
				all = append(all, posted{Labels: labels(p, other), Annotations: map[string]string{}, Starts: one.Starts, Ends: now})
			}
		}
	}
	return all
}

func labels(p *page.Page, severity string) map[string]string {
	l := map[string]string{"alertname": p.Rule, "alert_id": p.ID, "severity": severity, "account": p.Account, "tenant": p.Tenant, "class": p.Class}
	if p.Rule == sinks.SummaryRule { // with each revision it may be about others
		delete(l, "account")
		delete(l, "tenant")
		delete(l, "class")
	}
	for name, value := range l {
		if l[name] = strings.ToValidUTF8(value, "\ufffd"); value == "" {
			delete(l, name) // Alertmanager drops a label with an empty value
		}
	}
	return l
}

func annotations(p *page.Page) map[string]string {
	a := map[string]string{"title": p.Title, "summary": p.Summary, "last": p.When, "first": p.Since, "events": strconv.Itoa(p.Count), "from": p.From, "revision": strconv.Itoa(p.Revision), "guide": strings.Join(p.Guide, " "), "attack": strings.Join(p.Attack, " "), "link": p.Link}
	var why, steps []string
	for _, f := range p.Why {
		why = append(why, f.Name+": "+f.Value)
	}
	for i, s := range p.Steps {
		steps = append(steps, strings.TrimSpace(fmt.Sprintf("%d. %s %s", i+1, s.Text, s.Command)))
	}
	if p.More > 0 {
		steps = append(steps, fmt.Sprintf("and %d more", p.More))
	}
	a["why"], a["first_steps"] = strings.Join(why, "\n"), strings.Join(steps, "\n")
	for name, value := range a {
		if value == "" {
			delete(a, name)
		}
	}
	return a
}

// Probe implements sinks.Prober.
func (s *Sink) Probe(ctx context.Context) (ends time.Time, err error) { return s.client.Probe(ctx) }
