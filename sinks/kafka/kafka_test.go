package kafka

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/bus"
	"noroshi/internal/kafkatest"
	"noroshi/internal/strictyaml"
	"noroshi/sinks"
	"noroshi/sinks/format"
	"noroshi/sinks/remote"
	"noroshi/sinks/sinktest"
)

const topic = "test.alerts" // it is there

// to is a sink that writes to a Kafka.
func to(t *testing.T, c bus.Config, change func(*Config)) *Sink {
	t.Helper()
	conf := Config{Brokers: c.Brokers, Topic: topic, Format: format.Noroshi, Plain: !c.TLS, Timeout: time.Minute, Mechanism: c.Mechanism, User: c.User, Password: remote.Fixed(c.Password)}
	conf.AllowPrivate, conf.CAFile = true, c.CAFile
	if change != nil {
		change(&conf)
	}
	s, err := New(conf, sinktest.Env())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.leave)
	return s
}

// kind is what an error means.
func kind(err error) string {
	var refused *sinks.Refused
	var fault *sinks.Fault
	switch {
	case err == nil:
		return "taken"
	case errors.As(err, &refused):
		return "refused"
	case errors.As(err, &fault):
		return "again"
	}
	return "unknown"
}

// arrived are the records of the topic, by their ids, and those of each account in their order.
func arrived(t *testing.T, b *bus.Bus) (byID map[string]bus.Record, order map[string][]string) {
	t.Helper()
	byID, order = map[string]bus.Record{}, map[string][]string{}
	places := map[string]int32{}
	if err := b.All(t.Context(), bus.Alerts, func(r bus.Record) error {
		if at, seen := places[string(r.Key)]; seen && at != r.Partition {
			t.Errorf("records of %s lie in two partitions", r.Key)
		}
		places[string(r.Key)] = r.Partition
		byID[r.Header("noroshi-id")] = r
		order[string(r.Key)] = append(order[string(r.Key)], r.Header("noroshi-id"))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return byID, order
}

// deliver proves that alerts arrive whole, under their accounts and in order.
func deliver(t *testing.T, s *Sink, b *bus.Bus) {
	t.Helper()
	var all []sinks.Message
	for n := range 200 {
		m := sinktest.Message(n)
		m.Account = sinktest.Message(n % 7).Account
		all = append(all, m)
	}
	all = append(all, sinktest.Hostile()...)
	if err := s.Send(t.Context(), nil); err != nil {
		t.Error(err)
	}
	for _, some := range [][]sinks.Message{all[:1], all[1:100], all[100:]} {
		if err := s.Send(t.Context(), some); err != nil {
			t.Fatal(err)
		}
	}
	byID, order := arrived(t, b)
	next := map[string]int{}
	for _, m := range all {
		r := byID[m.Key()]
		key := m.Account
		if key == "" {
			key = m.ID
		}
		if string(r.Key) != key || !bytes.Equal(r.Value, m.Body) || r.Header("noroshi-alert") != m.ID || r.Header("noroshi-revision") != "1" || r.Header("noroshi-severity") != "high" || r.Header("content-type") != "application/json" {
			t.Errorf("%s arrived as %.300q under %q", m.Key(), r.Value, r.Key)
		}
		if at := next[key]; len(order[key]) <= at || order[key][at] != m.Key() {
			t.Errorf("%s is not in its place", m.Key())
		}
		next[key]++
	}
}

// TestTheEmbeddedKafka asks for a user, as others do.
func TestTheEmbeddedKafka(t *testing.T) {
	b := kafkatest.Start(t, 4)
	deliver(t, to(t, b.Config(), nil), b)
	tooLarge(t, b)
	refusals(t, b)
}

// TestAnApacheKafka is the same over TLS, with each mechanism. It takes a minute to start: make soak.
func TestAnApacheKafka(t *testing.T) {
	if os.Getenv("NOROSHI_SOAK") == "" {
		t.Skip("an Apache Kafka takes long to start: make soak")
	}
	broker := kafkatest.Apache(t)
	for _, mechanism := range []string{"plain", "scram-sha-256", "scram-sha-512"} {
		prefix := mechanism + "."
		b, err := bus.Connect(broker.Config(prefix, 4))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(b.Close)
		if err := b.Ensure(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		deliver(t, to(t, broker.SecureConfig(prefix, 4, mechanism, nil), func(c *Config) { c.Topic = prefix + "alerts" }), b)
	}
}

// tooLarge: what a broker refuses for its size is refused alone.
func tooLarge(t *testing.T, b *bus.Bus) {
	t.Helper()
	all := []sinks.Message{sinktest.Message(301), sinktest.Message(302), sinktest.Message(303)}
	all[1].Body = append(append([]byte(`{"x":"`), bytes.Repeat([]byte("x"), 9<<20)...), `"}`...)
	s := to(t, b.Config(), nil)
	var verdicts sinks.Verdicts
	if err := s.Send(t.Context(), all); !errors.As(err, &verdicts) || kind(verdicts[0])+kind(verdicts[1])+kind(verdicts[2]) != "takenrefusedtaken" {
		t.Errorf("%T %v", err, err)
	}
	if err := s.Send(t.Context(), all[1:2]); kind(err) != "refused" {
		t.Errorf("alone: %v", err)
	}
	byID, _ := arrived(t, b)
	if byID[all[0].Key()].Value == nil || byID[all[1].Key()].Value != nil || byID[all[2].Key()].Value == nil {
		t.Error("the alerts beside one that is too large have not arrived")
	}
}

// refusals: what is wrong with topic, user or broker pauses the sink, is told in words, and is mended while it runs.
func refusals(t *testing.T, b *bus.Bus) {
	t.Helper()
	one := []sinks.Message{sinktest.Message(400)}
	word := "wr0ng-passw0rd"
	quick := func(c *Config) { c.Timeout = time.Second } // what may be over by itself is tried until then
	pair, ca, _ := sinktest.Certificate(t, time.Now().Add(24*time.Hour), "elsewhere.example.com")
	cases := map[string]struct {
		change func(*Config)
		says   string
	}{
		"no such topic":              {func(c *Config) { c.Topic = "nowhere" }, "there is no such topic"},
		"a wrong password":           {func(c *Config) { quick(c); c.Password = remote.Fixed(word) }, ""},
		"no user":                    {func(c *Config) { quick(c); c.Mechanism, c.Password = "", nil }, ""},
		"nobody listens":             {func(c *Config) { quick(c); c.Brokers = []string{"127.0.0.1:1"} }, ""},
		"TLS to a broker without it": {func(c *Config) { quick(c); c.CAFile = ca }, ""},
		"another name":               {func(c *Config) { c.Brokers, c.CAFile = []string{secured(t, pair)}, ca }, "another name"},
	}
	if hole, made := sinktest.Hole(t); made {
		cases["no connection ever"] = struct {
			change func(*Config)
			says   string
		}{func(c *Config) { quick(c); c.Brokers = []string{hole} }, ""}
	}
	for name, row := range cases {
		err := to(t, b.Config(), row.change).Send(t.Context(), one)
		if kind(err) != "again" || !strings.Contains(err.Error(), row.says) || strings.Contains(err.Error(), word) {
			t.Errorf("%s: %v, want %q", name, err, row.says)
		}
	}
	right := b.Config().Password
	now := word
	s := to(t, b.Config(), func(c *Config) { quick(c); c.Password = func() (string, error) { return now, nil } })
	if err := s.Send(t.Context(), one); kind(err) != "again" {
		t.Errorf("before the password is right: %v", err)
	}
	now, s.Timeout = right, time.Minute
	if err := s.Send(t.Context(), one); err != nil {
		t.Errorf("after the password is right: %v", err)
	}
}

// secured is an address that speaks TLS.
func secured(t *testing.T, pair tls.Certificate) string {
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{pair}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func(c net.Conn) {
				defer c.Close()
				_, _ = c.Read(make([]byte, 1)) // the handshake
			}(c)
		}
	}()
	return l.Addr().String()
}

// TestPreview shows records.
func TestPreview(t *testing.T) {
	var b bytes.Buffer
	s, err := New(Config{Brokers: []string{"kafka.example.com:9092"}, Topic: "soc", Format: format.Noroshi}, sinks.Env{Now: time.Now, Preview: &b})
	if err != nil {
		t.Fatal(err)
	}
	err = s.Send(context.Background(), []sinks.Message{sinktest.Message(1)})
	if text := b.String(); !errors.Is(err, sinks.ErrPreview) || !strings.HasPrefix(text, "topic soc, key \"taro1@contoso.example\"\ncontent-type: application/json\nnoroshi-id: alrt_") || !strings.Contains(text, "請求書") {
		t.Errorf("%v\n%s", err, text)
	}
}

// TestWhatIsRefused of a configuration.
func TestWhatIsRefused(t *testing.T) {
	const good = "brokers: ['kafka.example.com:9093'], topic: soc"
	for text, want := range map[string]string{
		"{" + good + "}": "",
		"{" + good + ", tls: true, sasl: {mechanism: scram-sha-512, user: a, password: b}, format: ecs}": "",
		"{topic: soc}":                                                                 "brokers is missing",
		"{brokers: ['kafka.example.com:9093']}":                                        "topic is the name",
		"{brokers: ['kafka.example.com:9093'], topic: 'a b'}":                          "topic is the name",
		"{brokers: ['kafka.example.com:9093'], topic: '..'}":                           "topic is the name",
		"{" + good + ", sasl: {mechanism: gssapi}}":                                    "none of plain, scram-sha-256, scram-sha-512",
		"{" + good + ", sasl: {mechanism: plain}}":                                     "needs the keys mechanism, user and password",
		"{" + good + ", timeout: 2m}":                                                  "100ms to 1m",
		"{brokers: ['169.254.169.254:9092'], topic: soc}":                              "credentials",
		"{brokers: ['a.example.com', '10.0.0.1:1'], topic: soc, allow_private: false}": "allow_private",
		"{" + good + ", format: cef}":                                                  "none of noroshi, ecs, ocsf",
	} {
		d := strictyaml.Parse("f", []byte(text))
		Read(remote.Reader{Doc: d, Secret: sinktest.Secret, Hosts: func(n *yaml.Node) []string { return d.Texts(n) }}, d.Root)
		got := ""
		for _, p := range d.Problems {
			got += p.Message
		}
		if (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
	if !Own("alerts") || Own("soc") {
		t.Error("Noroshi's own topics are not known")
	}
}
