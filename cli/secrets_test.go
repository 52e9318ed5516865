package cli

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"noroshi/internal/diag"
)

// planted is a secret as a word, as text and as part of an address: it must be nowhere.
const planted = "Hunter2-Correct_Horse9"

// secretKeys are the keys that hold secrets, at every level, and some that do not, where somebody may put one. - begins an item
// of a list.
var secretKeys = []string{
	"password", "kafka/password", "kafka/sasl/password", "kafka/sasl/user", "kafka/sasl/mechanism", "kafka/sasl", "kafka", "kafka/partitions", "kafka/brokers", "sources", "sinks", "lists", "lists/vip", "lists/directory", "secret",
	"sources/-/eventhub/connection_string", "sources/-/eventhub/credential/secret", "sources/-/eventhub/credential/password", "sources/-/eventhub/credential/kind", "sources/-/eventhub/credential", "sources/-/eventhub/proxy",
	"sources/-/eventhub/start", "sources/-/eventhub/transport", "sources/-/eventhub/hub", "sources/-/eventhub", "sources/-/kafka/connection_string", "sources/-/kafka/sasl/password", "sources/-/kafka/credential/secret", "sources/-/file/poll", "sources/-/file/follow",
	"sources/-/o365", "sources/-/o365/name", "sources/-/o365/tenant", "sources/-/o365/content", "sources/-/o365/content/-", "sources/-/o365/cloud", "sources/-/o365/publisher", "sources/-/o365/start", "sources/-/o365/backfill", "sources/-/o365/poll",
	"sources/-/o365/quota", "sources/-/o365/proxy", "sources/-/o365/endpoint", "sources/-/o365/ca_file", "sources/-/o365/credential", "sources/-/o365/credential/kind", "sources/-/o365/credential/cloud", "sources/-/o365/credential/tenant",
	"sources/-/o365/credential/client", "sources/-/o365/credential/secret", "sources/-/o365/credential/password", "sources/-/o365/credential/certificate", "sources/-/o365/credential/token_file",
	"sinks/-/name", "sinks/-/password", "sinks/-/webhook", "sinks/-/webhook/secrets", "sinks/-/webhook/secrets/-", "sinks/-/webhook/headers", "sinks/-/webhook/headers/Authorization", "sinks/-/webhook/url", "sinks/-/webhook/ca_file/x",
	"kafka/ca_file", "kafka/prefix", "kafka/data", "kafka/cap_mib", "kafka/tls", "kafka/sync", "kafka/transactions", "rules", "lists/accepted_domains", "kafka/brokers/-",
	"sources/-/file/paths", "sources/-/file/paths/-", "sources/-/eventhub/name", "sources/-/eventhub/namespace", "sources/-/eventhub/consumer_group", "sources/-/eventhub/endpoint", "sources/-/eventhub/ca_file", "sources/-/eventhub/tenants",
	"sources/-/eventhub/credential/cloud", "sources/-/eventhub/credential/tenant", "sources/-/eventhub/credential/client", "sources/-/eventhub/credential/certificate", "sources/-/eventhub/credential/token_file",
	"sources/-/kafka", "sources/-/kafka/name", "sources/-/kafka/topic", "sources/-/kafka/start", "sources/-/kafka/tenants", "sources/-/kafka/brokers", "sources/-/kafka/tls", "sources/-/kafka/ca_file", "sources/-/kafka/sasl", "sources/-/kafka/sasl/user", "sources/-/kafka/namespace", "sources/-/kafka/credential",
	"sinks/-/reads", "sinks/-/webhook/allow_private", "sinks/-/webhook/ca_file", "sinks/-/file/path", "sinks/-/stdout",
	"sinks/-/webhook/allow_http", "sinks/-/file/keep", "sinks/-/stdout/token", "sinks/-/min_severity", "sinks/-/rules", "sinks/-/classes", "sinks/-/max_age", "sinks/-/rate", "sinks/-/redact", "sinks/-/redact/-", "sinks/-/redact_key",
	"sinks/-/slack", "sinks/-/slack/webhook_url", "sinks/-/slack/token", "sinks/-/slack/channel", "sinks/-/slack/api_url", "sinks/-/slack/templates/title", "sinks/-/slack/templates/link", "sinks/-/teams", "sinks/-/teams/workflow_url", "sinks/-/teams/templates",
	"sinks/-/heartbeat", "sinks/-/heartbeat/ping_url", "sinks/-/heartbeat/every", "sinks/-/alertmanager", "sinks/-/alertmanager/url", "sinks/-/alertmanager/headers", "sinks/-/alertmanager/headers/Authorization", "sinks/-/alertmanager/keep",
	"sinks/-/splunk", "sinks/-/splunk/token", "sinks/-/splunk/url", "sinks/-/splunk/proxy", "sinks/-/splunk/index", "sinks/-/splunk/cert_file", "sinks/-/splunk/timeout", "sinks/-/splunk/format",
	"sinks/-/elasticsearch/password", "sinks/-/elasticsearch/api_key", "sinks/-/elasticsearch/user", "sinks/-/elasticsearch/index", "sinks/-/elasticsearch/headers", "sinks/-/pagerduty", "sinks/-/pagerduty/routing_key", "sinks/-/pagerduty/url", "sinks/-/syslog", "sinks/-/email", "sinks/-/email/password", "sinks/-/email/user", "sinks/-/email/address", "sinks/-/email/from", "sinks/-/email/to", "sinks/-/email/to/-", "sinks/-/email/tls", "sinks/-/email/credential", "sinks/-/email/credential/secret",
	"sinks/-/kafka", "sinks/-/kafka/sasl", "sinks/-/kafka/sasl/password", "sinks/-/kafka/sasl/user", "sinks/-/kafka/sasl/mechanism", "sinks/-/kafka/brokers", "sinks/-/kafka/brokers/-", "sinks/-/kafka/topic",
	"sinks/-/sentinel", "sinks/-/sentinel/url", "sinks/-/sentinel/rule_id", "sinks/-/sentinel/stream", "sinks/-/sentinel/credential", "sinks/-/sentinel/credential/kind", "sinks/-/sentinel/credential/secret", "sinks/-/sentinel/credential/password",
	"sinks/-/otlp", "sinks/-/otlp/url", "sinks/-/otlp/headers", "sinks/-/otlp/headers/X-Api-Key", "sinks/-/otlp/protocol", "sinks/-/syslog/address", "sinks/-/syslog/key_file", "sinks/-/syslog/host", "sinks/-/syslog/framing",
	"telemetry", "telemetry/otlp", "telemetry/otlp/endpoint", "telemetry/otlp/protocol", "telemetry/otlp/headers", "telemetry/otlp/headers/Authorization", "telemetry/otlp/ca_file", "telemetry/otlp/interval", "telemetry/otlp/sample_percent", "telemetry/logs/level",
}

// mistakes write a key with a secret beside it in a wrong way. KEY and SECRET are put in.
var mistakes = map[string]string{
	"a value": "KEY: SECRET", "in quotes": `KEY: "SECRET"`, "a list": "KEY: [SECRET]", "a mapping": "KEY: {SECRET: x}", "in a mapping": "KEY: {user: SECRET}", "a key without value": "KEY: {SECRET}", "doubled": "KEY: SECRET\nKEY: SECRET",
	"doubled below": "KEY: {SECRET: 1, SECRET: 2}", "an anchor": "KEY: &a SECRET", "the name of an anchor": "KEY: &SECRET x", "an alias": "KEY: *SECRET", "a tag": "KEY: !t SECRET", "the name of a tag": "KEY: !SECRET x", "another tag": "KEY: !!int SECRET",
	"a broken tag": "KEY: !<SECRET x", "a merge": "KEY: {<<: SECRET}", "unknown beside": "KEY: SECRET\nKEYZ: SECRET", "no quote at the end": `KEY: "SECRET`, "two colons": "KEY: SECRET: x", "an open list": "KEY: [SECRET", "an open mapping": "KEY: {a: SECRET",
	"no blank": "KEY:SECRET", "no colon": "KEY SECRET", "a tab": "\tKEY: SECRET", "an odd beginning": "KEY: @SECRET", "an odder one": "KEY: %SECRET", "a block": "KEY: |\n  SECRET\n    SECRET\n SECRET", "as a key": "SECRET: KEY", "alone": "SECRET",
	"a control character": "KEY: SECRET\x01", "not UTF-8": "KEY: SECRET\xff", "a second document": "KEY: SECRET\n---\nKEY: SECRET", "an escape": `KEY: "SECRET\q"`, "as a variable": "KEY: ${env:SECRET}", "as a file": `KEY: "${file:SECRET}"`, "as another reference": "KEY: ${vault:SECRET}",
	"an address": "KEY: https://bob:SECRET@soc.example.com:1x/SECRET?token=SECRET", "a good address": "KEY: https://bob:SECRET@soc.example.com/SECRET?token=SECRET", "a connection string": "KEY: Endpoint=sb://SECRET.example.com/;SharedAccessKey=SECRET", "a long line": "KEY: " + strings.Repeat("x", 200) + "SECRET",
	"a comment": "KEY: # SECRET", "a list in lines": "KEY:\n  - SECRET\n  - a: SECRET\n - SECRET", "a number": "KEY: 0xSECRET", "nothing, then text": "KEY:\nSECRET",
}

// planting writes a configuration with a mistake at a key, in lines or in one line.
func planting(path, mistake string, oneLine bool) string {
	steps := strings.Split(path, "/")
	key := steps[len(steps)-1]
	if key == "-" {
		mistake = strings.ReplaceAll(mistake, "KEY: ", "- ")
	}
	text := strings.NewReplacer("KEY", key, "SECRET", planted).Replace(mistake)
	if oneLine {
		before, after := "", ""
		for _, s := range steps[:len(steps)-1] {
			if s == "-" {
				before, after = before+"[{", "}]"+after
			} else if strings.HasSuffix(before, "[{") || before == "" {
				before += s + ": "
			} else {
				before, after = before+"{"+s+": ", "}"+after
			}
		}
		return before + "{" + strings.ReplaceAll(text, "\n", ", ") + "}" + after + "\n"
	}
	var b strings.Builder
	indent := ""
	for _, s := range steps[:len(steps)-1] {
		if s == "-" {
			fmt.Fprintf(&b, "%s-\n", indent)
		} else {
			fmt.Fprintf(&b, "%s%s:\n", indent, s)
		}
		indent += "  "
	}
	for line := range strings.SplitSeq(text, "\n") {
		b.WriteString(indent + line + "\n")
	}
	return b.String()
}

// shown is all that check and run print of a configuration.
func shown(t *testing.T, file string) string {
	var out bytes.Buffer
	s := Streams{Out: &out, Err: &out, Now: time.Now, Secrets: &diag.Secrets{}}
	_, _, ps := wholeConfiguration(s, file)
	for _, p := range ps {
		fmt.Fprintln(&out, p.Format(), p.Error())
		if err := writeJSON(&out, p); err != nil {
			t.Fatal(err)
		}
	}
	return out.String()
}

// TestNoMistakeShowsASecret: whatever is wrong with a configuration, and wherever, check and run tell the place and not the line.
func TestNoMistakeShowsASecret(t *testing.T) {
	file := filepath.Join(t.TempDir(), "noroshi.yaml")
	told := 0
	for _, path := range secretKeys {
		for name, mistake := range mistakes {
			for _, oneLine := range []bool{false, true} {
				text := planting(path, mistake, oneLine)
				if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				got := shown(t, file)
				if strings.Contains(got, "noroshi.yaml:") {
					told++
				}
				if leaks(got) {
					t.Errorf("%s, %s: the secret is shown:\n%s\nof\n%s", path, name, got, text)
				}
			}
		}
	}
	if all := len(secretKeys) * len(mistakes) * 2; told < all*2/3 {
		t.Errorf("only %d of %d are told at all: the test plants them badly", told, all)
	}
}

// leaks reports whether a text holds the secret, or half of it.
func leaks(text string) bool {
	text = strings.ToLower(text)
	for _, part := range []string{"hunter2", "correct_h", "horse9"} {
		if strings.Contains(text, part) {
			return true
		}
	}
	return false
}

// shared is a text that several goroutines write.
type shared struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *shared) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *shared) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// TestRunShowsNoSecret: destinations that repeat what they are sent leave nothing of it in log, dead letters and status.
func TestRunShowsNoSecret(t *testing.T) {
	if testing.Short() {
		t.Skip("it runs a Kafka")
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status := http.StatusServiceUnavailable
		if strings.HasPrefix(r.URL.Path, "/refuse") {
			status = http.StatusBadRequest
		}
		http.Error(w, fmt.Sprint(r.Header, r.RequestURI), status)
	}))
	defer srv.Close()
	t.Setenv("NOROSHI_TEST_HEADER", "Bearer "+planted)
	t.Setenv("NOROSHI_TEST_KEY", "whsec_"+base64.StdEncoding.EncodeToString([]byte("hunter2-correct_horse9-staple-00")))
	dir := t.TempDir()
	sink := func(name, path string) string {
		return fmt.Sprintf(`  - {name: %s, webhook: {url: "%s/%s/%s?token=%s", secrets: ["${env:NOROSHI_TEST_KEY}"], headers: {Authorization: "${env:NOROSHI_TEST_HEADER}"}, allow_private: true, allow_http: true}}`+"\n", name, srv.URL, path, planted, planted)
	}
	files := map[string]string{
		"noroshi.yaml": "sources: [{file: {paths: [audit.ndjson], poll: 20ms}}]\nsinks:\n" + sink("refusing", "refuse") + sink("failing", "fail"),
		"audit.ndjson": `{"CreationTime":"2026-01-02T03:04:05","Id":"r-1","Operation":"Set-Mailbox","RecordType":1,"OrganizationId":"t","UserType":0,"UserId":"taro@contoso.example","Parameters":[{"Name":"ForwardingSmtpAddress","Value":"drop@mail.example.net"}]}` + "\n",
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var log shared
	var printed bytes.Buffer
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	go func() {
		ended <- Main(ctx, []string{"run", "--config", filepath.Join(dir, "noroshi.yaml"), "--data", filepath.Join(dir, "data")}, Streams{Out: &log, Err: &log, Now: time.Now})
	}()
	for deadline := time.Now().Add(time.Minute); !strings.Contains(log.String(), "alert refused") || !strings.Contains(log.String(), "sink paused"); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal(log.String())
		}
	}
	for _, args := range [][]string{{"dead-letters", "list"}, {"dead-letters", "list", "--json"}, {"dead-letters", "show", "0:0", "1:0", "2:0", "3:0"}, {"status"}, {"status", "--json"}} {
		Main(t.Context(), append(args, "--data", filepath.Join(dir, "data")), Streams{Out: &printed, Err: &printed, Now: time.Now})
	}
	stop()
	<-ended
	if !strings.Contains(printed.String(), "status 400") || !strings.Contains(log.String(), "status 503") {
		t.Errorf("the faults are not told:\n%s\n%s", printed.String(), log.String())
	}
	for _, text := range []string{log.String(), printed.String()} {
		if leaks(text) || strings.Contains(text, "aHVudGVyMi1jb3JyZ") {
			t.Errorf("a secret is in\n%s", text)
		}
	}
}
