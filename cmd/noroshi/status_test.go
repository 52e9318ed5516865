//go:build unix

package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"noroshi/internal/eventhubstest"
)

// alike are what differs from run to run, in a status and in the documentation.
var alike = []struct {
	what *regexp.Regexp
	as   string
}{
	{regexp.MustCompile(`(?m)^\S+/\d+: `), "HOST: "},
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`), "TIME"},
	{regexp.MustCompile(`\d+\.\d+\.\d+\.\d+(:\d+)?`), "ADDRESS"},
	{regexp.MustCompile(`\d+\.\d [KMG]iB`), "SIZE"},
	{regexp.MustCompile(`\d+d\d+h|(\d+h)?(\d+m)?\d+(\.\d+)?m?s\b`), "AGE"},
	{regexp.MustCompile(`stream:\d+`), "stream:N"},
	{regexp.MustCompile(`rule set [0-9a-f]{12}`), "rule set N"},
	{regexp.MustCompile(`\d+ more rules`), "N more rules"},
	{regexp.MustCompile(`asleep: \d+ rules`), "asleep: N rules"},
	{regexp.MustCompile(`(?m)((?:retrying|open) +TIME(?: +\d+){4} +)\d+`), "${1}N"}, // faults
	{regexp.MustCompile(`(?m)^( *[a-z-]+ +(live|shadow) +)\d+`), "${1}N"},           // evaluated
	{regexp.MustCompile(`(?m)[^ "]*/(b\.ndjson)`), "$1"},                            // where it lies
	{regexp.MustCompile(`(?m) +`), " "},
}

func normal(text string) string {
	for _, a := range alike {
		text = a.what.ReplaceAllString(text, a.as)
	}
	return strings.TrimSpace(text)
}

// documented is the status that the documentation shows.
func documented(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("../../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, ok := strings.Cut(string(b), "<!-- the output of a test -->\n```\n")
	text, _, ended := strings.Cut(text, "```\n")
	if !ok || !ended {
		t.Fatal("docs/operating.md shows no status")
	}
	return text
}

const shadowRule = `id: quiet-hours
title: Somebody signed in
severity: low
state: shadow
when: event.action == "UserLoggedIn"
`

func signIn(n int) string {
	return fmt.Sprintf(`{"CreationTime":"2026-01-02T03:04:%02d","Id":"s-%d","Operation":"UserLoggedIn","RecordType":15,"OrganizationId":"t","UserType":0,"UserId":"taro@contoso.example"}`, n, n)
}

// TestTheStatusInTheDocumentation: a run with a sink whose destination is away, a hub that refuses to be read on, and a file that
// cannot be read says so as docs/operating.md shows.
func TestTheStatusInTheDocumentation(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes half a minute: so often a hub is asked what waits in it")
	}
	want := documented(t)
	hub := eventhubstest.Start(t, eventhubstest.Config{Hubs: []eventhubstest.Hub{{Name: "audit", Partitions: 1}}})
	bring := func(bodies ...string) {
		for _, b := range bodies {
			if _, err := hub.Append("audit", "0", eventhubstest.Event{Body: []byte(b)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	bring(`{"records":[` + signIn(1) + `,` + signIn(2) + `]}`)
	away, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := away.Addr().String()
	if err := away.Close(); err != nil { // nobody listens there
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "b.ndjson"), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, dir, 0, 1)
	text, err := os.ReadFile(filepath.Join(dir, "audit.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	lines := string(text) + "{broken\n" + string(text) // what is no record, and a repeat
	conf := fmt.Sprintf(`sources:
  - file: {paths: [audit.ndjson, b.ndjson], poll: 20ms}
  - eventhub: {name: contoso-audit, connection_string: "${file:connection}"}
rules: [rule.yaml]
library: {off: [records-have-stopped]} # the records are old
sinks:
  - {name: archive, file: {path: alerts.ndjson}}
  - {name: soc, webhook: {url: "http://%s/hook", secrets: ["${file:key}"], allow_private: true, allow_http: true}}
`, address)
	r := watch(t, dir, conf, "key", secret, "connection", hub.ConnectionString("audit"), "rule.yaml", shadowRule, "audit.ndjson", lines)
	status := func() string {
		out, _ := noroshi("status", "--data", filepath.Join(dir, "data")).Output() // it may not be there yet
		return string(out)
	}
	until(t, "the hub is read", func() bool { return regexp.MustCompile(`contoso-audit +reading +2 `).MatchString(status()) })
	many := make([]string, 100_000)
	for i := range many {
		many[i] = eventhubstest.Busy
	}
	hub.RefuseLinks(many...)
	hub.Detach("audit", "0", eventhubstest.DetachForced)
	bring(signIn(3), signIn(4), signIn(5))
	got := ""
	for deadline := time.Now().Add(3 * time.Minute); time.Now().Before(deadline); time.Sleep(time.Second) {
		if got = status(); normal(got) == normal(want) {
			r.signal(t, os.Interrupt, first)
			return
		}
	}
	t.Errorf("docs/operating.md does not show what noroshi status prints (docs -, status +):\n%s\nstatus:\n%s\nlog:\n%s",
		cmp.Diff(strings.Split(normal(want), "\n"), strings.Split(normal(got), "\n")), got, r.said.String())
}
