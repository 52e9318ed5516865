package syslog

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"noroshi/sinks"
	"noroshi/sinks/format"
	"noroshi/sinks/remote"
	"noroshi/sinks/sinktest"
)

// TestRsyslog sends to a real rsyslog over mutual TLS, which reads each message as it was meant.
func TestRsyslog(t *testing.T) {
	port, dir := sinktest.Counterpart(t, "rsyslog")
	certs := sinktest.Certs(t)
	reach := remote.Reach{CAFile: filepath.Join(certs, "ca.crt"), CertFile: filepath.Join(certs, "client.crt"), KeyFile: filepath.Join(certs, "client.key"), ServerName: "server.noroshi.test"}
	c := Config{Address: fmt.Sprintf("127.0.0.1:%d", port), Reach: reach, Timeout: time.Minute}
	var all []sinks.Message
	for n := range 50 {
		all = append(all, sinktest.Message(n))
	}
	for _, m := range sinktest.Hostile() {
		if len(m.Body) < 60_000 { // the receiver is set to take messages of 64 KiB
			all = append(all, m)
		}
	}
	for _, f := range []format.Format{format.CEF, format.Noroshi} {
		c.Format = f
		if err := sink(t, c).Send(t.Context(), all); err != nil {
			t.Fatal(err)
		}
	}
	lines := received(t, dir, 2*len(all))
	for i, line := range lines {
		m := all[i%len(all)]
		var got struct{ Pri, Host, App, Msgid, Sd, Msg string }
		if err := json.Unmarshal([]byte(line), &got); err != nil {
			t.Fatal(err)
		}
		want, err := []format.Format{format.CEF, format.Noroshi}[i/len(all)].Append(nil, &m)
		if err != nil {
			t.Fatal(err)
		}
		if got.Pri != "131" || got.Host != "node1" || got.App != "noroshi" || got.Msgid != "firing" || !strings.Contains(got.Sd, `id="`+m.ID+`"`) || got.Msg != string(want) {
			t.Errorf("message %d arrived as %+.600v", i, got)
		}
	}
	c.CertFile, c.KeyFile = "", ""
	s := sink(t, c)
	s.settles = 30 * time.Second
	if err := s.Send(t.Context(), all[:1]); err == nil {
		t.Error("without a certificate of ours the alert is sent")
	}
}

// received waits for so many lines of what the receiver writes.
func received(t *testing.T, dir string, n int) []string {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		b, err := os.ReadFile(filepath.Join(dir, "received"))
		if lines := strings.Split(strings.TrimSuffix(string(b), "\n"), "\n"); err == nil && len(lines) >= n {
			return lines
		}
	}
	t.Fatalf("fewer than %d messages have arrived", n)
	return nil
}
