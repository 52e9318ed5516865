package reference

import (
	order "cmp"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"noroshi/internal/config"
	"noroshi/internal/diag"
	"noroshi/rules"
	"noroshi/sinks"
	"noroshi/sinks/catalog"
)

// TestEveryKeyIsDescribed: each key that the configuration may hold stands in the table, and no other one does.
func TestEveryKeyIsDescribed(t *testing.T) {
	all, missing := shapes()
	for _, path := range missing {
		t.Errorf("%s is read, and entries in keys.go do not name it: add a line there", path)
	}
	for i := range entries {
		e := &entries[i]
		if known[e.path] != e {
			t.Errorf("%s stands in keys.go twice", e.path)
		}
		s := all[e]
		if s == nil {
			t.Errorf("%s stands in keys.go, and nothing reads it", e.path)
			continue
		}
		if s.Type == "" {
			t.Errorf("%s: its reader does not say what it expects; call Expect", e.path)
		}
		if words := len(strings.Fields(e.doc)); !strings.HasSuffix(e.doc, ".") || words > 25 {
			t.Errorf("%s: %q is no sentence of at most 25 words", e.path, e.doc)
		}
	}
}

// TestKeysOfAGroupAreTheSameEverywhere: what the page says of a group once is right for each place.
func TestKeysOfAGroupAreTheSameEverywhere(t *testing.T) {
	all, _ := shapes()
	for _, at := range flat() {
		if e := find(at.path); e != nil && !cmp.Equal(all[e].Form, at.shape.Form) {
			t.Errorf("%s is %+v, and %s says %+v", at.path, at.shape.Form, e.path, all[e].Form)
		}
	}
}

// TestThePageIsCurrent: docs/reference/configuration.md is what the readers expect.
func TestThePageIsCurrent(t *testing.T) {
	const path = "../../docs/reference/configuration.md"
	if os.Getenv("NOROSHI_UPDATE") != "" {
		if err := os.WriteFile(path, []byte(Page()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != Page() {
		t.Errorf("%s is not what the configuration is; NOROSHI_UPDATE=1 writes it anew: %v", path, err)
	}
}

// whole are the parts of a configuration that work, by the path of their keys: the keys that stand there, and what stands around.
var whole = map[string]struct {
	around string
	keys   []string
}{
	"kafka.":                 {"kafka: {%s}", nil},
	"sources[].file.":        {"sources: [{file: {%s}}]", []string{"paths: [a.ndjson]"}},
	"sources[].eventhub.":    {"sources: [{eventhub: {%s}}]", []string{"namespace: contoso.servicebus.windows.net", "hub: audit", "credential: {kind: default}"}},
	"sources[].o365.":        {"sources: [{o365: {%s}}]", []string{"tenant: 11112222-3333-4444-5555-666677778888", "credential: {kind: default}"}},
	"sources[].kafka.":       {"sources: [{kafka: {%s}}]", []string{"topic: audit"}},
	"credential.":            {"sources: [{eventhub: {namespace: contoso.servicebus.windows.net, hub: audit, credential: {%s}}}]", []string{"kind: default"}},
	"sasl.":                  {"sinks: [{name: a, kafka: {brokers: ['127.0.0.1:9092'], topic: audit, sasl: {%s}}}]", []string{"mechanism: plain", "user: noroshi", "password: '${env:KEY}'"}},
	"sinks[].":               {"sinks: [{file: {path: alerts.ndjson}, %s}]", []string{"name: a"}},
	"http.":                  {"sinks: [{name: a, alertmanager: {%s}}]", []string{"url: 'https://alerts.example.com/'"}},
	"watch.":                 {"watch: {%s}", nil},
	"admin.":                 {"admin: {%s}", []string{"listen: '127.0.0.1:9464'"}},
	"admin.tls.":             {"admin: {listen: '127.0.0.1:9464', tls: {%s}}", []string{"cert_file: ${CERT}", "key_file: ${CERT}"}},
	"exceptions[].":          {"exceptions: [{%s}]", []string{"rules: [all]", "when: 'true'", "because: we test", "owner: soc"}},
	"sinks[].alertmanager.":  {"sinks: [{name: a, alertmanager: {%s}}]", []string{"url: 'https://alerts.example.com/'"}},
	"sinks[].elasticsearch.": {"sinks: [{name: a, elasticsearch: {%s}}]", []string{"url: 'https://alerts.example.com/'"}},
	"sinks[].email.":         {"sinks: [{name: a, email: {%s}}]", []string{"address: 'mail.example.com:587'", "from: noroshi@example.com", "to: [soc@example.com]"}},
	"sinks[].file.":          {"sinks: [{name: a, file: {%s}}]", []string{"path: alerts.ndjson"}},
	"sinks[].heartbeat.":     {"sinks: [{name: a, heartbeat: {%s}}]", []string{"ping_url: '${env:URL}'"}},
	"sinks[].kafka.":         {"sinks: [{name: a, kafka: {%s}}]", []string{"brokers: ['127.0.0.1:9092']", "topic: audit"}},
	"sinks[].otlp.":          {"sinks: [{name: a, otlp: {%s}}]", []string{"url: 'https://alerts.example.com/'"}},
	"sinks[].pagerduty.":     {"sinks: [{name: a, pagerduty: {%s}}]", []string{"routing_key: '${env:KEY}'"}},
	"sinks[].sentinel.":      {"sinks: [{name: a, sentinel: {%s}}]", []string{"url: 'https://alerts.example.com/'", "rule_id: dcr-00000000000000000000000000000000", "credential: {kind: default}"}},
	"sinks[].slack.":         {"sinks: [{name: a, slack: {%s}}]", []string{"webhook_url: '${env:URL}'"}},
	"sinks[].splunk.":        {"sinks: [{name: a, splunk: {%s}}]", []string{"url: 'https://alerts.example.com/'", "token: '${env:KEY}'"}},
	"sinks[].syslog.":        {"sinks: [{name: a, syslog: {%s}}]", []string{"address: 'syslog.example.com:6514'"}},
	"sinks[].teams.":         {"sinks: [{name: a, teams: {%s}}]", []string{"workflow_url: '${env:URL}'"}},
	"telemetry.otlp.":        {"telemetry: {otlp: {%s}}", nil},
	"sinks[].webhook.":       {"sinks: [{name: a, webhook: {%s}}]", []string{"url: 'https://alerts.example.com/'", "secrets: ['${env:SIGN}']"}},
}

// made is what is made of a configuration.
type made struct {
	Config *config.Config
	Terms  []sinks.Terms
	Sinks  []sinks.Sink
}

// read reads a configuration with its sinks; wrong is what is wrong with it.
func read(t *testing.T, pair, text string) (m made, wrong []diag.Problem) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "noroshi.yaml")
	text = strings.ReplaceAll(text, "${CERT}", pair)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, d, wrong := config.Read(path, catalog.Kinds())
	if d.Root == nil {
		t.Fatalf("%s: %v", text, wrong)
	}
	env := catalog.Env{Env: sinks.Env{Now: time.Now, Log: slog.New(slog.DiscardHandler)}, Out: io.Discard, Folder: filepath.Dir(path), Prefix: "noroshi."}
	for _, s := range c.Sinks {
		if s.Node == nil {
			continue
		}
		m.Terms = append(m.Terms, catalog.Terms(d, s.Kind, s.Terms, env))
		made, err := catalog.All[s.Kind](d, s.Node, env)
		if err != nil {
			wrong = append(wrong, diag.Problem{Level: diag.Error, Message: err.Error()})
		}
		m.Sinks = append(m.Sinks, made)
	}
	if c.Exceptions != nil {
		_, more := rules.Load(rules.Options{Tuning: rules.Tuning{Doc: d, Exceptions: c.Exceptions}})
		wrong = append(wrong, more...)
	}
	c.Folder, c.Files = "", nil
	m.Config = c
	return m, append(wrong, d.Problems...)
}

// alike compares what was made, but for functions, places and what is different in each configuration.
var alike = cmp.Options{
	cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Format" }, cmp.Comparer(func(a, b any) bool {
		return order.Or(fmt.Sprint(a), "noroshi") == order.Or(fmt.Sprint(b), "noroshi") // the alert's own
	})),
	cmp.Exporter(func(reflect.Type) bool { return true }),
	cmp.FilterPath(func(p cmp.Path) bool { return p.Last().Type() != nil && p.Last().Type().Kind() == reflect.Func }, cmp.Ignore()),
	cmp.FilterPath(func(p cmp.Path) bool {
		name := p.Last().String()
		return slices.Contains([]string{".Node", ".At", ".fixed", ".Secrets", ".client", ".Client", ".Vault", ".channel", ".Terms", ".Data", ".Path", ".Paths"}, name)
	}, cmp.Ignore()),
}

var literal = regexp.MustCompile("^`([^`]+)`$")

// part is the part of a configuration in which a key stands.
func part(path string) (of string, key string) {
	i := strings.LastIndex(path, ".")
	return path[:i+1], path[i+1:]
}

func with(around string, keys []string, key, value string) string {
	keys = slices.DeleteFunc(slices.Clone(keys), func(k string) bool { return strings.HasPrefix(k, key+":") })
	if value != "" {
		keys = append(keys, key+": "+value)
	}
	return fmt.Sprintf(around, strings.Join(keys, ", "))
}

// certificate writes a certificate with its key to a file.
func certificate(t *testing.T) string {
	t.Helper()
	srv := httptest.NewTLSServer(nil)
	defer srv.Close()
	pair := srv.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "pair.pem")
	text := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})...)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestWhatHoldsWithoutAKey: the value that the page names changes nothing, and nothing works without a key that is needed.
func TestWhatHoldsWithoutAKey(t *testing.T) {
	t.Setenv("KEY", strings.Repeat("QUJD", 8))
	t.Setenv("SIGN", "whsec_"+strings.Repeat("QUJD", 8))
	t.Setenv("URL", "https://alerts.example.com/hook")
	pair := certificate(t)
	for _, base := range whole {
		if _, wrong := read(t, pair, fmt.Sprintf(base.around, strings.Join(base.keys, ", "))); diag.Errors(wrong) > 0 {
			t.Errorf("%s: %v", base.around, wrong)
		}
	}
	tried := 0
	for _, e := range entries {
		value := literal.FindStringSubmatch(e.without)
		if e.without != needed && value == nil {
			continue
		}
		of, key := part(e.path)
		base, is := whole[of]
		if !is {
			t.Errorf("no configuration works with %s; add one", e.path)
			continue
		}
		tried++
		if e.without == needed {
			if _, wrong := read(t, pair, with(base.around, base.keys, key, "")); diag.Errors(wrong) == 0 {
				t.Errorf("%s is said to be needed, and all is well without it", e.path)
			}
			continue
		}
		plain, wrong := read(t, pair, fmt.Sprintf(base.around, strings.Join(base.keys, ", ")))
		said, more := read(t, pair, with(base.around, base.keys, key, value[1]))
		if diff := cmp.Diff(plain, said, alike); diff != "" || len(wrong)+len(more) > 0 {
			t.Errorf("%s: %s is another thing than nothing: %s%v%v", e.path, value[1], diff, wrong, more)
		}
	}
	if tried < 60 {
		t.Errorf("tried %d keys", tried)
	}
}

// flat are all keys with their shapes.
func flat() (all []struct {
	path  string
	shape *shape
}) {
	walk(trace(), "", func(path string, s *shape) {
		all = append(all, struct {
			path  string
			shape *shape
		}{path, s})
	})
	return all
}
