package cli

import (
	"bufio"
	"bytes"
	"context"
	_ "embed" // the takeover
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/spf13/cobra"

	"noroshi/internal/alert"
	"noroshi/internal/diag"
	"noroshi/internal/replay"
)

//go:embed demo/takeover.ndjson
var takeover []byte

// The demo's rhythm, and when it gives up.
const (
	demoPace = 400 * time.Millisecond
	demoEnd  = time.Minute
)

func demoCommand(s Streams) *cobra.Command {
	return &cobra.Command{
		Use:   "demo",
		Short: "Watch an account being taken over",
		Long: `Demo plays a takeover of eleven minutes, record by record: a sign-in, hiding inbox rules, forwarding, a mail flow rule, a role, a
rename, the audit log switched off, the block. The records go the whole way: file, Kafka (embedded, in a temporary folder),
detector, webhook. Each alert is printed when the receiver has verified its signature, with the time since its record was written.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := demo(c.Context(), s); err != nil {
				return failed{err}
			}
			return nil
		},
	}
}

func demo(ctx context.Context, s Streams) error {
	dir, err := os.MkdirTemp("", "noroshi-demo-")
	if err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	defer os.RemoveAll(dir)
	ctx, cancel := context.WithTimeout(ctx, demoEnd)
	defer cancel()
	want, err := demoWants(ctx, s)
	if err != nil {
		return err
	}
	r := &receiver{out: s.Out, now: s.Now, written: map[string]time.Time{}, want: want, all: make(chan struct{})}
	url, stop, err := r.listen(ctx, dir)
	if err != nil {
		return err
	}
	defer stop()
	live := filepath.Join(dir, "audit.ndjson")
	conf := fmt.Sprintf(demoConfig, live, url)
	path := filepath.Join(dir, "noroshi.yaml")
	if err := os.WriteFile(path, []byte(conf), 0o600); err != nil {
		return fmt.Errorf("write configuration: %w", err)
	}
	var log bytes.Buffer
	run, err := newRun(s, path, filepath.Join(dir, "data"), slog.New(slog.NewTextHandler(&locked{w: &log}, nil)))
	if err != nil {
		return err
	}
	fmt.Fprintf(s.Out, "%d records in %s, the same configuration as for real:\n\n%s\n", bytes.Count(takeover, []byte("\n")), live, indent(conf))
	inner, end := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- run.Run(inner) }()
	if err = r.play(ctx, live); err == nil {
		select {
		case <-r.all:
		case <-ctx.Done():
			err = fmt.Errorf("only %d of %d alerts came", r.count(), len(want))
		case e := <-done:
			err = errors.Join(errors.New("the run ended early"), e)
			done <- nil
		}
	}
	end()
	err = errors.Join(err, <-done)
	if err != nil {
		fmt.Fprintln(s.Err, log.String())
		return err
	}
	fmt.Fprintf(s.Out, "\n%d alerts, each delivered once and signed; what to do stands in their \"respond\".\n", len(want))
	return nil
}

const demoConfig = `sources:
  - file: {paths: [%s], poll: 20ms}
sinks:
  - name: demo
    webhook: {url: "%s", secrets: ["${file:secret}"], allow_private: true, allow_http: true}
`

func indent(text string) string {
	return "    " + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n    ") + "\n"
}

// locked keeps the log whole: it is written from many goroutines.
type locked struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

// demoWants are the ids of the alerts that a replay of the takeover gives: what has to arrive.
func demoWants(ctx context.Context, s Streams) (map[string]bool, error) {
	f := &ruleFlags{}
	set, conf, err := f.load(s)
	if err != nil {
		return nil, err
	}
	want := map[string]bool{}
	r := replay.Replay{Set: compile(set, conf, nil), Workers: 1, Alert: func(a *alert.Alert) error {
		want[strings.Clone(a.ID)] = true
		return nil
	}}
	_, err = r.Run(ctx, []replay.Input{{Name: "takeover", From: bytes.NewReader(takeover)}})
	return want, err
}

// receiver is the webhook's other end.
type receiver struct {
	out    io.Writer
	now    func() time.Time
	verify *standardwebhooks.Webhook

	mu      sync.Mutex
	written map[string]time.Time // by record id
	want    map[string]bool
	got     map[string]bool
	all     chan struct{}
}

// listen starts the receiver and leaves the secret that it shares with the sink.
func (r *receiver) listen(ctx context.Context, dir string) (url string, stop func(), err error) {
	secret := "whsec_" + base64.StdEncoding.EncodeToString([]byte("a secret of the demo's own, 32 b"))
	if r.verify, err = standardwebhooks.NewWebhook(secret); err != nil {
		return "", nil, fmt.Errorf("make receiver: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "secret"), []byte(secret+"\n"), 0o600); err != nil {
		return "", nil, fmt.Errorf("write secret: %w", err)
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, fmt.Errorf("start receiver: %w", err)
	}
	r.got = map[string]bool{}
	srv := &http.Server{Handler: r, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = srv.Serve(l) }() // it ends with Close
	return "http://" + l.Addr().String() + "/", func() { _ = srv.Close() }, nil
}

// ServeHTTP takes one alert.
func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	at := r.now()
	body, err := io.ReadAll(io.LimitReader(req.Body, 1<<20))
	if err == nil {
		err = r.verify.Verify(body, req.Header)
	}
	var m struct {
		Data alert.Alert `json:"data"`
	}
	if err == nil {
		err = json.Unmarshal(body, &m)
	}
	if err != nil {
		http.Error(w, "not genuine", http.StatusUnauthorized)
		return
	}
	r.print(&m.Data, at)
	w.WriteHeader(http.StatusNoContent)
}

func (r *receiver) print(a *alert.Alert, at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.got[a.ID] {
		return
	}
	r.got[a.ID] = true
	after := "?"
	if len(a.Evidence) > 0 {
		after = fmt.Sprintf("%d ms", at.Sub(r.written[a.Evidence[0].ID]).Milliseconds())
	}
	fmt.Fprintf(r.out, "  %s  +%s\n", Line(a), after)
	for _, s := range a.Respond {
		fmt.Fprintf(r.out, "      → %s\n", diag.EscapeLine(s.Text))
	}
	if len(r.got) == len(r.want) {
		close(r.all)
	}
}

func (r *receiver) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.got)
}

// play writes the takeover, a record at a time.
func (r *receiver) play(ctx context.Context, path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("write records: %w", err)
	}
	defer f.Close()
	in := bufio.NewScanner(bytes.NewReader(takeover))
	for in.Scan() {
		var rec struct {
			ID         string `json:"Id"`
			Operation  string
			Properties struct {
				ID string `json:"id"`
			} `json:"properties"`
		}
		if err := json.Unmarshal(in.Bytes(), &rec); err != nil {
			return fmt.Errorf("read takeover: %w", err)
		}
		id := rec.ID + rec.Properties.ID
		r.mu.Lock()
		r.written[id] = r.now()
		r.mu.Unlock()
		if _, err := f.Write(append(in.Bytes(), '\n')); err != nil {
			return fmt.Errorf("write records: %w", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(demoPace):
		}
	}
	return in.Err()
}
