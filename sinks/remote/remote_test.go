package remote

import (
	"bufio"
	"bytes"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"

	"noroshi/sinks"
)

func client(t *testing.T, c Config) (*Client, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	cl, err := New(c, sinks.Env{Now: time.Now, Log: slog.New(slog.NewTextHandler(&log, nil)), Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	return cl, &log
}

// TestAProxyIsAsked: the destination's name goes to the proxy with the proxy's password, and what is refused without a proxy is refused
// with one.
func TestAProxyIsAsked(t *testing.T) {
	asked := make(chan string, 9)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			if r, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
				asked <- r.Method + " " + r.RequestURI + " " + r.Header.Get("Proxy-Authorization")
				_, _ = io.WriteString(conn, "HTTP/1.1 403 Not through pr0xy-pass\r\n\r\n")
			}
			conn.Close()
		}
	}()
	for host, want := range map[string]string{"collector.invalid": "", "10.0.0.1": "allow_private", "localhost": "allow_private", "169.254.169.254": "credentials", "8.8.8.8": ""} {
		c, _ := client(t, Config{URL: "https://" + host + "/", Reach: Reach{Proxy: "http://bob:pr0xy-pass@" + l.Addr().String()}})
		_, err := c.Do(t.Context(), Request{})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "pr0xy-pass") {
			t.Errorf("%s: %v, want %q", host, err, want)
		}
		got := ""
		select {
		case got = <-asked:
		default:
		}
		if (got == "CONNECT "+host+":443 Basic Ym9iOnByMHh5LXBhc3M=") != (want == "") || want != "" && got != "" {
			t.Errorf("%s: the proxy was asked %q", host, got)
		}
	}
}

// TestRequests: what a request says arrives, beside what the configuration says.
func TestRequests(t *testing.T) {
	var got *http.Request
	var body []byte
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r
		z, err := gzip.NewReader(r.Body)
		if err == nil {
			body, err = io.ReadAll(z)
		}
		if err != nil {
			t.Error(err)
		}
		_, _ = io.WriteString(w, strings.Repeat("x", 100))
	}))
	c, _ := client(t, Config{URL: srv.URL + "/base?a=1", AllowHTTP: true, Reach: Reach{AllowPrivate: true}, Headers: map[string]Secret{"X-Key": Fixed("k3y")}})
	a, err := c.Do(t.Context(), Request{Method: http.MethodPut, Path: "/more", Query: map[string][]string{"b": {"2 3"}}, Body: []byte("text"), Gzip: true, Most: 10, Header: map[string]string{"X-Other": "o"}})
	srv.Close() // its goroutine has ended
	if err != nil || !a.OK() || len(a.Body) != 10 || a.Err == nil || !strings.Contains(a.Err.Error(), "more than 10 bytes") {
		t.Errorf("%+v, %v", a, err)
	}
	if got.Method != http.MethodPut || got.RequestURI != "/base/more?a=1&b=2+3" || string(body) != "text" || got.Header.Get("X-Key") != "k3y" || got.Header.Get("X-Other") != "o" || got.UserAgent() != "noroshi/test" {
		t.Errorf("%s %s %q %v", got.Method, got.RequestURI, body, got.Header)
	}
}

// TestWhatCannotBeReadAgainIsToldOnce: certificates and secrets of before stay.
func TestWhatCannotBeReadAgainIsToldOnce(t *testing.T) {
	srv := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer srv.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pemOf(srv), 0o600); err != nil {
		t.Fatal(err)
	}
	var broken error
	c, log := client(t, Config{URL: srv.URL, Reach: Reach{CAFile: ca, AllowPrivate: true}, Headers: map[string]Secret{"X-Key": func() (string, error) { return "k3y", broken }}})
	broken = os.ErrNotExist
	if err := os.WriteFile(ca, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := c.Do(t.Context(), Request{}); err != nil {
			t.Error(err)
		}
	}
	if n := strings.Count(log.String(), "cannot be read"); n != 2 {
		t.Errorf("it is told %d times, want once of the certificates and once of the header:\n%s", n, log.String())
	}
}

// TestClientCertificates: what is wrong with one is told without its path.
func TestClientCertificates(t *testing.T) {
	dir := t.TempDir()
	bad := filepath.Join(dir, "s3cret.pem")
	if err := os.WriteFile(bad, []byte("no PEM"), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, r := range map[string]Reach{"read cert_file": {CertFile: filepath.Join(dir, "s3cret-gone")}, "read key_file": {CertFile: bad, KeyFile: filepath.Join(dir, "s3cret-gone")},
		"hold no certificate": {CertFile: bad, KeyFile: bad}, "needs cert_file": {KeyFile: bad}} {
		_, err := New(Config{URL: "https://a.example.com/", Reach: r}, sinks.Env{})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
