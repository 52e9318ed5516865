//go:build linux

package main

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// What stands here repeats to whoever asks what he has sent: proxies, brokers, Microsoft Entra ID and webhooks.

// listen serves connections until the test ends.
func listen(t *testing.T, serve func(net.Conn)) (address string) {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_ = c.SetDeadline(time.Now().Add(time.Minute)) // an old connection is nobody's
				serve(c)
			}()
		}
	}()
	return l.Addr().String()
}

// certificate is one for a host, trusted by itself, and its PEM form.
func certificate(t *testing.T, host string) (tls.Certificate, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{host},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	if ip := net.ParseIP(host); ip != nil {
		form.IPAddresses = []net.IP{ip}
	}
	der, err := x509.CreateCertificate(rand.Reader, form, form, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// echoingBroker asks for SASL and refuses whatever it gets, with all of it.
func echoingBroker(c net.Conn) {
	for {
		var size [4]byte
		if _, err := io.ReadFull(c, size[:]); err != nil {
			return
		}
		req := make([]byte, min(binary.BigEndian.Uint32(size[:]), 1<<20))
		if _, err := io.ReadFull(c, req); err != nil || len(req) < 10 {
			return
		}
		key, version := binary.BigEndian.Uint16(req), binary.BigEndian.Uint16(req[2:])
		body := req[10+binary.BigEndian.Uint16(req[8:]):]
		answer := append([]byte{}, req[4:8]...)
		switch key {
		case 18: // ApiVersions
			apis := [][3]uint16{{18, 0, 3}, {17, 1, 1}, {36, 0, 1}, {3, 0, 8}}
			answer = append(answer, 0, 0, byte(len(apis)+1))
			if version < 3 {
				answer = append(answer[:6], 0, 0, 0, byte(len(apis)))
			}
			for _, a := range apis {
				for _, n := range a {
					answer = binary.BigEndian.AppendUint16(answer, n)
				}
				if version >= 3 {
					answer = append(answer, 0)
				}
			}
			answer = append(answer, 0, 0, 0, 0, 0)
		case 17: // SaslHandshake
			answer = append(answer, 0, 0, 0, 0, 0, 2, 0, 5)
			answer = append(append(append(answer, "PLAIN"...), 0, 11), "OAUTHBEARER"...)
		case 36: // SaslAuthenticate
			text := "no such user: " + strings.ToValidUTF8(string(body), "?")
			answer = binary.BigEndian.AppendUint16(answer, 58)
			answer = binary.BigEndian.AppendUint16(answer, uint16(len(text)))
			answer = append(append(answer, text...), make([]byte, 12)...)
		default:
			return
		}
		out := append(binary.BigEndian.AppendUint32(nil, uint32(len(answer))), answer...)
		if _, err := c.Write(out); err != nil {
			return
		}
	}
}

// echoingProxy refuses the first request for each host with what it holds, and serves later ones as the host itself.
func echoingProxy(t *testing.T, cert tls.Certificate, host http.Handler) (address string) {
	var asked sync.Map
	return listen(t, func(c net.Conn) {
		req, err := http.ReadRequest(bufio.NewReader(c))
		if err != nil {
			return
		}
		sent := fmt.Sprint(req.Header)
		if _, basic, ok := strings.Cut(req.Header.Get("Proxy-Authorization"), " "); ok {
			pair, _ := base64.StdEncoding.DecodeString(basic)
			sent += " " + string(pair)
		}
		if _, before := asked.LoadOrStore(req.Host, true); !before || !strings.HasPrefix(req.Host, "login.") {
			_, _ = fmt.Fprintf(c, "HTTP/1.1 407 not for %s\r\nContent-Length: %d\r\n\r\n%[3]s", sent, len(sent), sent)
			return
		}
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n")
		done := make(chan struct{})
		srv := &http.Server{Handler: host, ReadHeaderTimeout: time.Minute, ConnState: func(_ net.Conn, s http.ConnState) {
			if s == http.StateClosed {
				close(done)
			}
		}}
		_ = srv.Serve(&single{Conn: tls.Server(c, &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{cert}}), done: done})
	})
}

// single is a listener with one connection.
type single struct {
	net.Conn
	done  chan struct{}
	given bool
}

func (s *single) Accept() (net.Conn, error) {
	if s.given {
		<-s.done
		return nil, net.ErrClosed
	}
	s.given = true
	return s.Conn, nil
}

func (s *single) Addr() net.Addr { return s.LocalAddr() }

func (s *single) Close() error { return nil }

// entra is Microsoft Entra ID for a directory: it gives a client of this id a token, and refuses all others with what they have sent.
type entra struct{ client, token string }

func (e entra) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	const folder = "https://login.microsoftonline.com/" + directory
	answer := map[string]any{}
	switch {
	case r.URL.Path == "/common/discovery/instance":
		answer["tenant_discovery_endpoint"] = folder + "/v2.0/.well-known/openid-configuration"
		answer["metadata"] = []any{map[string]any{"preferred_network": r.Host, "preferred_cache": r.Host, "aliases": []string{r.Host}}}
	case strings.HasSuffix(r.URL.Path, "/openid-configuration"):
		answer["authorization_endpoint"], answer["token_endpoint"], answer["issuer"] = folder+"/oauth2/v2.0/authorize", folder+"/oauth2/v2.0/token", folder+"/v2.0"
	default:
		_ = r.ParseForm() // what cannot be read is not repeated
		if r.PostForm.Get("client_id") == e.client {
			answer["token_type"], answer["expires_in"], answer["access_token"] = "Bearer", 3600, e.token
			break
		}
		w.WriteHeader(http.StatusUnauthorized)
		answer["error"] = "invalid_client"
		answer["error_description"] = fmt.Sprintf("AADSTS7000215: Invalid client secret %s of %s", r.PostForm.Get("client_secret"), r.PostForm.Encode())
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer) // a client that has gone needs no answer
}

// echoingHook refuses and repeats.
func echoingHook(t *testing.T) (url string) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status := http.StatusServiceUnavailable
		if strings.HasPrefix(r.URL.Path, "/refuse") {
			status = http.StatusBadRequest
		}
		http.Error(w, fmt.Sprint(r.Header, r.RequestURI), status)
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

// secured serves over TLS.
func secured(cert tls.Certificate, serve func(net.Conn)) func(net.Conn) {
	return func(c net.Conn) {
		serve(tls.Server(c, &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{cert}}))
	}
}
