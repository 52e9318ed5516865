package app

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"noroshi/detector"
	"noroshi/ingest"
	"noroshi/ingest/file"
	"noroshi/internal/bus"
	"noroshi/internal/config"
	"noroshi/internal/deadletter"
	"noroshi/rules"
	"noroshi/sinks"
	"noroshi/sinks/remote"
	"noroshi/sinks/webhook"
)

// forwarding is a record that a shipped rule fires for.
const forwarding = `{"CreationTime":"2026-01-02T03:04:05","Id":"e-0","Operation":"Set-Mailbox","RecordType":1,"OrganizationId":"t","UserType":0,` +
	`"UserId":"taro@contoso.example","Parameters":[{"Name":"ForwardingSmtpAddress","Value":"drop@mail.example.net"}]}`

// hook is a webhook whose answers the test chooses.
type hook struct {
	status atomic.Int64
	got    atomic.Int64
	srv    *httptest.Server
}

func newHook(t *testing.T, status int64) (*hook, NamedSink) {
	t.Helper()
	h := &hook{}
	h.status.Store(status)
	h.srv = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // what counts is the answer
		h.got.Add(1)
		w.WriteHeader(int(h.status.Load()))
	}))
	t.Cleanup(h.srv.Close)
	s, err := webhook.New(webhook.Config{Config: remote.Config{URL: h.srv.URL, AllowHTTP: true, Reach: remote.Reach{AllowPrivate: true}}, Secrets: []remote.Secret{remote.Fixed("whsec_cnVuLXRlc3Qtc2VjcmV0LTAxMjM0NTY3ODlhYmNkZWY=")}}, sinks.Env{Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return h, NamedSink{Sink: s}
}

// eventually waits until something holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: never", what)
		}
	}
}

// TestARefusedAlertIsSetAsideAndTriedAgainForItsSinkAlone: one sink refuses, the other takes; a replay of the dead letter reaches
// the first alone, with the record's own bytes.
func TestARefusedAlertIsSetAsideAndTriedAgainForItsSinkAlone(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "audit.ndjson")
	if err := os.WriteFile(path, []byte(forwarding+"\n"+`{"Operation":"x","RecordType":1}`+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	set, ps := rules.Load(rules.Options{Library: true})
	if len(ps) > 0 {
		t.Fatal(ps[0].Format())
	}
	refuses, one := newHook(t, http.StatusUnprocessableEntity)
	takes, two := newHook(t, http.StatusNoContent)
	one.Name, two.Name = "refuses", "takes"
	log := slog.New(slog.DiscardHandler)
	source, err := file.New(file.Config{Paths: []string{path}, Follow: true, Poll: 10 * time.Millisecond, Now: time.Now, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	conf := config.Default()
	conf.Kafka.Data = filepath.Join(dir, "data")
	run := &Run{Config: conf, Compile: func(sample [][]byte) *detector.Set { return detector.New(set, detector.Options{Sample: sample}) }, Sources: []ingest.Source{source}, Sinks: []NamedSink{one, two}, Log: log}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- run.Run(ctx) }()
	eventually(t, "both sinks are asked", func() bool { return refuses.got.Load() == 1 && takes.got.Load() == 1 })

	c, err := bus.FromData(conf.Kafka.Data, log)
	if err != nil {
		t.Fatal(err)
	}
	b, err := bus.Connect(c)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	var letters []deadletter.Letter
	eventually(t, "two dead letters", func() bool {
		letters = nil
		if err := b.All(t.Context(), bus.DeadLetters, func(r bus.Record) error {
			letters = append(letters, deadletter.Parse(r))
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return len(letters) == 2
	})
	w, err := b.Writer()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	refuses.status.Store(http.StatusNoContent)
	for _, l := range letters {
		if l.Reason == "time" {
			if l.Stage != deadletter.StageIngest || l.Line != 2 || string(l.Value) != `{"Operation":"x","RecordType":1}` {
				t.Errorf("the record without a time is %+v", l)
			}
			continue
		}
		if l.Reason != "refused" || l.Stage != "sink:refuses" || !strings.Contains(l.Detail, "422") || !strings.Contains(string(l.Value), `"schema":"noroshi.alert/1"`) {
			t.Errorf("the refused alert is %+v", l)
		}
		again, ok := l.Again()
		if !ok {
			t.Fatal("it cannot be tried again")
		}
		if err := w.Write(t.Context(), []bus.Record{again}); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "it is tried again", func() bool { return refuses.got.Load() == 2 })
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if n := takes.got.Load(); n != 1 {
		t.Errorf("the other sink was asked %d times", n)
	}
}
