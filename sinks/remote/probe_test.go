package remote

import (
	"encoding/pem"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"noroshi/sinks"
)

// TestAProbeSendsNothing: it connects, and tells when the certificate ends; a certificate that is not trusted is a fault.
func TestAProbeSendsNothing(t *testing.T) {
	var requests atomic.Int64
	h := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { requests.Add(1) })
	plain, secure := httptest.NewServer(h), httptest.NewTLSServer(h)
	defer plain.Close()
	defer secure.Close()
	secure.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)
	probe := func(url string) (time.Time, error) {
		c := Config{URL: url, AllowHTTP: true}
		c.AllowPrivate = true
		client, err := New(c, sinks.Env{Now: time.Now, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		return client.Probe(t.Context())
	}
	if ends, err := probe(plain.URL + "/in"); err != nil || !ends.IsZero() {
		t.Errorf("plain: %v, %v", ends, err)
	}
	if _, err := probe(secure.URL); err == nil || !strings.Contains(err.Error(), "unknown authority") {
		t.Errorf("not trusted: %v", err)
	}
	plain.Close()
	if _, err := probe(plain.URL); err == nil || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("gone: %v", err)
	}
	var reach Reach
	reach.AllowPrivate, reach.CAFile = true, caOf(t, secure)
	if ends, err := reach.Knock(t.Context(), secure.Listener.Addr().String(), false); err != nil || !ends.Equal(secure.Certificate().NotAfter) {
		t.Errorf("secure: %v, %v", ends, err)
	}
	if n := requests.Load(); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
}

// caOf is a file of a server's certificate.
func caOf(t *testing.T, s *httptest.Server) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
