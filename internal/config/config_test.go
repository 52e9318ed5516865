package config

import (
	"encoding/pem"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"noroshi/internal/diag"
)

// certificate is one that anybody may see.
var certificate = func() string {
	s := httptest.NewTLSServer(nil)
	defer s.Close()
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}))
}()

func read(t *testing.T, text string) (*Config, string) {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{"noroshi.yaml": text, "key": "hush\n", "empty": "", "ca.pem": certificate, "c.pem": certificate} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, _, ps := Read(filepath.Join(dir, "noroshi.yaml"), []string{"stdout", "file"})
	diag.Sort(ps)
	var b strings.Builder
	for _, p := range ps {
		b.WriteString(strings.TrimPrefix(p.Format(), dir+"/") + "\n")
	}
	return c, b.String()
}

func TestAWholeConfiguration(t *testing.T) {
	t.Setenv("NOROSHI_TEST_PASSWORD", "whisper")
	c, problems := read(t, `
kafka: {brokers: [k1:9092], prefix: n., partitions: 8, cap_mib: 128, tls: true, sasl: {mechanism: scram-sha-512, user: u, password: "${env:NOROSHI_TEST_PASSWORD}"}}
sources: [{file: {paths: ["a/*.ndjson", /var/log/b], follow: false, poll: 2s}}]
rules: [mine]
lists: {vip: [taro@contoso.example]}
sinks: [{name: out, reads: alerts, stdout: {}}]
`)
	if problems != "" {
		t.Fatal(problems)
	}
	k := c.Kafka
	if k.Brokers[0] != "k1:9092" || k.Prefix != "n." || k.Partitions != 8 || k.Cap != 128<<20 || !k.TLS || k.Mechanism != "scram-sha-512" || k.Password != "whisper" || !k.Sync {
		t.Errorf("kafka is %+v", k)
	}
	f := c.Sources[0].File
	if f.Paths[0] != filepath.Join(c.Folder, "a/*.ndjson") || f.Paths[1] != "/var/log/b" || f.Follow || f.Poll != 2*time.Second {
		t.Errorf("the source is %+v", f)
	}
	if c.Rules[0] != filepath.Join(c.Folder, "mine") || !c.Lists["vip"].Has("TARO@contoso.example") || c.Sinks[0].Name != "out" || c.Sinks[0].Kind != "stdout" {
		t.Errorf("the rest is %+v", c)
	}
}

func TestEveryMistakeIsToldAtOnce(t *testing.T) {
	_, problems := read(t, `kafka: {partitions: 0, sasl: {password: hush}}
sources: [{file: {path: x}}, {fil: {}}]
sinks: [{name: A B, stdout: {}}, {name: a, stdout: {}, file: {}}, {name: a}]
lists: {vip: 7}
routes: []
`)
	for _, want := range []string{
		"noroshi.yaml:1:21: kafka.partitions: the number lies outside 1 to 256 [value]",
		"noroshi.yaml:1:41: kafka.sasl.password: a secret is a reference, ${file:path} or ${env:NAME}, never a value [secret]\n",
		`noroshi.yaml:2:19: sources[0].file: no key "path" here; did you mean "paths"? [key]`,
		`noroshi.yaml:2:31: sources[1]: no key "fil" here; did you mean "file"? [key]`,
		`noroshi.yaml:3:16: sinks[0].name: the name of a sink is`,
		"the sink is a stdout already; make it two sinks [value]",
		`3:74: sinks[2].name: the name is taken`,
		"a sink needs one of the keys stdout, file [missing]",
		"noroshi.yaml:4:",
		`noroshi.yaml:5:1: no key "routes" here`,
	} {
		if !strings.Contains(problems, want) {
			t.Errorf("%q is not in\n%s", want, problems)
		}
	}
	if strings.Contains(problems, "hush") {
		t.Error("the secret is shown")
	}
}

func TestSecretsComeFromFilesAndTheEnvironment(t *testing.T) {
	for ref, want := range map[string]string{"${file:key}": "", "${file:gone}": "the secret cannot be read", "${file:empty}": "is empty", "${env:NOROSHI_NOT_SET}": "the environment has no such variable"} {
		c, problems := read(t, `kafka: {sasl: {password: "`+ref+`"}}`)
		if want == "" && (problems != "" || c.Kafka.Password != "hush") || !strings.Contains(problems, want) {
			t.Errorf("%s: %q, %s", ref, c.Kafka.Password, problems)
		}
	}
}

func TestStreams(t *testing.T) {
	t.Setenv("NOROSHI_TEST_CONNECTION", "Endpoint=sb://contoso.servicebus.windows.net/;SharedAccessKeyName=n;SharedAccessKey=k")
	c, problems := read(t, `
kafka: {transactions: false, sync: false}
sources:
  - eventhub: {name: entra, connection_string: "${env:NOROSHI_TEST_CONNECTION}", hub: audit, consumer_group: noroshi, start: latest, tenants: [t-1, t-2], transport: websocket, endpoint: 192.0.2.1, ca_file: ca.pem}
  - eventhub: {namespace: contoso.servicebus.usgovcloudapi.net, hub: defender, start: "2026-01-02T03:04:05+09:00", proxy: "http://proxy.example.com:3128", credential: {kind: certificate, cloud: government, tenant: t, client: c, certificate: c.pem, password: "${file:key}"}}
  - kafka: {name: other, topic: audit, brokers: [k2:9092], tls: true, sasl: {mechanism: plain, user: u, password: "${file:key}"}, start: earliest, tenants: [t-3]}
  - kafka: {topic: insights, connection_string: "${env:NOROSHI_TEST_CONNECTION}"}
`)
	if problems != "" {
		t.Fatal(problems)
	}
	a, b, other, insights := c.Sources[0].EventHub, c.Sources[1].EventHub, c.Sources[2].Topic, c.Sources[3].Topic
	if c.Kafka.Transactions || c.Kafka.Sync || a.Name != "entra" || !strings.HasSuffix(a.ConnectionString, "SharedAccessKey=k") || a.Hub != "audit" || a.ConsumerGroup != "noroshi" || !a.Latest || len(a.Tenants) != 2 || !a.WebSocket ||
		a.Endpoint != "192.0.2.1" || a.CAFile != filepath.Join(c.Folder, "ca.pem") {
		t.Errorf("the first is %+v", a)
	}
	if b.Namespace != "contoso.servicebus.usgovcloudapi.net" || b.Latest || !b.Since.Equal(time.Date(2026, 1, 1, 18, 4, 5, 0, time.UTC)) || b.Proxy == "" || !b.WebSocket ||
		b.Credential != (Credential{Kind: "certificate", Cloud: "government", Tenant: "t", Client: "c", Certificate: filepath.Join(c.Folder, "c.pem"), Password: "hush"}) {
		t.Errorf("the second is %+v", b)
	}
	if other.Name != "other" || other.Topic != "audit" || other.Kafka.Brokers[0] != "k2:9092" || !other.Kafka.TLS || other.Kafka.Mechanism != "plain" || other.Kafka.Password != "hush" || other.Tenants[0] != "t-3" {
		t.Errorf("the third is %+v", other)
	}
	if insights.EventHubs.ConnectionString == "" {
		t.Errorf("the fourth is %+v", insights)
	}
}

func TestMistakesInCredentials(t *testing.T) {
	for credential, want := range map[string]string{
		`{kind: client_secret, tenant: t, client: c}`:        "noroshi.yaml:2:64: sources[0].eventhub.credential: a credential of kind client_secret needs the key secret [missing]",
		`{kind: certificate}`:                                "noroshi.yaml:2:64: sources[0].eventhub.credential: a credential of kind certificate needs the key tenant, client, certificate [missing]",
		`{kind: default, client: c}`:                         "noroshi.yaml:2:80: sources[0].eventhub.credential: a credential of kind default does not use client; it uses tenant [key]",
		`{kind: managed_identity, client: c, token_file: f}`: "noroshi.yaml:2:100: sources[0].eventhub.credential: a credential of kind managed_identity does not use token_file; it uses client [key]",
		`{kind: password, secret: "${file:key}"}`:            `credential.kind: the text is none of`,
		`{kind: certificate, cloud: china, tenant: t, client: c, certificate: c.pem, password: "${file:key}"}`: "",
		`{kind: workload_identity}`: "",
	} {
		_, problems := read(t, "sources:\n  - eventhub: {namespace: contoso.example, hub: h, credential: "+credential+"}\n")
		if want == "" && problems != "" || !strings.Contains(problems, want) || strings.Count(problems, "noroshi.yaml:") > 1 {
			t.Errorf("%s: %s", credential, problems)
		}
	}
}

func TestMistakesInStreams(t *testing.T) {
	_, problems := read(t, `sources:
  - eventhub: {connection_string: "Endpoint=sb://x/;SharedAccessKey=open"}
  - eventhub: {connection_string: "${file:key}", credential: {kind: password}}
  - eventhub: {start: yesterday, credential: {tenant: t}}
  - eventhub: {transport: pigeon}
  - kafka: {}
  - kafka: {topic: t, namespace: n}
  - kafka: {topic: t, connection_string: "${file:key}", sasl: {mechanism: plain}}
  - {file: {paths: [a]}, kafka: {topic: t}}
  - kafka: {topic: t, tls: true}
`)
	for _, want := range []string{"noroshi.yaml:2:", "never a value", "noroshi.yaml:3:", "noroshi.yaml:4:", "expected latest, earliest or a time", "a credential needs the key kind", "noroshi.yaml:5:", "websocket",
		"noroshi.yaml:6:", "a kafka source needs the key topic", "noroshi.yaml:7:", "a namespace needs the key credential", "noroshi.yaml:8:", "exclude each other", "noroshi.yaml:9:", "make it two sources", "noroshi.yaml:10:", "go with the key brokers"} {
		if !strings.Contains(problems, want) {
			t.Errorf("nothing says %q", want)
		}
	}
	if strings.Contains(problems, "open") {
		t.Errorf("a key is shown")
	}
	if t.Failed() {
		t.Log(problems)
	}
}
