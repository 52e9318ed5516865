package sinktest

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"noroshi/sinks"
)

// conversation is one request over a connection that the test answers byte by byte.
type conversation struct {
	conn net.Conn
	req  *http.Request
	body []byte
	end  chan struct{} // closed when the test ends
}

func (c *conversation) say(format string, args ...any) { fmt.Fprintf(c.conn, format, args...) }

// hold keeps the connection open and says nothing more.
func (c *conversation) hold() { <-c.end }

// reset ends the connection as a machine does that has lost it.
func (c *conversation) reset() {
	if tcp, ok := c.conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // then the end is a FIN, which is as well
	}
}

// raw is a server that answers as the test says. It gives its URL.
func raw(t *testing.T, answer func(c *conversation)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	end := make(chan struct{})
	t.Cleanup(func() { l.Close(); close(end) })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				c := &conversation{conn: conn, end: end}
				if c.req, err = http.ReadRequest(bufio.NewReader(conn)); err != nil {
					c.hold() // it speaks TLS
					return
				}
				c.body, _ = io.ReadAll(c.req.Body) // what is left of it is not looked at
				answer(c)
			}()
		}
	}()
	return "http://" + l.Addr().String() + "/"
}

// broken checks answers that are late, torn, endless or none.
func (h HTTP) broken(t *testing.T) {
	quick := 300 * time.Millisecond
	for _, one := range []struct {
		name    string
		timeout time.Duration
		answer  func(c *conversation)
		want    []Verdict
	}{
		{"no answer", quick, func(c *conversation) { c.hold() }, []Verdict{Again}},
		{"half a header", quick, func(c *conversation) { c.say("HTTP/1.1 200 OK\r\nContent-"); c.hold() }, []Verdict{Again}},
		{"a body that never ends, 500", quick, func(c *conversation) { c.say("HTTP/1.1 500 No\r\nContent-Length: 100\r\n\r\nhalf"); c.hold() }, []Verdict{Again}},
		{"a body that never ends, 200", quick, func(c *conversation) { c.say("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"half"); c.hold() }, h.unread(Taken, Again)},
		{"closed at once", 0, func(*conversation) {}, []Verdict{Again}},
		{"reset at once", 0, func(c *conversation) { c.reset() }, []Verdict{Again}},
		{"reset in the body, 500", 0, func(c *conversation) { c.say("HTTP/1.1 500 No\r\nContent-Length: 100\r\n\r\nhalf"); c.reset() }, []Verdict{Again}},
		{"cut in the body, 200", 0, func(c *conversation) { c.say("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"half") }, h.unread(Taken)},
		{"no HTTP", 0, func(c *conversation) { c.say("SSH-2.0 %s\r\n", h.secret()) }, []Verdict{Again}},
		{"an endless answer, 500", 0, func(c *conversation) { c.say("HTTP/1.1 500 No\r\n\r\n"); c.endless() }, []Verdict{Again}},
		{"an endless answer, 200", 0, func(c *conversation) { c.say("HTTP/1.1 200 OK\r\n\r\n"); c.endless() }, h.unread(Taken)},
		{"an endless header", 0, func(c *conversation) { c.say("HTTP/1.1 200 OK\r\nX: "); c.endless() }, []Verdict{Again}},
		{"no JSON, 200", 0, func(c *conversation) { c.say("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>") }, h.unread(Taken)},
		{"nothing, 200", 0, func(c *conversation) { c.say("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") }, h.unread(Taken)},
	} {
		err := send(h.Make(t, Options{URL: raw(t, one.answer), Timeout: one.timeout}), []sinks.Message{Message(1)})
		if got := verdict(err); !strings.Contains(fmt.Sprint(one.want), string(got)) {
			t.Errorf("%s: %s (%v), want %v", one.name, got, err, one.want)
		}
		h.safe(t, one.name, err)
	}
	silent := strings.Replace(raw(t, func(c *conversation) { c.hold() }), "http:", "https:", 1)
	urls := map[string]string{"TLS that never answers": silent, "nobody listens": "http://127.0.0.1:1/", "no such host": "http://nowhere.invalid/"}
	if address, made := Hole(t); made {
		urls["no connection ever"] = "http://" + address + "/"
	}
	for name, url := range urls {
		err := send(h.Make(t, Options{URL: url, Timeout: quick}), []sinks.Message{Message(1)})
		if verdict(err) != Again {
			t.Errorf("%s: %v", name, err)
		}
		h.safe(t, name, err)
	}
}

// unread are verdicts of an answer whose status is good and whose body is not.
func (h HTTP) unread(all ...Verdict) []Verdict {
	if h.Reads {
		return []Verdict{Again}
	}
	return all
}

// endless writes until nobody reads any more.
func (c *conversation) endless() {
	block := strings.Repeat("x", 64<<10)
	for {
		if _, err := io.WriteString(c.conn, block); err != nil {
			return
		}
	}
}

// Certificate makes a certificate that signs itself, and the files that hold it alone and with its key.
func Certificate(t *testing.T, until time.Time, names ...string) (pair tls.Certificate, ca, both string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "noroshi test"}, NotBefore: until.Add(-48 * time.Hour), NotAfter: until, DNSNames: names,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	for _, n := range names {
		if ip := net.ParseIP(n); ip != nil {
			c.IPAddresses = append(c.IPAddresses, ip)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})
	dir := t.TempDir()
	ca, both = filepath.Join(dir, "ca.pem"), filepath.Join(dir, "both.pem")
	for path, b := range map[string][]byte{ca: certPEM, both: append(append([]byte{}, certPEM...), keyPEM...)} {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if pair, err = tls.X509KeyPair(certPEM, keyPEM); err != nil {
		t.Fatal(err)
	}
	return pair, ca, both
}

// certificates checks whom the sink trusts, and that it takes new certificates while it runs.
func (h HTTP) certificates(t *testing.T) {
	tomorrow := time.Now().Add(24 * time.Hour)
	good, goodCA, _ := Certificate(t, tomorrow, "127.0.0.1")
	_, otherCA, _ := Certificate(t, tomorrow, "127.0.0.1")
	expired, expiredCA, _ := Certificate(t, time.Now().Add(-time.Hour), "127.0.0.1")
	elsewhere, elsewhereCA, _ := Certificate(t, tomorrow, "elsewhere.example.com")
	client, clientCA, clientBoth := Certificate(t, tomorrow, "client.example.com")
	_ = client
	clients := x509.NewCertPool()
	pemBytes, err := os.ReadFile(clientCA)
	if err != nil || !clients.AppendCertsFromPEM(pemBytes) {
		t.Fatal(err)
	}
	for _, one := range []struct {
		name string
		conf *tls.Config
		o    Options
		want Verdict
	}{
		{"right", &tls.Config{Certificates: []tls.Certificate{good}}, Options{CAFile: goodCA}, Taken},
		{"of nobody we know", &tls.Config{Certificates: []tls.Certificate{good}}, Options{}, Again},
		{"of another authority", &tls.Config{Certificates: []tls.Certificate{good}}, Options{CAFile: otherCA}, Again},
		{"expired", &tls.Config{Certificates: []tls.Certificate{expired}}, Options{CAFile: expiredCA}, Again},
		{"of another name", &tls.Config{Certificates: []tls.Certificate{elsewhere}}, Options{CAFile: elsewhereCA}, Again},
		{"TLS 1.1", &tls.Config{Certificates: []tls.Certificate{good}, MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}, Options{CAFile: goodCA}, Again},
		{"asks for the client's, which has none", &tls.Config{Certificates: []tls.Certificate{good}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients}, Options{CAFile: goodCA}, Again},
		{"asks for the client's", &tls.Config{Certificates: []tls.Certificate{good}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients}, Options{CAFile: goodCA, CertFile: clientBoth}, Taken},
	} {
		o := one.o
		o.URL = h.secure(t, one.conf)
		err := send(h.Make(t, o), []sinks.Message{Message(1)})
		if got := verdict(err); got != one.want {
			t.Errorf("a certificate %s: %s (%v), want %s", one.name, got, err, one.want)
		}
		h.safe(t, one.name, err)
	}
	h.renewed(t, good, goodCA, otherCA)
}

// renewed changes the file of an authority under a sink.
func (h HTTP) renewed(t *testing.T, good tls.Certificate, goodCA, otherCA string) {
	file := filepath.Join(t.TempDir(), "ca.pem")
	put := func(from string) {
		b, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(file, append(b, strings.Repeat("\n", len(from))...), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	put(otherCA)
	s := h.Make(t, Options{URL: h.secure(t, &tls.Config{Certificates: []tls.Certificate{good}}), CAFile: file})
	if err := send(s, []sinks.Message{Message(1)}); verdict(err) != Again {
		t.Errorf("before the authority is renewed: %v", err)
	}
	put(goodCA)
	if err := os.Chtimes(file, time.Now(), time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if err := send(s, []sinks.Message{Message(1)}); err != nil {
		t.Errorf("after the authority is renewed: %v", err)
	}
}

// secure is a receiver over TLS.
func (h HTTP) secure(t *testing.T, conf *tls.Config) string {
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body) // the test is about the connection
		h.typed(w)
		_, _ = io.WriteString(w, h.answer(r, body)) // as above
	}))
	srv.TLS, srv.Config.ErrorLog = conf, log.New(io.Discard, "", 0)
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return srv.URL + "/"
}
