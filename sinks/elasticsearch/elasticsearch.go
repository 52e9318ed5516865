// Package elasticsearch indexes alerts by the bulk interface of Elasticsearch and OpenSearch.
package elasticsearch

import (
	"context"
	_ "embed"
	"encoding/base64"
	"errors"
	"strings"
	"time"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/alert"
	"noroshi/sinks"
	"noroshi/sinks/format"
	"noroshi/sinks/remote"
)

// Config says where alerts are indexed and how.
type Config struct {
	remote.Config
	Index    string // or data stream
	Format   format.Format
	User     string
	Password remote.Secret
	APIKey   remote.Secret
}

// Template is the template of the data stream, for the interface _index_template.
//
//go:embed template.json
var Template string

// defaultIndex is a data stream; the name is one that the template which we ship is for.
const defaultIndex = "logs-noroshi.alert-default"

// Read reads the sink's part of the configuration.
func Read(r remote.Reader, n *yaml.Node) Config {
	c, d := Config{Index: defaultIndex, Format: format.ECS}, r.Doc
	c.AllowPrivate = true // search servers lie in one's own network
	keys := c.Keys(r)
	keys["index"] = func(n *yaml.Node) {
		c.Index = d.Text(n)
		if err := indexName(c.Index); err != nil && c.Index != "" {
			d.At(n, "value", err.Error())
		}
	}
	keys["format"] = func(n *yaml.Node) { c.Format = format.Read(d, n, format.ECS, format.OCSF, format.Noroshi) }
	keys["user"] = func(n *yaml.Node) { c.User = d.Text(n) }
	keys["password"] = func(n *yaml.Node) { c.Password = r.Secret(n) }
	keys["api_key"] = func(n *yaml.Node) { c.APIKey = r.Secret(n) }
	keys["headers"] = func(n *yaml.Node) { c.ReadHeaders(r, n) }
	r.Read(n, keys, func() error { _, err := New(c, sinks.Env{}); return err }, c.Check)
	return c
}

// indexName refuses what no index can be called.
// Source: Elasticsearch and OpenSearch, restrictions of the names of indices.
func indexName(name string) error {
	if name == "" || len(name) > 255 || strings.ContainsAny(name, `\/*?"<>| ,#:`) || strings.IndexAny(name, "-_+.") == 0 || name != strings.ToLower(name) {
		return errors.New("the name of an index or data stream is lower case, without blanks and \\ / * ? \" < > | , # : and begins with a letter or digit")
	}
	return nil
}

// Sink indexes at one address.
type Sink struct {
	Config
	client *remote.Client
}

// New checks the configuration.
func New(c Config, env sinks.Env) (*Sink, error) {
	switch {
	case (c.User == "") != (c.Password == nil):
		return nil, errors.New("user and password belong together")
	case c.APIKey != nil && c.Password != nil:
		return nil, errors.New("api_key and password exclude each other")
	case (c.APIKey != nil || c.Password != nil) && c.Headers["Authorization"] != nil:
		return nil, errors.New("the header Authorization is set by api_key or password already")
	}
	client, err := remote.New(c.Config, env)
	if err != nil {
		return nil, err
	}
	s := &Sink{c, client}
	s.authorization()
	return s, nil
}

// authorization is the header of that name, "" without one.
func (s *Sink) authorization() string {
	switch {
	case s.APIKey != nil:
		return "ApiKey " + s.client.Secret("api_key", s.APIKey)
	case s.Password != nil:
		pair := base64.StdEncoding.EncodeToString([]byte(s.User + ":" + s.client.Secret("password", s.Password)))
		s.client.Hide(pair)
		return "Basic " + pair
	}
	return ""
}

// The bounds of a request.
const (
	maxItems  = 500
	maxBytes  = 2 << 20 // of alerts; ECS makes about half as much again of them
	maxAnswer = 4 << 20
)

// Batch implements sinks.Sink. Each item has a verdict of its own, so no account comes twice.
func (*Sink) Batch() sinks.Batch {
	return sinks.Batch{Messages: maxItems, Bytes: maxBytes, Apart: true}
}

// Send implements sinks.Sink.
func (s *Sink) Send(ctx context.Context, messages []sinks.Message) error {
	if len(messages) == 0 {
		return nil
	}
	body, err := s.body(messages)
	if err != nil {
		return err
	}
	r := remote.Request{Path: "/_bulk", Body: body, Gzip: true, Most: maxAnswer, Header: map[string]string{"Content-Type": "application/x-ndjson"},
		Query: map[string][]string{"filter_path": {"errors,items.*.status,items.*.error.type,items.*.error.reason,items.*.error.caused_by.reason"}}}
	if auth := s.authorization(); auth != "" {
		r.Header["Authorization"] = auth
	}
	a, err := s.client.Do(ctx, r)
	if err != nil {
		return err
	}
	return s.judge(a, len(messages))
}

// body is a request: for each alert an action that creates it under its own name, so that what comes twice is found there already.
func (s *Sink) body(messages []sinks.Message) (b []byte, err error) {
	for i := range messages {
		m := &messages[i]
		b = alert.AppendQuoted(append(b, `{"create":{"_index":`...), s.Index)
		b = alert.AppendQuoted(append(b, `,"_id":`...), m.Key())
		b = append(b, "}}\n"...)
		from := len(b)
		if b, err = s.Format.Append(b, m); err != nil {
			return nil, err
		}
		b = append(stamped(b, from, s.Format, m), '\n')
	}
	return b, nil
}

// stamped puts the time that data streams ask for before an alert in a format that has none.
func stamped(b []byte, from int, f format.Format, m *sinks.Message) []byte {
	if f == format.ECS || len(b) <= from || b[from] != '{' {
		return b
	}
	stamp := m.Time.UTC().AppendFormat([]byte(`{"@timestamp":"`), "2006-01-02T15:04:05.000Z")
	return append(append(b[:from:from], append(stamp, `",`...)...), b[from+1:]...)
}

// Probe implements sinks.Prober.
func (s *Sink) Probe(ctx context.Context) (ends time.Time, err error) { return s.client.Probe(ctx) }
