package catalog

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/config"
	"noroshi/internal/diag"
	"noroshi/internal/kafkatest"
	"noroshi/internal/strictyaml"
	"noroshi/sinks"
	"noroshi/sinks/remote"
	"noroshi/sinks/sinktest"
)

// answers are what a destination says that takes everything, where it says something of its own.
var answers = map[string]string{"pagerduty": `{"status":"success"}`, "elasticsearch": `{"errors":false,"items":[{"create":{"status":201}}]}`, "slack": "ok", "splunk": `{"text":"Success","code":0}`}

var (
	example   = regexp.MustCompile("(?s)```yaml\n(.*?)```")
	reference = regexp.MustCompile(`\$\{file:([^}]+)\}`)
	hostPort  = regexp.MustCompile(`(?m)^( *)address: \S+$`)
	hidden    = regexp.MustCompile(`(?m)^( *)\w+_url: "\$\{file:[^}]+\}"$`) // an address that is a secret
	address   = regexp.MustCompile(`(?m)^( *)url: https://[^/\s]+(.*)$`)
)

// TestEveryPageHasAnExampleThatWorks: for each sink there is a page, whose first example is read, and delivers an alert to a destination
// that takes everything.
func TestEveryPageHasAnExampleThatWorks(t *testing.T) {
	index, err := os.ReadFile("../../docs/sinks.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range Kinds() {
		t.Run(kind, func(t *testing.T) {
			page, err := os.ReadFile("../../docs/sinks/" + kind + ".md")
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(index), "[`"+kind+"`](sinks/"+kind+".md)") {
				t.Error("docs/sinks.md does not lead to the page")
			}
			m := example.FindSubmatch(page)
			if m == nil {
				t.Fatal("the page has no example")
			}
			tryExample(t, kind, string(m[1]))
		})
	}
}

// destination is an address that takes everything over TLS, and what came.
func destination(t *testing.T, kind string) (srv *httptest.Server, got func() string) {
	var mu sync.Mutex
	var all bytes.Buffer
	srv = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body) // the test is about the sink
		mu.Lock()
		defer mu.Unlock()
		all.WriteString(r.Method)
		all.Write(b)
		if kind == "otlp" {
			w.Header().Set("Content-Type", "application/x-protobuf")
		}
		if kind == "sentinel" {
			w.WriteHeader(http.StatusNoContent)
		}
		_, _ = io.WriteString(w, answers[kind])
	}))
	t.Cleanup(srv.Close)
	return srv, func() string { mu.Lock(); defer mu.Unlock(); return all.String() }
}

// stream is an address that takes everything over TLS which is no HTTP, and whether something comes within a minute.
func stream(t *testing.T, conf *tls.Config) (address string, heard func() bool) {
	t.Helper()
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: conf.Certificates})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	came := make(chan bool, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		var b [1]byte
		_, err = c.Read(b[:])
		came <- err == nil
		_, _ = io.Copy(io.Discard, c) // until the sink has gone
	}()
	return l.Addr().String(), func() bool {
		select {
		case ok := <-came:
			return ok
		case <-time.After(time.Minute):
			return false
		}
	}
}

// inKafka is an example over a Kafka of the test's.
func inKafka(t *testing.T, text string, put func(name, text string)) string {
	c := kafkatest.Start(t, 1).Config()
	put("kafka.password", c.Password)
	for pattern, value := range map[string]string{`brokers: .*`: "brokers: [" + c.Brokers[0] + "]", `topic: .*`: "topic: " + c.Prefix + "alerts", `tls: .*`: "tls: false"} {
		text = regexp.MustCompile(pattern).ReplaceAllString(text, value)
	}
	return text
}

// tokens gives everybody the same token.
func tokens(token string) func(config.Credential) remote.Identity {
	return func(config.Credential) remote.Identity {
		return func(http.RoundTripper) (remote.Token, error) {
			return func(context.Context, string) (string, error) { return token, nil }, nil
		}
	}
}

func tryExample(t *testing.T, kind, text string) {
	srv, got := destination(t, kind)
	listener, heard := stream(t, srv.TLS)
	if kind == "email" {
		mails := sinktest.Mails(t, srv.TLS, nil)
		listener, heard = mails.Address, func() bool { return strings.Contains(mails.Got(), "An inbox rule hides mail") }
	}
	if kind == "kafka" {
		heard = func() bool { return true } // a broker has acknowledged it
	}
	var out bytes.Buffer
	env := Env{Env: sinks.Env{Now: time.Now, Log: slog.New(slog.DiscardHandler)}, Out: &out, Folder: t.TempDir(), Tokens: tokens("a token")}
	secret := map[string]string{"pagerduty": strings.Repeat("QUJD", 8)}[kind]
	if secret == "" {
		secret = "whsec_" + strings.Repeat("QUJD", 8)
	}
	for _, s := range made(t, kind, text, env, srv, listener, secret) {
		m := sinktest.Message(1)
		if err := s.Send(t.Context(), []sinks.Message{m}); err != nil {
			t.Fatal(err)
		}
		written, _ := os.ReadFile(filepath.Join(env.Folder, "alerts.ndjson")) // of the sink that writes one
		if all := got() + out.String() + string(written); all == "" && !heard() {
			t.Error("nothing has arrived")
		}
	}
}

// made makes the sinks of an example, which reach these destinations and hold this secret.
func made(t *testing.T, kind, text string, env Env, srv *httptest.Server, listener, secret string) (all []sinks.Sink) {
	t.Helper()
	put := func(name, text string) {
		if err := os.WriteFile(filepath.Join(env.Folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, m := range reference.FindAllStringSubmatch(text, -1) {
		if strings.HasSuffix(m[1], ".url") {
			put(m[1], srv.URL+"/"+secret+"\n")
		} else {
			put(m[1], secret+"\n")
		}
	}
	put("test-ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw})))
	text = address.ReplaceAllString(text, "${1}url: "+srv.URL+"${2}\n${1}ca_file: test-ca.pem\n${1}allow_private: true")
	text = hidden.ReplaceAllString(text, "${0}\n${1}ca_file: test-ca.pem\n${1}allow_private: true")
	text = hostPort.ReplaceAllString(text, "${1}address: "+listener+"\n${1}ca_file: test-ca.pem\n${1}allow_private: true")
	if kind == "kafka" {
		text = inKafka(t, text, put)
	}
	put("noroshi.yaml", text)
	conf, doc, problems := config.Read(filepath.Join(env.Folder, "noroshi.yaml"), Kinds())
	for _, one := range conf.Sinks {
		if one.Kind != kind {
			t.Errorf("the example is of %s", one.Kind)
			continue
		}
		s, err := All[kind](doc, one.Node, env)
		if err != nil || diag.Errors(append(problems, doc.Problems...)) > 0 {
			t.Fatalf("%v, %v, %v", err, problems, doc.Problems)
		}
		all = append(all, s)
	}
	if len(conf.Sinks) == 0 {
		t.Error("the example has no sink")
	}
	return all
}

// TestWants: an alert must satisfy each key that is there.
func TestWants(t *testing.T) {
	m := sinks.Message{Severity: "medium", Rule: "r", Class: "hiding"}
	for text, want := range map[string]string{"{}": "true", "{min_severity: low}": "true", "{min_severity: high}": "false", "{rules: [q, r]}": "true", "{rules: [q]}": "false", "{classes: [hiding]}": "true", "{classes: [access]}": "false",
		"{min_severity: low, rules: [r], classes: [access]}": "false", "{min_severity: bad}": "severity", "{classes: [bad]}": "class", "{rules: []}": "value", "{classes: []}": "value", "{rules: x}": "type"} {
		d := strictyaml.Parse("f", []byte(text))
		keys := map[string]*yaml.Node{}
		for i := 0; i+1 < len(d.Root.Content); i += 2 {
			keys[d.Root.Content[i].Value] = d.Root.Content[i+1]
		}
		terms, got := Terms(d, "file", keys, Env{}), ""
		if len(d.Problems) > 0 {
			got = d.Problems[0].Code
		} else {
			got = fmt.Sprint(terms.Wants(&m))
		}
		if got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
		if beat := (sinks.Message{Tenant: "noroshi-heartbeat", Severity: "critical", Rule: "r", Class: "hiding"}); terms.Wants(&beat) {
			t.Errorf("%s: heartbeats are told", text)
		}
	}
}

// TestTerms: how a sink is delivered to, whatever its kind.
func TestTerms(t *testing.T) {
	t.Setenv("KEY", "a secret of some length")
	t.Setenv("SHORT", "short")
	for text, want := range map[string]string{
		"file {}":                             "0s 0s [] []",
		"webhook {}":                          "1h0m0s 0s [] []",
		"slack {}":                            "1h0m0s 1s [] []",
		"slack {max_age: 2h, rate: 30/m}":     "2h0m0s 2s [] []",
		"file {max_age: 1d, rate: 10/s}":      "24h0m0s 100ms [] []",
		"file {max_age: 1s}":                  "max_age is at least a minute",
		"file {rate: 0/s}":                    "expected alerts a second",
		"file {rate: 5}":                      "expected alerts a second",
		"file {redact: [source.ip, account]}": "0s 0s [source.ip account] []",
		"file {redact: [inbox_rule.name]}":    "0s 0s [inbox_rule.name] []",
		"file {redact: [evidence.facts]}":     "0s 0s [evidence.facts] []",
		"file {redact: [acount]}":             "did you mean account?",
		"file {redact: [severity]}":           "no alert can be delivered without severity",
		"file {redact: [rule]}":               "no alert can be delivered without rule",
		"file {redact: account}":              "expected a list of names",
		"file {redact: []}":                   "redact names nothing",
		"file {redact: {}}":                   "redact names nothing",
		"file {redact: {account: hash}}":      "hash needs redact_key",
		"file {redact: {account: what}}":      "leave_out",
		"file {redact_key: \"${env:KEY}\"}":   "redact_key needs the key redact",
		"file {redact: {account: hash}, redact_key: \"${env:SHORT}\"}":                     "less than 16 characters",
		"file {redact: {account: hash}, redact_key: KEY}":                                  "a secret is a reference",
		"file {redact: {account: hash, source.ip: leave_out}, redact_key: \"${env:KEY}\"}": "0s 0s [source.ip] [account]",
	} {
		kind, text, _ := strings.Cut(text, " ")
		d := strictyaml.ParsePrivate("f", []byte(text), "redact_key")
		keys := map[string]*yaml.Node{}
		for i := 0; i+1 < len(d.Root.Content); i += 2 {
			keys[d.Root.Content[i].Value] = d.Root.Content[i+1]
		}
		terms := Terms(d, kind, keys, Env{})
		got := ""
		if r := terms.Redact; r != nil {
			got = fmt.Sprint(terms.MaxAge, terms.Every, r.Leave, r.Hash)
		} else {
			got = fmt.Sprint(terms.MaxAge, terms.Every, []string{}, []string{})
		}
		if len(d.Problems) > 0 {
			got = d.Problems[0].Message
		}
		if !strings.Contains(got, want) {
			t.Errorf("%s %s: %s, want %s", kind, text, got, want)
		}
	}
}

// TestNoSinkWritesWhereAlertsAreReadFrom: a topic of ours would come round again.
func TestNoSinkWritesWhereAlertsAreReadFrom(t *testing.T) {
	for topic, want := range map[string]int{"noroshi.alerts": 1, "noroshi.events": 1, "alerts": 0, "noroshi.soc": 0} {
		d := strictyaml.Parse("f", []byte("{brokers: ['kafka.example.com:9093'], topic: "+topic+"}"))
		_, err := All["kafka"](d, d.Root, Env{Prefix: "noroshi."})
		if err != nil || len(d.Problems) != want {
			t.Errorf("%s: %v, %v", topic, d.Problems, err)
		}
	}
}
