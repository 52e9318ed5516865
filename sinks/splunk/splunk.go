// Package splunk sends alerts to an HTTP Event Collector of Splunk.
package splunk

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/alert"
	"noroshi/sinks"
	"noroshi/sinks/format"
	"noroshi/sinks/remote"
)

// Config says where the collector is and what events are like there.
type Config struct {
	remote.Config
	Token      remote.Secret
	Format     format.Format
	Index      string // the token's own where it is empty
	Source     string
	SourceType string
	HostName   string
	Ack        bool // wait until the collector has indexed the events
}

// Read reads the sink's part of the configuration.
func Read(r remote.Reader, n *yaml.Node) Config {
	c, d := Config{Source: "noroshi", SourceType: "noroshi:alert"}, r.Doc
	c.AllowPrivate = true // collectors lie in one's own network
	keys := c.Keys(r)
	keys["token"] = func(n *yaml.Node) { c.Token = r.Secret(n) }
	keys["format"] = func(n *yaml.Node) { c.Format = format.Read(d, n, format.Noroshi, format.ECS, format.OCSF) }
	keys["index"] = func(n *yaml.Node) { c.Index = d.Text(n) }
	keys["source"] = func(n *yaml.Node) { c.Source = d.Text(n) }
	keys["sourcetype"] = func(n *yaml.Node) { c.SourceType = d.Text(n) }
	keys["host"] = func(n *yaml.Node) { c.HostName = d.Text(n) }
	keys["ack"] = func(n *yaml.Node) { c.Ack = d.Bool(n) }
	r.Read(n, keys, func() error { _, err := New(c, sinks.Env{}); return err }, c.Check)
	return c
}

// Sink sends to one collector.
type Sink struct {
	Config
	client  *remote.Client
	channel string // of acknowledgements
}

// The bounds of a request. Splunk Cloud takes 1 MB.
const (
	maxEvents = 500
	maxBytes  = 700 << 10 // of alerts; a format may make more of them, and a request that is too large is halved
)

const (
	eventPath = "/services/collector/event"
	ackPath   = "/services/collector/ack"
)

// New checks the configuration.
func New(c Config, env sinks.Env) (*Sink, error) {
	if c.Token == nil {
		return nil, errors.New("token is missing: a reference to the collector's token")
	}
	c.URL, _, _ = strings.Cut(c.URL, "/services/collector") // also an address that names the whole path
	client, err := remote.New(c.Config, env)
	if err != nil {
		return nil, err
	}
	s := &Sink{Config: c, client: client, channel: uuid()}
	client.Secret("token", c.Token)
	return s, nil
}

// uuid is a random name in the form that channels have.
func uuid() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // it never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// Batch implements sinks.Sink.
func (*Sink) Batch() sinks.Batch { return sinks.Batch{Messages: maxEvents, Bytes: maxBytes} }

// Send implements sinks.Sink.
func (s *Sink) Send(ctx context.Context, messages []sinks.Message) error {
	if len(messages) == 0 {
		return nil
	}
	var body []byte
	for i := range messages {
		var err error
		if body, err = s.event(body, &messages[i]); err != nil {
			return err
		}
	}
	r := s.request(eventPath, body)
	r.Gzip = true
	a, err := s.client.Do(ctx, r)
	if err != nil {
		return err
	}
	said, err := s.read(a)
	if err != nil {
		return s.judge(a, err, len(messages))
	}
	if s.Ack {
		return s.await(ctx, said.AckID)
	}
	return nil
}

func (s *Sink) request(path string, body []byte) remote.Request {
	r := remote.Request{Path: path, Body: body, Header: map[string]string{"Authorization": "Splunk " + s.client.Secret("token", s.Token)}}
	if s.Ack {
		r.Header["X-Splunk-Request-Channel"] = s.channel
	}
	return r
}

// event appends an alert as an event of the collector. Its fields are flat, and name the alert: Splunk does not know what comes twice.
func (s *Sink) event(to []byte, m *sinks.Message) ([]byte, error) {
	to = append(to, `{"time":`...)
	to = strconv.AppendFloat(to, float64(m.Time.UnixMilli())/1000, 'f', 3, 64)
	for _, f := range []struct{ key, value string }{{"host", s.HostName}, {"source", s.Source}, {"sourcetype", s.SourceType}, {"index", s.Index}} {
		if f.value != "" {
			to = alert.AppendQuoted(append(to, `,"`+f.key+`":`...), f.value)
		}
	}
	to, err := s.Format.Append(append(to, `,"event":`...), m)
	if err != nil {
		return to, err
	}
	to = alert.AppendQuoted(append(to, `,"fields":{"alert_id":`...), m.ID)
	for _, f := range []struct{ key, value string }{{"alert_revision", strconv.Itoa(m.Revision)}, {"alert_status", m.Status}, {"rule_id", m.Rule}, {"severity", m.Severity}} {
		if f.value != "" {
			to = alert.AppendQuoted(append(to, `,"`+f.key+`":`...), f.value)
		}
	}
	return append(to, "}}\n"...), nil
}

// answer is what the collector says.
type answer struct {
	Text  string `json:"text"`
	Code  *int   `json:"code"`
	Event *int   `json:"invalid-event-number"`
	AckID *int64 `json:"ackId"`
}

// read reads the collector's answer. An answer of success that does not come from a collector is a fault: who knows who took the alerts.
func (s *Sink) read(a *remote.Answer) (said answer, err error) {
	broken := json.Unmarshal(a.Body, &said)
	switch {
	case a.OK() && a.Err != nil:
		return said, &sinks.Fault{Cause: a.Err}
	case a.OK() && (broken != nil || said.Code == nil):
		return said, &sinks.Fault{Cause: fmt.Errorf("post alerts: %s: status %d, but the answer is not that of an HTTP Event Collector; is the url right?", s.client.Host(), a.Status)}
	case a.OK() && *said.Code == 0:
		return said, nil
	case broken != nil || said.Code == nil:
		return said, s.client.Refusal(a)
	}
	return said, &code{said, a}
}

// Probe implements sinks.Prober.
func (s *Sink) Probe(ctx context.Context) (ends time.Time, err error) { return s.client.Probe(ctx) }
