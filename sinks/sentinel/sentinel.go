// Package sentinel sends alerts to a table of Microsoft Sentinel, by the Logs Ingestion API of Azure Monitor.
package sentinel

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/alert"
	"noroshi/sinks"
	"noroshi/sinks/remote"
)

// Config says which rule of collection takes the alerts, and who sends them.
type Config struct {
	remote.Config
	RuleID   string
	Stream   string
	Identity remote.Identity
}

// Read reads the sink's part of the configuration.
func Read(r remote.Reader, n *yaml.Node) Config {
	c, d := Config{Stream: stream}, r.Doc
	keys := c.Keys(r)
	keys["rule_id"] = func(n *yaml.Node) { c.RuleID = d.Text(n) }
	keys["stream"] = func(n *yaml.Node) { c.Stream = d.Text(n) }
	keys["credential"] = func(n *yaml.Node) { c.Identity = r.Identity(n) }
	r.Read(n, keys, func() error { _, err := New(c, sinks.Env{}); return err }, c.Check)
	return c
}

// Sink sends to one rule of collection.
type Sink struct {
	Config
	*remote.Client
	env    sinks.Env
	token  remote.Token // made with the first alert
	host   string       // whose tokens are asked for
	target string
}

var (
	ruleID     = regexp.MustCompile(`^dcr-[0-9a-f]{32}$`)
	streamName = regexp.MustCompile(`^Custom-[A-Za-z][A-Za-z0-9_]{0,99}$`)
)

// audiences are the hosts whose tokens the API takes, by the end of its address.
// Source: azlogs v1.1.0, cloud_config.go.
var audiences = []struct{ end, host string }{{".azure.us", "monitor.azure.us"}, {".azure.cn", "monitor.azure.cn"}, {"", "monitor.azure.com"}}

// New checks the configuration.
func New(c Config, env sinks.Env) (*Sink, error) {
	switch {
	case !ruleID.MatchString(c.RuleID):
		return nil, errors.New("rule_id is the immutable id of the rule of collection: dcr- and 32 hexadecimal digits")
	case !streamName.MatchString(c.Stream):
		return nil, errors.New("stream is the name of a stream of the rule of collection, such as " + stream)
	case c.Identity == nil:
		return nil, errors.New("credential is missing: who sends, as for an event hub")
	}
	client, err := remote.New(c.Config, env)
	if err != nil {
		return nil, err
	}
	s := &Sink{Config: c, Client: client, env: env, target: "/dataCollectionRules/" + c.RuleID + "/streams/" + c.Stream}
	for _, a := range audiences {
		if strings.HasSuffix(client.Host(), a.end) {
			s.host = a.host
			break
		}
	}
	return s, nil
}

// The bounds of a request. The API takes 1 MB, before it is compressed and behind.
const (
	maxRows    = 400
	maxBytes   = 700 << 10 // of alerts; a row has some hundred bytes more
	maxRequest = 1_000_000
)

// Batch implements sinks.Sink.
func (*Sink) Batch() sinks.Batch { return sinks.Batch{Messages: maxRows, Bytes: maxBytes} }

// Send implements sinks.Sink.
func (s *Sink) Send(ctx context.Context, messages []sinks.Message) error {
	if len(messages) == 0 {
		return nil
	}
	body := []byte{'['}
	for i := range messages {
		var a alert.Alert
		if err := json.Unmarshal(messages[i].Body, &a); err != nil {
			return &sinks.Refused{Cause: fmt.Errorf("read alert: %w", err)}
		}
		if i > 0 {
			body = append(body, ',')
		}
		body = row(body, &a)
	}
	if body = append(body, ']'); len(body) > maxRequest { // what is refused together is sent in halves
		return &sinks.Refused{Cause: fmt.Errorf("%d alerts make a request of %d bytes; the API takes %d", len(messages), len(body), maxRequest)}
	}
	token, err := s.authorized(ctx)
	if err != nil {
		return s.Fault("get a token", err)
	}
	a, err := s.Do(ctx, remote.Request{Path: s.target, Query: url.Values{"api-version": {"2023-01-01"}}, Body: body, Gzip: true,
		Header: map[string]string{"Authorization": "Bearer " + token, "X-Ms-Client-Request-Id": messages[0].Key()}})
	if err != nil {
		return err
	}
	return s.judge(a)
}

// authorized gives a token. A preview needs none.
func (s *Sink) authorized(ctx context.Context) (string, error) {
	if s.env.Preview != nil {
		return "…", nil
	}
	if s.token == nil {
		token, err := s.Identity(s.Way())
		if err != nil {
			return "", err
		}
		s.token = token
	}
	token, err := s.token(ctx, s.host)
	s.Hide(token)
	return token, err
}

// ofRule are errors of status 400 that are the configuration's fault, not an alert's.
var ofRule = map[string]bool{"InvalidStream": true, "InvalidDcrImmutableId": true, "InvalidResourceType": true, "InvalidApiVersion": true, "InvalidTransformOutput": true, "MissingContentTypeHeader": true, "UnsupportedContentType": true, "InvalidTransformQuery": true}

// judge makes of an answer what it means. Success has one status.
func (s *Sink) judge(a *remote.Answer) error {
	var said struct {
		Error struct{ Code, Message string }
	}
	known := json.Unmarshal(a.Body, &said) == nil && said.Error.Code != ""
	switch {
	case a.Status == 204:
		return nil
	case a.OK():
		return &sinks.Fault{Cause: fmt.Errorf("post alerts: %s: status %d, but the answer is not that of the Logs Ingestion API; is the url right?", s.Host(), a.Status)}
	case !known:
		return s.Refusal(a)
	}
	status := s.Status(a, said.Error.Code+": "+said.Error.Message)
	if a.Status == 400 && ofRule[said.Error.Code] {
		return &sinks.Fault{Cause: status, RetryAfter: a.RetryAfter}
	}
	return sinks.ByStatus(status, a.RetryAfter)
}
