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
	"sync/atomic"
	"testing"
	"time"
)

// TestAReplayedLetterIsMarked: an alert that a sink refused goes to it again, its letter says so, and --all leaves it out.
func TestAReplayedLetterIsMarked(t *testing.T) {
	if testing.Short() {
		t.Skip("it runs a Kafka")
	}
	var asked atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) == 1 {
			http.Error(w, "no such field", http.StatusUnprocessableEntity)
		}
	}))
	defer srv.Close()
	t.Setenv("NOROSHI_TEST_KEY", "whsec_"+base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", 32))))
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("noroshi.yaml", fmt.Sprintf("sources: [{file: {paths: [audit.ndjson], poll: 20ms}}]\nsinks: [{name: soc, webhook: {url: %q, secrets: [\"${env:NOROSHI_TEST_KEY}\"], allow_private: true, allow_http: true}}]\n", srv.URL))
	write("audit.ndjson", `{"CreationTime":"2026-01-02T03:04:05","Id":"r-1","Operation":"Set-Mailbox","RecordType":1,"OrganizationId":"t","UserType":0,"UserId":"taro@contoso.example","Parameters":[{"Name":"ForwardingSmtpAddress","Value":"drop@mail.example.net"}]}`+"\n")
	var log shared
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	go func() {
		ended <- Main(ctx, []string{"run", "--config", filepath.Join(dir, "noroshi.yaml"), "--data", filepath.Join(dir, "data")}, Streams{Out: &log, Err: &log, Now: time.Now})
	}()
	letters := func(args ...string) (text string, code int) {
		var out bytes.Buffer
		code = Main(t.Context(), append(append([]string{"dead-letters"}, args...), "--data", filepath.Join(dir, "data")), Streams{Out: &out, Err: &out, Now: time.Now})
		return out.String(), code
	}
	eventually := func(what string, holds func() bool) {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(50 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s: never\n%s", what, log.String())
			}
		}
	}
	eventually("the alert is refused", func() bool {
		text, code := letters("list", "--stage", "sink:soc")
		return code == exitDone && strings.Contains(text, "refused")
	})
	if want := "rule=mailbox-forwarding-outside account=taro@contoso.example severity=high"; !strings.Contains(log.String(), want) {
		t.Errorf("the log does not tell %s:\n%s", want, log.String())
	}
	list, _ := letters("list")
	_, row, _ := strings.Cut(list, "\n") // behind the head
	place, _, _ := strings.Cut(row, " ")
	for _, step := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"replay", "--stage", "sink:siem", "--all"}, exitUsage, "no stage sink:siem; the stages are ingest, detect, sink:soc"},
		{[]string{"replay", "--stage", "sink:soc", "--all"}, exitDone, "1 letter tried again, 0 cannot be"},
		{[]string{"list"}, exitDone, "(replayed 2"},
		{[]string{"list", "--json"}, exitDone, `"replayed":"2`},
		{[]string{"replay", "--all"}, exitDone, "0 letters tried again, 0 cannot be\n1 letter replayed before; a place that is named is tried again"},
		{[]string{"replay", place}, exitDone, "1 letter tried again, 0 cannot be"},
	} {
		if text, code := letters(step.args...); code != step.code || !strings.Contains(text, step.want) || strings.Count(text, " refused: ") > 1 {
			t.Errorf("%v: code %d, %s", step.args, code, text)
		}
	}
	eventually("it is sent again, once for each replay", func() bool { return asked.Load() == 3 })
	stop()
	<-ended
}
