//go:build unix

package main

import (
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"noroshi/internal/eventhubstest"
	"noroshi/internal/kafkatest"
)

// TestTheRightsOfEachRoleAreEnough: on an Apache Kafka that guards its topics, three processes of one role each, whose users have the rights
// that noroshi topics rights prints and no others, read, evaluate and deliver. A user without any is told what it lacks.
func TestTheRightsOfEachRoleAreEnough(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts a Kafka and three processes")
	}
	roles := []string{"ingest", "detect", "deliver"}
	broker := kafkatest.Guarded(t, append(roles, "nobody")...)
	for _, role := range roles {
		grant(t, broker, role)
	}
	hub := eventhubstest.Start(t, eventhubstest.Config{})
	r := &told{}
	srv := httptest.NewServer(r)
	defer srv.Close()
	dir := t.TempDir()
	remembers(t, dir)
	secured := broker.SecureConfig("noroshi.", 4, "scram-sha-256", nil)
	files := map[string]string{"cs": hub.ConnectionString("audit"), "hook": secret, "password": kafkatest.Password}
	for _, user := range append(roles, "nobody") {
		files[user+".yaml"] = fmt.Sprintf(`kafka: {brokers: ["%s"], partitions: 4, ca_file: %s, sasl: {mechanism: scram-sha-256, user: %s, password: '${file:password}'}}
sources: [{eventhub: {name: audit, connection_string: '${file:cs}'}}]
rules: [rules]
lateness: {entra.*: {keep: 5d}} # records are of the last day
sinks: [{name: hook, webhook: {url: "%s", secrets: ['${file:hook}'], allow_private: true, allow_http: true}}]
`, broker.Secure, secured.CAFile, user, srv.URL)
	}
	files["admin.yaml"] = fmt.Sprintf("kafka: {brokers: [\"%s\"], partitions: 4}\n", broker.Address)
	writeFiles(t, dir, files)
	planned(t, filepath.Join(dir, "admin.yaml"))
	if out, err := noroshi("run", "--config", filepath.Join(dir, "nobody.yaml")).CombinedOutput(); err == nil || !strings.Contains(string(out), "noroshi.events") || !strings.Contains(string(out), "AUTHORIZATION_FAILED") {
		t.Errorf("a user without rights is told %v\n%s", err, out)
	}
	var all []*process
	for _, role := range roles {
		p := &process{args: []string{"run", "--config", filepath.Join(dir, role+".yaml"), "--role", role}, said: filepath.Join(dir, "stderr-"+role)}
		p.start(t)
		defer func() { _ = p.cmd.Process.Kill() }() // it may have ended
		all = append(all, p)
		until(t, "it runs", func() bool { return strings.Contains(p.text(), "msg=running roles=["+role+"]") })
	}
	random := rand.New(rand.NewPCG(3, 3))
	var log strings.Builder
	for i := range 1500 {
		record := signInOf(i, random)
		log.WriteString(record + "\n")
		if _, err := hub.Append("audit", strconv.Itoa(i%memoryUsers%4), eventhubstest.Event{Body: []byte(record)}); err != nil {
			t.Fatal(err)
		}
	}
	writeFiles(t, dir, map[string]string{"signins.ndjson": log.String()})
	want := rememberedBy(t, filepath.Join(dir, "rules"), filepath.Join(dir, "signins.ndjson"))
	until(t, "all alerts are delivered", func() bool { return r.count() >= len(want) })
	for _, p := range slices.Backward(all) {
		p.end(t)
		if text := p.text(); strings.Contains(text, "AUTHORIZATION") || strings.Contains(text, "level=ERROR") {
			t.Errorf("a right is missing:\n%s", text)
		}
	}
}

// planned makes the topics as an administrator does.
func planned(t *testing.T, config string) {
	t.Helper()
	for _, c := range []struct {
		args string
		fine bool
		says string
	}{
		{"plan", true, "+ noroshi.events: 4 partitions\n"},
		{"apply", false, "nothing was changed; --yes does it"},
		{"apply --yes", true, "noroshi.signals-state: done"},
		{"apply --yes", true, "the topics are as they should be"},
		{"plan --retention events=1d", false, "! topic noroshi.events keeps records for 168h0m0s, wished are 24h0m0s"},
	} {
		out, err := noroshi(append([]string{"topics"}, append(strings.Fields(c.args), "--config", config)...)...).CombinedOutput()
		if (err == nil) != c.fine || !strings.Contains(string(out), c.says) {
			t.Errorf("topics %s: %v, expected %q\n%s", c.args, err, c.says, out)
		}
	}
}

// grant gives a user what the commands say that the role prints.
func grant(t *testing.T, broker *kafkatest.Broker, role string) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(broker.Address))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	out, err := noroshi("topics", "rights", "--principal", "User:"+role, "--role", role).Output()
	if err != nil {
		t.Fatal(err)
	}
	operations := map[string]kmsg.ACLOperation{"Read": kmsg.ACLOperationRead, "Write": kmsg.ACLOperationWrite, "Create": kmsg.ACLOperationCreate, "Alter": kmsg.ACLOperationAlter,
		"Describe": kmsg.ACLOperationDescribe, "DescribeConfigs": kmsg.ACLOperationDescribeConfigs}
	for line := range strings.Lines(string(out)) {
		b, pattern, words := kadm.NewACLs().AllowHosts(), kmsg.ACLResourcePatternTypeLiteral, strings.Fields(strings.ReplaceAll(line, "'", ""))
		var may []kmsg.ACLOperation
		for i := 0; i+1 < len(words); i++ {
			switch value := words[i+1]; words[i] {
			case "--allow-principal":
				b = b.Allow(value)
			case "--topic":
				b = b.Topics(value)
			case "--group":
				b = b.Groups(value)
			case "--transactional-id":
				b = b.TransactionalIDs(value)
			case "--operation":
				may = append(may, operations[value])
			case "--resource-pattern-type":
				pattern = map[string]kmsg.ACLResourcePatternType{"literal": kmsg.ACLResourcePatternTypeLiteral, "prefixed": kmsg.ACLResourcePatternTypePrefixed}[value]
			}
		}
		made, err := kadm.NewClient(client).CreateACLs(t.Context(), b.Operations(may...).ResourcePatternType(pattern))
		if err != nil || len(made) != len(may) {
			t.Fatalf("%s: %d rights, %v", line, len(made), err)
		}
		for _, one := range made {
			if one.Err != nil {
				t.Fatalf("%s: %v", line, one.Err)
			}
		}
	}
}
