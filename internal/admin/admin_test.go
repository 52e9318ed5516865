package admin

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

const token = "0123456789abcdef0123456789abcdef"

// listening runs a server with one token and gives its address.
func listening(t *testing.T, change func(s *Server)) (s *Server, address string, said *bytes.Buffer) {
	t.Helper()
	said = &bytes.Buffer{}
	s = &Server{Token: func() (string, error) { return token, nil }, Live: func() error { return nil }, Ready: func() error { return errors.New("memory is read") },
		Health: func() (any, bool) { return map[string]string{"state": "failing"}, false },
		Reload: func(context.Context) (any, error) { return map[string]string{"result": "same"}, nil },
		Now:    time.Now, Log: slog.New(slog.NewTextHandler(said, nil)), bounds: usual}
	if change != nil {
		change(s)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return s, serving(t, s, l, s.handler()), said
}

func serving(t *testing.T, s *Server, l net.Listener, h http.Handler) string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.serve(ctx, limited(l, s.bounds), h) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String()
}

// ask sends a request and gives its status and body.
func ask(t *testing.T, method, url, authorization string, change ...func(*http.Request)) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	for _, do := range change {
		do(r)
	}
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	body, err := io.ReadAll(a.Body)
	if err != nil {
		t.Fatal(err)
	}
	return a.StatusCode, string(body)
}

func TestWhoIsAnswered(t *testing.T) {
	for name, c := range map[string]struct {
		method, path, authorization string
		open                        bool // there is no token
		host                        string
		code                        int
		says                        string
	}{
		"it lives":                       {"GET", "/livez", "", false, "", 200, "ok\n"},
		"it is not ready, and not why":   {"GET", "/readyz", "", false, "", 503, "not ok\n"},
		"health without the token":       {"GET", "/healthz", "", false, "", 401, "missing or wrong"},
		"health with it":                 {"GET", "/healthz", "Bearer " + token, false, "", 503, `{"state":"failing"}`},
		"a forged token":                 {"GET", "/healthz", "Bearer " + token[1:] + "x", false, "", 401, "missing or wrong"},
		"the beginning of the token":     {"GET", "/healthz", "Bearer " + token[:31], false, "", 401, "missing or wrong"},
		"a longer one":                   {"GET", "/healthz", "Bearer " + token + "0", false, "", 401, "missing or wrong"},
		"the token without its word":     {"GET", "/healthz", token, false, "", 401, "missing or wrong"},
		"no metrics":                     {"GET", "/metrics", "Bearer " + token, false, "", 404, "not found"},
		"reload":                         {"POST", "/-/reload", "Bearer " + token, false, "", 200, `{"result":"same"}`},
		"reload is no GET":               {"GET", "/-/reload", "Bearer " + token, false, "", 405, "Not Allowed"},
		"reload with a forged token":     {"POST", "/-/reload", "Bearer x", false, "", 401, "missing or wrong"},
		"profiles":                       {"GET", "/debug/pprof/cmdline", "Bearer " + token, false, "", 200, "admin"},
		"profiles with a forged token":   {"GET", "/debug/pprof/heap", "Bearer x", false, "", 401, "missing or wrong"},
		"without a token health is open": {"GET", "/healthz", "", true, "", 503, "failing"},
		"but not to the pages of others": {"GET", "/healthz", "", true, "attacker.example.com", 403, "not of this machine"},
		"nor is reload":                  {"POST", "/-/reload", "", true, "", 403, "set admin.token"},
		"nor are profiles":               {"GET", "/debug/pprof/heap", "", true, "", 403, "set admin.token"},
		"nothing else is there":          {"GET", "/", "Bearer " + token, false, "", 404, "not found"},
	} {
		t.Run(name, func(t *testing.T) {
			_, address, _ := listening(t, func(s *Server) {
				if c.open {
					s.Token = nil
				}
			})
			code, body := ask(t, c.method, "http://"+address+c.path, c.authorization, func(r *http.Request) { r.Host = c.host })
			if code != c.code || !strings.Contains(body, c.says) {
				t.Errorf("got %d %q, want %d %q", code, body, c.code, c.says)
			}
		})
	}
}

func TestForgedTokensAreToldOnceAMinute(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)
	_, address, said := listening(t, func(s *Server) { s.Now = func() time.Time { return now } })
	for range 20 {
		ask(t, "GET", "http://"+address+"/healthz", "Bearer guess")
	}
	now = now.Add(time.Minute)
	ask(t, "GET", "http://"+address+"/healthz", "Bearer guess")
	if n := strings.Count(said.String(), "without its token"); n != 2 || !strings.Contains(said.String(), "requests=20") || strings.Contains(said.String(), "guess") {
		t.Errorf("the log says %s", said)
	}
}

func TestATokenIsReadAgain(t *testing.T) {
	now, current := time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC), token
	var fault error
	_, address, _ := listening(t, func(s *Server) {
		s.Now, s.Token = func() time.Time { return now }, func() (string, error) { return current, fault }
	})
	code := func(of string) int {
		n, _ := ask(t, "GET", "http://"+address+"/healthz", "Bearer "+of)
		return n
	}
	const next = "another-token-of-enough-length"
	if code(token) != 503 || code(next) != 401 {
		t.Fatal("the first token does not hold")
	}
	current, now = next, now.Add(tokenEvery)
	if code(token) != 401 || code(next) != 503 {
		t.Error("the token was not read again")
	}
	current, fault, now = "", errors.New("gone"), now.Add(tokenEvery)
	if n, _ := ask(t, "GET", "http://"+address+"/healthz", "Bearer "); n != 401 {
		t.Errorf("an empty token opens: %d", n)
	}
}

// quick are bounds that a test need not wait for.
var quick = bounds{connections: 4, header: 50 * time.Millisecond, request: 100 * time.Millisecond, answer: time.Minute, idle: time.Minute,
	headerBytes: 8 << 10, bodyBytes: 4 << 10}

func TestASlowClientIsCutOff(t *testing.T) {
	_, address, _ := listening(t, func(s *Server) { s.bounds = quick })
	for name, begin := range map[string]string{"nothing": "", "half a header": "GET /livez HTTP/1.1\r\nHost: localhost\r\nX-"} {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(c, begin)
		if _, err := io.ReadAll(c); err != nil { // else it is never closed
			t.Errorf("%s: %v", name, err)
		}
		c.Close()
	}
}

func TestHugeRequestsAreRefused(t *testing.T) {
	handled := make(chan error, 1)
	s, _, _ := listening(t, nil)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := serving(t, s, l, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		if n > 4<<10 {
			err = fmt.Errorf("%d bytes are read", n)
		}
		handled <- err
	}))
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/livez", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Long", strings.Repeat("x", 64<<10))
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	a.Body.Close() // the connection is closed behind the status
	if a.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("a header of 64 KiB gives %d", a.StatusCode)
	}
	a, err = http.Post("http://"+address+"/-/reload", "text/plain", strings.NewReader(strings.Repeat("x", 1<<20)))
	if err == nil { // else the connection was closed before all was sent
		a.Body.Close()
	}
	var large *http.MaxBytesError
	if err := <-handled; !errors.As(err, &large) {
		t.Errorf("a body of 1 MiB gives %v", err)
	}
}

func TestTooManyConnectionsWaitUntilTheSlowOnesAreCutOff(t *testing.T) {
	var handled atomic.Int64
	_, address, _ := listening(t, func(s *Server) {
		s.bounds = quick
		s.Live = func() error { handled.Add(1); return nil }
	})
	var slow []net.Conn
	for range 3 * quick.connections {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		slow = append(slow, c)
	}
	if code, _ := ask(t, "GET", "http://"+address+"/livez", ""); code != 200 || handled.Load() != 1 {
		t.Errorf("the probe gets %d", code)
	}
	// All that came before it were cut off, in their order.
	for i, c := range slow {
		if _, err := bufio.NewReader(c).ReadByte(); err == nil {
			t.Errorf("slow client %d got something", i)
		}
	}
}

func TestCertificates(t *testing.T) {
	dir := t.TempDir()
	write := func(of *httptest.Server) {
		key, err := x509.MarshalPKCS8PrivateKey(of.TLS.Certificates[0].PrivateKey)
		if err != nil {
			t.Fatal(err)
		}
		for name, b := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: of.Certificate().Raw}, "key.pem": {Type: "PRIVATE KEY", Bytes: key}} {
			if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(b), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	other := httptest.NewTLSServer(nil)
	defer other.Close()
	write(other)
	now := time.Now()
	s := &Server{CertFile: filepath.Join(dir, "cert.pem"), KeyFile: filepath.Join(dir, "key.pem"), Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler)}
	conf, err := s.tls()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "key.pem"), []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	now = now.Add(keyEvery)
	if c, err := conf.GetCertificate(nil); err != nil || !bytes.Equal(c.Certificate[0], other.Certificate().Raw) {
		t.Errorf("a key that is broken takes the certificate away: %v", err)
	}
	if conf.MinVersion < tls.VersionTLS12 {
		t.Error("old versions of TLS are spoken")
	}
	s.ClientCAFile = filepath.Join(dir, "cert.pem")
	if conf, err := s.tls(); err != nil || conf.ClientAuth != tls.RequireAndVerifyClientCert {
		t.Errorf("clients need no certificate: %v", err)
	}
}

func TestAnAddressThatIsTakenEndsTheRun(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s := &Server{Listen: "127.0.0.1:0", Probes: l.Addr().String(), Now: time.Now, Log: slog.New(slog.DiscardHandler)}
	if err := s.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "admin.probes: listen") {
		t.Errorf("got %v", err)
	}
}

func TestItEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := &Server{Listen: "127.0.0.1:0", Probes: "127.0.0.1:0", Now: time.Now, Log: slog.New(slog.DiscardHandler)}
	ended := make(chan error)
	go func() { ended <- s.Run(ctx) }()
	cancel()
	if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
