package eventhubstest_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azeventhubs/v2"

	"noroshi/internal/eventhubstest"
)

// second installs Microsoft's JavaScript client and gives what runs it.
func second(t *testing.T) func(args ...string) string {
	t.Helper()
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			if os.Getenv("CI") != "" {
				t.Fatalf("there is no %s", program)
			}
			t.Skipf("without the JavaScript client: there is no %s on this machine", program)
		}
	}
	dir := t.TempDir()
	for _, name := range []string{"package.json", "package-lock.json", "client.js"} {
		b, err := os.ReadFile(filepath.Join("testdata", "npm", name))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	run := func(program string, args ...string) string {
		t.Helper()
		c := exec.CommandContext(t.Context(), program, args...)
		c.Dir = dir
		var stderr strings.Builder
		c.Stderr = &stderr
		out, err := c.Output()
		if err != nil {
			t.Fatalf("%s %s: %v\n%s%s", program, args[0], err, out, stderr.String())
		}
		return string(out)
	}
	run("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
	return func(args ...string) string {
		t.Helper()
		return run("node", append([]string{"client.js"}, args...)...)
	}
}

// What Microsoft's Go client writes its JavaScript client reads, and the reverse.
func TestTheJavaScriptClient(t *testing.T) {
	client := second(t)
	s := eventhubstest.Start(t, eventhubstest.Config{})
	const n = 40
	to, from := "0", "1"
	p := producer(t, s)
	var events []*azeventhubs.EventData
	var want []string
	for i := range n {
		want = append(want, fmt.Sprintf(`{"n":%d}`, i))
		events = append(events, text(want[i]))
	}
	send(t, p, azeventhubs.EventDataBatchOptions{PartitionID: &to}, events...)
	if got := strings.Fields(client("receive", s.ConnectionString(""), hub, to, fmt.Sprint(n))); strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("JavaScript reads %q", got)
	}
	client("send", s.ConnectionString(""), hub, from, fmt.Sprint(n))
	yes := true
	got := bodies(receive(t, open(t, consumer(t, s), from, azeventhubs.PartitionClientOptions{StartPosition: azeventhubs.StartPosition{Earliest: &yes}}), n))
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("Go reads %q", got)
	}
}
