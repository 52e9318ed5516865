package sinktest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/sinks"
	"noroshi/sinks/remote"
)

// Options are what the contract says about a sink.
type Options struct {
	URL      string
	Timeout  time.Duration // 0: the sink's own
	CAFile   string
	CertFile string // with its key
	Batch    int    // 0: the sink's own
}

// Remote says how a sink reaches the contract's destinations.
func (o Options) Remote() remote.Config {
	return remote.Config{URL: o.URL, Timeout: o.Timeout, AllowHTTP: true, Reach: remote.Reach{CAFile: o.CAFile, CertFile: o.CertFile, KeyFile: o.CertFile, AllowPrivate: true}}
}

// Env is what sinks get in tests.
func Env() sinks.Env {
	return sinks.Env{Now: time.Now, Log: slog.New(slog.DiscardHandler), Version: "test"}
}

// Verdict is what a sink makes of an answer.
type Verdict string

// The verdicts.
const (
	Taken    Verdict = "taken"
	Refused  Verdict = "refused"
	Again    Verdict = "again"
	Disabled Verdict = "disabled"
)

// HTTP is a sink that posts alerts, as the contract sees it.
type HTTP struct {
	// Make makes the sink. It permits http and private addresses, and holds Secrets in each place where it can hold one.
	Make    func(t *testing.T, o Options) sinks.Sink
	Secrets []string
	// Answer is the body with which the destination says that it has taken the request.
	Answer func(r *http.Request, body []byte) string
	// Success is the one status of success, where it is not any below 300.
	Success int
	// ContentType is the answer's, where the sink looks at it.
	ContentType string
	// Alerts are what a request says of its alerts, and Want is what it must say of one; the alert's JSON by default.
	Alerts func(t *testing.T, r *http.Request, body []byte) []string
	Want   func(m sinks.Message) string
	// Verdict is what an answer with that status means, where it means something of its own.
	Verdict func(status int) Verdict
	// Reads is that the sink must read the answer to know that the alerts are taken.
	Reads bool
}

// Contract proves what holds for every sink that posts.
func (h HTTP) Contract(t *testing.T) {
	t.Run("alerts arrive whole and in order", h.arrive)
	t.Run("strangers' texts stay texts", h.hostile)
	t.Run("every status has a meaning", h.matrix)
	t.Run("the destination says when to try again", h.retryAfter)
	t.Run("broken answers", h.broken)
	t.Run("certificates", h.certificates)
}

// receiver is a destination that takes everything.
type receiver struct {
	*httptest.Server
	mu  sync.Mutex
	got []string
}

func (h HTTP) receiver(t *testing.T) *receiver {
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			t.Error(err)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.got = append(r.got, h.Alerts(t, req, body)...)
		h.typed(w)
		_, _ = io.WriteString(w, h.answer(req, body)) // the test is about the sink
	}))
	t.Cleanup(r.Close)
	return r
}

// typed begins an answer of success.
func (h HTTP) typed(w http.ResponseWriter) {
	if h.ContentType != "" {
		w.Header().Set("Content-Type", h.ContentType)
	}
	if h.Success != 0 {
		w.WriteHeader(h.Success)
	}
}

func (h HTTP) answer(r *http.Request, body []byte) string {
	if h.Answer == nil {
		return "ok"
	}
	return h.Answer(r, body)
}

func (h HTTP) want(m sinks.Message) string {
	if h.Want == nil {
		return string(m.Body)
	}
	return h.Want(m)
}

// send sends messages in batches that the sink takes.
func send(s sinks.Sink, all []sinks.Message) error {
	for len(all) > 0 {
		n := min(max(1, s.Batch().Messages), len(all))
		if err := s.Send(context.Background(), all[:n]); err != nil {
			return err
		}
		all = all[n:]
	}
	return nil
}

func (h HTTP) sent(t *testing.T, all []sinks.Message) {
	t.Helper()
	r := h.receiver(t)
	s := h.Make(t, Options{URL: r.URL + "/"})
	if err := s.Send(context.Background(), nil); err != nil {
		t.Errorf("nothing to send: %v", err)
	}
	if err := send(s, all); err != nil {
		t.Fatal(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.got) != len(all) {
		t.Fatalf("%d alerts arrived, want %d", len(r.got), len(all))
	}
	for i, m := range all {
		if want := h.want(m); r.got[i] != want {
			t.Errorf("alert %d arrived as\n%.2000s\nwant\n%.2000s", i, r.got[i], want)
		}
	}
}

func (h HTTP) arrive(t *testing.T) {
	var all []sinks.Message
	for n := range 23 {
		all = append(all, Message(n))
	}
	h.sent(t, all)
}

func (h HTTP) hostile(t *testing.T) { h.sent(t, Hostile()) }

// verdict is what an error means.
func verdict(err error) Verdict {
	var no *sinks.Refused
	var never *sinks.Disabled
	var all sinks.Verdicts
	switch {
	case err == nil:
		return Taken
	case errors.As(err, &all):
		return verdict(all[0])
	case errors.As(err, &no):
		return Refused
	case errors.As(err, &never):
		return Disabled
	}
	return Again
}

// byStatus is what a status means at most destinations.
func (h HTTP) byStatus(status int) Verdict {
	if h.Verdict != nil {
		if v := h.Verdict(status); v != "" {
			return v
		}
	}
	switch {
	case status/100 == 2 && h.Success != 0 && status == h.Success:
		return Taken
	case status/100 == 2 && h.Success != 0:
		return Again
	case status/100 == 2 && h.Reads && status == 204:
		return Again
	case status/100 == 2:
		return Taken
	case status == 400, status == 413, status == 422:
		return Refused
	case status == 410:
		return Disabled
	}
	return Again
}

// safe checks that an error is short, one line, and shows no secret.
func (h HTTP) safe(t *testing.T, what string, err error) {
	t.Helper()
	if err == nil {
		return
	}
	text := strings.ToLower(err.Error())
	if len(text) > 600 || strings.Contains(text, "\n") {
		t.Errorf("%s: the error is %d bytes long: %.700q", what, len(text), text)
	}
	for _, s := range h.Secrets {
		if s = strings.ToLower(s); strings.Contains(text, s) || len(s) >= 12 && (strings.Contains(text, s[:12]) || strings.Contains(text, s[len(s)-12:])) {
			t.Errorf("%s: the secret %q is in %q", what, s, text)
		}
	}
}

func (h HTTP) matrix(t *testing.T) {
	var now atomic.Int32 // the status; below zero: 200, and the answer repeats the request
	url := raw(t, func(c *conversation) {
		status, body := int(now.Load()), h.answer(c.req, c.body)
		echo := status < 0
		status = max(status, -status)
		if status/100 != 2 || echo {
			body = fmt.Sprintf("%s %v %s %s\nmore", c.req.RequestURI, c.req.Header, strings.Join(h.Secrets, " "), strings.Repeat("x", 1000))
		}
		if status < 200 || status == 204 || status == 304 {
			body = ""
		}
		c.say("HTTP/1.1 %d Because\r\nContent-Length: %d\r\nContent-Type: %s\r\nLocation: /elsewhere/%s\r\nConnection: close\r\n\r\n%s", status, len(body), h.ContentType, h.secret(), body)
	})
	s := h.Make(t, Options{URL: url})
	for status := 100; status < 600; status++ {
		now.Store(int32(status))
		err := send(s, []sinks.Message{Message(1)})
		if got, want := verdict(err), h.byStatus(status); got != want {
			t.Errorf("status %d: %s (%v), want %s", status, got, err, want)
		}
		h.safe(t, fmt.Sprint("status ", status), err)
	}
	if now.Store(-200); !h.Reads && verdict(send(s, []sinks.Message{Message(1)})) != Taken {
		t.Error("what an answer of success says beside is looked at")
	}
}

func (h HTTP) secret() string {
	if len(h.Secrets) == 0 {
		return ""
	}
	return h.Secrets[0]
}

func (h HTTP) retryAfter(t *testing.T) {
	for _, status := range []int{429, 503} {
		for value, bounds := range map[string][2]time.Duration{"7": {7 * time.Second, 7 * time.Second}, "": {0, 0}, "soon": {0, 0}, "99999999999": {time.Hour, time.Hour},
			time.Now().Add(30 * time.Minute).UTC().Format(http.TimeFormat): {10 * time.Minute, 30 * time.Minute}} {
			url := raw(t, func(c *conversation) {
				c.say("HTTP/1.1 %d Later\r\nContent-Length: 0\r\nRetry-After: %s\r\nConnection: close\r\n\r\n", status, value)
			})
			err := send(h.Make(t, Options{URL: url}), []sinks.Message{Message(1)})
			var f *sinks.Fault
			if !errors.As(err, &f) || f.RetryAfter < bounds[0] || f.RetryAfter > bounds[1] {
				t.Errorf("status %d, Retry-After %q: %T %+v", status, value, err, err)
			}
		}
	}
}

// Secret reads a secret that a test writes where a configuration has a reference.
func Secret(n *yaml.Node) remote.Secret { return remote.Fixed(n.Value) }
