// Package kafka writes alerts to a topic of a Kafka.
package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"regexp"
	"strconv"
	"strings"
	"time"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/bus"
	"noroshi/sinks"
	"noroshi/sinks/format"
	"noroshi/sinks/remote"
)

// Config says where records go and what they are like.
type Config struct {
	remote.Reach
	Brokers   []string
	Topic     string
	Format    format.Format
	Plain     bool // without TLS
	Mechanism string
	User      string
	Password  remote.Secret
	Timeout   time.Duration // of one attempt
}

const defaultTimeout = 30 * time.Second

// Read reads the sink's part of the configuration.
func Read(r remote.Reader, n *yaml.Node) Config {
	c, d := Config{Plain: true}, r.Doc
	c.AllowPrivate = true // brokers lie in one's own network
	keys := c.Keys(r)
	keys["brokers"] = func(n *yaml.Node) { c.Brokers = r.Hosts(n) }
	keys["topic"] = func(n *yaml.Node) { c.Topic = d.Text(n) }
	keys["format"] = func(n *yaml.Node) { c.Format = format.Read(d, n, format.Noroshi, format.ECS, format.OCSF) }
	keys["tls"] = func(n *yaml.Node) { c.Plain = !d.Bool(n) }
	keys["sasl"] = func(n *yaml.Node) {
		d.Fields(n, remote.Keys{
			"mechanism": func(n *yaml.Node) { c.Mechanism = d.OneOf(n, "value", "plain", "scram-sha-256", "scram-sha-512") },
			"user":      func(n *yaml.Node) { c.User = d.Text(n) },
			"password":  func(n *yaml.Node) { c.Password = r.Secret(n) },
		})
		if d.Errors() == 0 && (c.Mechanism == "" || c.User == "" || c.Password == nil) {
			d.At(n, "missing", "sasl needs the keys mechanism, user and password")
		}
	}
	keys["timeout"] = func(n *yaml.Node) { c.Timeout = d.Within(n, 100*time.Millisecond, time.Minute) }
	r.Read(n, keys, func() error { _, err := New(c, sinks.Env{}); return err })
	return c
}

// Own reports whether a topic, without the prefix, is one of Noroshi's own.
func Own(topic string) bool { return bus.Own(bus.Topic(topic)) }

// Sink writes to one topic. It connects with the first alert, and again after each fault.
type Sink struct {
	Config
	*remote.Vault
	env    sinks.Env
	bus    *bus.Bus
	writer *bus.Writer
}

// topicName is what a topic can be called.
// Source: Apache Kafka, org.apache.kafka.common.internals.Topic.
var topicName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,249}$`)

// New checks the configuration.
func New(c Config, env sinks.Env) (*Sink, error) {
	switch {
	case len(c.Brokers) == 0:
		return nil, errors.New("brokers is missing: hosts with ports, such as kafka.example.com:9093")
	case !topicName.MatchString(c.Topic) || strings.Trim(c.Topic, ".") == "":
		return nil, errors.New("topic is the name of a topic, of letters, digits, dot, underscore and hyphen")
	}
	if c.CAFile != "" || c.CertFile != "" || c.ServerName != "" {
		c.Plain = false // certificates belong to TLS
	}
	if _, err := c.TLS(); err != nil {
		return nil, err
	}
	for _, b := range c.Brokers {
		host, _, err := net.SplitHostPort(b)
		if err != nil {
			host = b
		}
		if err := c.Reaches(host); err != nil {
			return nil, err
		}
	}
	if c.Timeout == 0 {
		c.Timeout = defaultTimeout
	}
	s := &Sink{Config: c, Vault: remote.NewVault(c.Brokers[0], env), env: env}
	if c.Password != nil {
		s.Secret("password", c.Password)
	}
	return s, nil
}

// The bounds of what is written at once.
const (
	maxRecords = 500
	maxBytes   = 4 << 20
)

// Batch implements sinks.Sink.
func (*Sink) Batch() sinks.Batch { return sinks.Batch{Messages: maxRecords, Bytes: maxBytes} }

// Send implements sinks.Sink.
func (s *Sink) Send(ctx context.Context, messages []sinks.Message) error {
	if len(messages) == 0 {
		return nil
	}
	records, err := s.records(messages)
	if err != nil {
		return err
	}
	if s.env.Preview != nil {
		return s.show(records)
	}
	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	if err := s.connected(ctx); err != nil {
		s.leave()
		return s.Fault("connect to Kafka", err)
	}
	err = s.writer.Write(ctx, records)
	var large *bus.TooLarge
	switch {
	case err == nil:
		s.env.Answer.Set("acknowledged")
		return nil
	case errors.As(err, &large): // the others are written
		verdicts := make(sinks.Verdicts, len(messages))
		s.env.Answer.Set("acknowledged")
		for _, i := range large.Records {
			verdicts[i] = &sinks.Refused{Cause: s.Hidden("write alerts", err)}
		}
		if len(verdicts) == 1 {
			return verdicts[0]
		}
		return verdicts
	}
	s.leave()
	return s.Fault("write alerts", err)
}

// records are the alerts as records: of one account in one partition, in order.
func (s *Sink) records(messages []sinks.Message) ([]bus.Record, error) {
	all := make([]bus.Record, len(messages))
	for i := range messages {
		m := &messages[i]
		value, err := s.Format.Append(nil, m)
		if err != nil {
			return nil, err
		}
		key := m.Account
		if key == "" {
			key = m.ID
		}
		all[i] = bus.Record{Topic: bus.Topic(s.Topic), Key: []byte(key), Value: value}
		for _, h := range [][2]string{{"content-type", "application/json"}, {"noroshi-id", m.Key()}, {"noroshi-alert", m.ID}, {"noroshi-revision", strconv.Itoa(m.Revision)}, {"noroshi-status", m.Status}, {"noroshi-rule", m.Rule}, {"noroshi-severity", m.Severity}, {"traceparent", m.Traceparent}} {
			if h[1] != "" {
				all[i].Headers = append(all[i].Headers, bus.Header{Key: h[0], Value: []byte(h[1])})
			}
		}
	}
	return all, nil
}

// connected has a connection to brokers that answer.
func (s *Sink) connected(ctx context.Context) (err error) {
	if s.bus != nil {
		return nil
	}
	c := bus.Config{Brokers: s.Brokers, TLS: !s.Plain, Mechanism: s.Mechanism, User: s.User, Dial: s.dial, Foreign: true, EventHubs: strings.Contains(s.Brokers[0], ".servicebus."), Log: slog.New(slog.DiscardHandler)}
	if s.Password != nil {
		c.Password = s.Secret("password", s.Password)
	}
	if s.bus, err = bus.Connect(c); err != nil {
		return err
	}
	if err := s.bus.Await(ctx); err != nil {
		return err
	}
	s.writer, err = s.bus.Writer()
	return err
}

// leave gives up the connection, and what it still holds: that is written again by the next one.
func (s *Sink) leave() {
	if s.writer != nil {
		s.writer.Close()
	}
	if s.bus != nil {
		s.bus.Close()
	}
	s.writer, s.bus = nil, nil
}

// dial connects to a broker.
func (s *Sink) dial(ctx context.Context, _, address string) (net.Conn, error) {
	if s.Plain {
		return s.Dial(ctx, address)
	}
	return s.DialTLS(ctx, address)
}

// show writes what would be written.
func (s *Sink) show(records []bus.Record) error {
	for i := range records {
		r := &records[i]
		text := fmt.Sprintf("topic %s, key %q\n", s.Topic, r.Key)
		for _, h := range r.Headers {
			text += fmt.Sprintf("%s: %s\n", h.Key, h.Value)
		}
		if _, err := fmt.Fprintf(s.env.Preview, "%s\n%s\n", text, r.Value); err != nil {
			return fmt.Errorf("show record: %w", err)
		}
	}
	return sinks.ErrPreview
}

// Probe implements sinks.Prober.
func (s *Sink) Probe(ctx context.Context) (ends time.Time, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	if s.bus == nil {
		defer s.leave()
	}
	if err := s.connected(ctx); err != nil {
		return ends, s.Fault("connect to Kafka", err)
	}
	return ends, nil
}
