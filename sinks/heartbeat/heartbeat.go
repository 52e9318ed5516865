// Package heartbeat asks for an address as long as records become alerts: a dead man's switch.
package heartbeat

import (
	"context"
	"errors"
	"net/http"
	"time"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/sinks"
	"noroshi/sinks/remote"
)

// Config says what to ask for, and how often.
type Config struct {
	remote.Config
	Method string
	Every  time.Duration
}

const usualEvery = 5 * time.Minute

// Read reads the sink's part of the configuration. The address is a secret: whoever has it can keep the alarm quiet.
func Read(r remote.Reader, n *yaml.Node) Config {
	c, d := Config{Every: usualEvery, Method: http.MethodGet}, r.Doc
	keys := c.Keys(r)
	delete(keys, "url")
	keys["ping_url"] = func(n *yaml.Node) { c.ReadAddress(r, n) }
	keys["method"] = func(n *yaml.Node) { c.Method = d.OneOf(n, "value", http.MethodGet, http.MethodPost, http.MethodHead) }
	keys["every"] = func(n *yaml.Node) { c.Every = d.Within(n, 10*time.Second, 24*time.Hour) }
	r.Read(n, keys, func() error { _, err := New(c, sinks.Env{}); return err }, c.Check)
	return c
}

// Sink asks for one address.
type Sink struct {
	conf   Config
	client *remote.Client
}

// New checks the configuration.
func New(c Config, env sinks.Env) (*Sink, error) {
	if c.Address == nil {
		return nil, errors.New("ping_url is missing: a reference to the address that is asked for")
	}
	client, err := remote.New(c.Config, env)
	return &Sink{c, client}, err
}

// Every is how often a heartbeat is wanted.
func (s *Sink) Every() time.Duration { return s.conf.Every }

// maxBatch is how many heartbeats one request stands for.
const maxBatch = 500

// Batch implements sinks.Sink.
func (*Sink) Batch() sinks.Batch { return sinks.Batch{Messages: maxBatch} }

// Send implements sinks.Sink. One request stands for all heartbeats at hand: the address only has to hear that there are some.
func (s *Sink) Send(ctx context.Context, messages []sinks.Message) error {
	if len(messages) == 0 {
		return nil
	}
	a, err := s.client.Do(ctx, remote.Request{Method: s.conf.Method})
	if err != nil {
		return err
	}
	if !a.OK() { // nothing is wrong with a heartbeat
		return &sinks.Fault{Cause: s.client.Status(a, string(a.Body)), RetryAfter: a.RetryAfter}
	}
	return nil
}

// Probe implements sinks.Prober.
func (s *Sink) Probe(ctx context.Context) (ends time.Time, err error) { return s.client.Probe(ctx) }
