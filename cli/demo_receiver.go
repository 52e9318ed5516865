package cli

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"noroshi/internal/alert"
	"noroshi/internal/diag"
)

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

func newReceiver(s Streams, want map[string]bool) *receiver {
	return &receiver{out: s.Out, now: s.Now, written: map[string]time.Time{}, want: want, got: map[string]bool{}, all: make(chan struct{})}
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

// print shows an alert when it comes first; a further revision has the same id.
func (r *receiver) print(a *alert.Alert, at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.got[a.ID] {
		return
	}
	r.got[a.ID] = true
	var last time.Time
	for _, e := range a.Evidence {
		if w := r.written[e.ID]; w.After(last) {
			last = w
		}
	}
	fmt.Fprintf(r.out, "  %s  +%d ms\n", Line(a), at.Sub(last).Milliseconds())
	for _, s := range a.Respond {
		fmt.Fprintf(r.out, "      → %s\n", diag.EscapeLine(s.Text))
	}
	if len(r.got) == len(r.want) {
		close(r.all)
	}
}

// writes remembers when a record is written.
func (r *receiver) writes(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.written[id] = r.now()
}

// wait waits until all alerts have come.
func (r *receiver) wait(ctx context.Context, p *demoProcess) error {
	select {
	case <-r.all:
		return nil
	case <-p.ended:
		return errors.Join(errors.New("the run ended early"), p.err)
	case <-ctx.Done():
		r.mu.Lock()
		defer r.mu.Unlock()
		return fmt.Errorf("only %d of %d alerts came", len(r.got), len(r.want))
	}
}
