// Package webhook posts alerts as Standard Webhooks.
package webhook

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/sinks"
	"noroshi/sinks/remote"
)

// Config says where to post and how.
type Config struct {
	remote.Config
	Secrets []remote.Secret // whsec_ and base64 of 24 to 64 bytes; two while one replaces the other
}

// Read reads the sink's part of the configuration. Secrets, and headers that hold them, are references.
func Read(r remote.Reader, n *yaml.Node) Config {
	c, d := Config{}, r.Doc
	keys := c.Keys(r)
	keys["secrets"] = func(n *yaml.Node) {
		for _, s := range d.Items(n) {
			secret := r.Secret(s)
			text, _ := secret() // what is wrong with it has been told
			if _, err := Key(text); err != nil && text != "" {
				d.At(s, "secret", err.Error())
			}
			c.Secrets = append(c.Secrets, secret)
		}
	}
	keys["headers"] = func(n *yaml.Node) { c.ReadHeaders(r, n, "Webhook-Id", "Webhook-Timestamp", "Webhook-Signature") }
	d.Fields(n, keys)
	if d.Errors() == 0 {
		if _, err := New(c, sinks.Env{}); err != nil {
			d.At(n, "webhook", err.Error())
		} else if err := c.Check(); err != nil {
			d.At(n, "webhook", err.Error())
		}
	}
	return c
}

// Sink posts to one address, one alert a request.
type Sink struct {
	secrets []remote.Secret
	client  *remote.Client
}

// New checks the configuration.
func New(c Config, env sinks.Env) (*Sink, error) {
	client, err := remote.New(c.Config, env)
	if err != nil {
		return nil, err
	}
	if len(c.Secrets) == 0 || len(c.Secrets) > 2 {
		return nil, errors.New("secrets holds one reference to a whsec_ secret, two while one replaces the other")
	}
	s := &Sink{secrets: c.Secrets, client: client}
	_, err = s.keys()
	return s, err
}

// Key is the key of a secret: whsec_ and base64 of 24 to 64 bytes.
// Source: Standard Webhooks 1.0.0, signature scheme.
func Key(secret string) ([]byte, error) {
	text, ok := strings.CutPrefix(secret, "whsec_")
	key, err := base64.StdEncoding.DecodeString(text)
	if !ok || err != nil || len(key) < 24 || len(key) > 64 {
		return nil, errors.New("a secret is whsec_ and the base64 of 24 to 64 bytes; `echo \"whsec_$(openssl rand -base64 32)\"` makes one")
	}
	return key, nil
}

// keys are those of the secrets as they are now.
func (s *Sink) keys() (all [][]byte, err error) {
	for i, secret := range s.secrets {
		key, err := Key(s.client.Secret("secrets", secret))
		if err != nil {
			return nil, fmt.Errorf("secret %d: %w", i+1, err)
		}
		all = append(all, key)
	}
	return all, nil
}

// Batch implements sinks.Sink.
func (*Sink) Batch() sinks.Batch { return sinks.Batch{Messages: 1} }

// Send implements sinks.Sink. Time and signature are made anew for each attempt, so that a late one is not taken for a replay.
func (s *Sink) Send(ctx context.Context, messages []sinks.Message) error {
	for i := range messages {
		if err := s.post(ctx, &messages[i]); err != nil {
			return err
		}
	}
	return nil
}

func (s *Sink) post(ctx context.Context, m *sinks.Message) error {
	keys, err := s.keys()
	if err != nil {
		return &sinks.Fault{Cause: err}
	}
	a, err := s.client.Do(ctx, s.request(m, keys))
	if err != nil {
		return err
	}
	if a.OK() {
		return nil
	}
	return s.client.Refusal(a)
}

func (s *Sink) request(m *sinks.Message, keys [][]byte) remote.Request {
	stamp, body := strconv.FormatInt(s.client.Now().Unix(), 10), payload(m)
	return remote.Request{Body: body, Header: map[string]string{"webhook-id": m.Key(), "webhook-timestamp": stamp, "webhook-signature": signatures(keys, m.Key(), stamp, body)}}
}

// payload is the body: the kind of event, its time, and the alert unchanged.
func payload(m *sinks.Message) []byte {
	b := append([]byte(`{"type":"noroshi.alert.`), m.Status...)
	b = append(b, `","timestamp":"`...)
	b = m.Time.UTC().AppendFormat(b, "2006-01-02T15:04:05.000Z")
	b = append(b, `","data":`...)
	return append(append(b, m.Body...), '}')
}

// signatures are one for each secret, separated by blanks.
func signatures(keys [][]byte, id, stamp string, body []byte) string {
	var all []string
	for _, key := range keys {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(id + "." + stamp + "."))
		h.Write(body)
		all = append(all, "v1,"+base64.StdEncoding.EncodeToString(h.Sum(nil)))
	}
	return strings.Join(all, " ")
}

// Probe implements sinks.Prober.
func (s *Sink) Probe(ctx context.Context) (ends time.Time, err error) { return s.client.Probe(ctx) }
