package remote

import (
	"bufio"
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// serve answers each connection.
func serve(t *testing.T, answer func(c net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				answer(c)
			}()
		}
	}()
	return l.Addr().String()
}

// relay copies both ways.
func relay(a, b net.Conn, from io.Reader) {
	go func() { _, _ = io.Copy(b, from) }()
	_, _ = io.Copy(a, b)
}

// overHTTP is a proxy of HTTP that wants a password.
func overHTTP(c net.Conn) {
	b := bufio.NewReader(c)
	r, err := http.ReadRequest(b)
	switch {
	case err != nil:
		return
	case r.Method != http.MethodConnect || r.Header.Get("Proxy-Authorization") != "Basic "+base64.StdEncoding.EncodeToString([]byte("bob:pr0xy-pass")):
		_, _ = io.WriteString(c, "HTTP/1.1 407 No pr0xy-pass\r\n\r\n")
		return
	}
	to, err := net.Dial("tcp", r.RequestURI)
	if err != nil {
		_, _ = io.WriteString(c, "HTTP/1.1 502 Nobody\r\n\r\n")
		return
	}
	defer to.Close()
	greeting := make([]byte, 5) // comes with the proxy's own answer
	if _, err := io.ReadFull(to, greeting); err == nil {
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n"+string(greeting))
		relay(c, to, b)
	}
}

// overSOCKS is a proxy of SOCKS 5 that wants no password.
// Source: RFC 1928.
func overSOCKS(c net.Conn) {
	b := make([]byte, 10)
	if _, err := io.ReadFull(c, b[:2]); err != nil || b[0] != 5 {
		return
	}
	_, _ = io.CopyN(io.Discard, c, int64(b[1]))
	_, _ = c.Write([]byte{5, 0})
	if _, err := io.ReadFull(c, b); err != nil || b[3] != 1 {
		return
	}
	to, err := net.DialTCP("tcp", nil, &net.TCPAddr{IP: net.IP(b[4:8]), Port: int(b[8])<<8 | int(b[9])})
	if err != nil {
		return
	}
	defer to.Close()
	_, _ = c.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0})
	relay(c, to, c)
}

// TestProxies: what does not speak HTTP goes by a proxy as well, and what is refused without one is refused with one.
func TestProxies(t *testing.T) {
	mail := serve(t, func(c net.Conn) {
		_, _ = io.WriteString(c, "220 hello\r\n")
		line, _ := bufio.NewReader(c).ReadString('\n')
		_, _ = io.WriteString(c, "250 "+line)
	})
	good, socks := serve(t, overHTTP), serve(t, overSOCKS)
	odd := serve(t, func(c net.Conn) { _, _ = io.WriteString(c, "220 I am no proxy\r\n") })
	for _, row := range []struct{ proxy, address, want string }{
		{"http://bob:pr0xy-pass@" + good, mail, ""}, {"socks5://" + socks, mail, ""}, {"http://bob:wrong-pass@" + good, mail, "the proxy answers 407"}, {"http://" + good, mail, "the proxy answers 407"},
		{"http://bob:pr0xy-pass@" + good, "127.0.0.1:1", "the proxy answers 502"}, {"http://bob:pr0xy-pass@" + odd, mail, "does not answer"}, {"http://127.0.0.1:1", mail, "connect to the proxy"}, {"https://bob:pr0xy-pass@" + good, mail, "connect to the proxy"},
		{"http://bob:pr0xy-pass@" + good, "169.254.169.254:25", "credentials"}, {"socks5://" + socks, "169.254.169.254:25", "credentials"}, {"ftp://" + good, mail, "proxy is no address"},
	} {
		r := Reach{Proxy: row.proxy, AllowPrivate: true}
		c, err := r.Dial(t.Context(), row.address)
		if row.want != "" {
			if err == nil || !strings.Contains(err.Error(), row.want) || strings.Contains(err.Error(), "-pass") {
				t.Errorf("%s to %s: %v, want %q", row.proxy, row.address, err, row.want)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s to %s: %v", row.proxy, row.address, err)
			continue
		}
		b := bufio.NewReader(c)
		greeting, _ := b.ReadString('\n')
		_, _ = io.WriteString(c, "EHLO me\r\n")
		if answer, err := b.ReadString('\n'); err != nil || greeting != "220 hello\r\n" || answer != "250 EHLO me\r\n" {
			t.Errorf("%s: %q, %q, %v", row.proxy, greeting, answer, err)
		}
		c.Close()
	}
	private := Reach{Proxy: "http://bob:pr0xy-pass@" + good}
	if _, err := private.Dial(t.Context(), mail); err == nil || !strings.Contains(err.Error(), "allow_private") {
		t.Errorf("a private address: %v", err)
	}
}
