package syslog

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"noroshi/internal/strictyaml"
	"noroshi/sinks"
	"noroshi/sinks/format"
	"noroshi/sinks/remote"
	"noroshi/sinks/sinktest"
)

// receiver reads messages with their length before them, over connections that the test may end.
type receiver struct {
	net.Listener
	mu    sync.Mutex
	conns []net.Conn
	got   []string
}

func listen(t *testing.T, address string, conf *tls.Config) *receiver {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	if conf != nil {
		l = tls.NewListener(l, conf)
	}
	r := &receiver{Listener: l}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			r.mu.Lock()
			r.conns = append(r.conns, c)
			r.mu.Unlock()
			go r.read(c)
		}
	}()
	return r
}

func (r *receiver) read(c net.Conn) {
	b := bufio.NewReader(c)
	for {
		length, err := b.ReadString(' ')
		if err != nil {
			return
		}
		n, err := strconv.Atoi(strings.TrimSuffix(length, " "))
		if err != nil {
			r.take("no length: " + length)
			return
		}
		text := make([]byte, n)
		if _, err := io.ReadFull(b, text); err != nil {
			return
		}
		r.take(string(text))
	}
}

func (r *receiver) take(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.got = append(r.got, text)
}

// await waits until so many messages have arrived, and gives them.
func (r *receiver) await(t *testing.T, n int) []string {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		r.mu.Lock()
		got := append([]string(nil), r.got...)
		r.mu.Unlock()
		if len(got) >= n {
			return got
		}
	}
	t.Fatalf("fewer than %d messages have arrived", n)
	return nil
}

// drop ends all connections; torn ones as a machine does that has died.
func (r *receiver) drop(torn bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.conns {
		if tcp, ok := c.(*net.TCPConn); ok && torn {
			_ = tcp.SetLinger(0) // then it ends in order
		}
		c.Close()
	}
	r.conns = nil
}

func sink(t *testing.T, c Config) *Sink {
	t.Helper()
	c.AllowPrivate = true
	if c.Format == "" {
		c.Format = format.CEF
	}
	if c.Facility == 0 {
		c.Facility = local0
	}
	c.HostName = "node1"
	s, err := New(c, sinktest.Env())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var form = regexp.MustCompile(`^<131>1 2026-01-02T03:04:05\.678Z node1 noroshi - firing \[noroshi@32473 id="(alrt_[0-9]+)" revision="1"\] (CEF:0\|[^\x00-\x1f\x{feff}]*)$`)

// TestMessages: each alert is one message, in order, whatever strangers write in it.
func TestMessages(t *testing.T) {
	r := listen(t, "127.0.0.1:0", nil)
	s := sink(t, Config{Address: r.Addr().String(), Plain: true})
	if err := s.Send(t.Context(), nil); err != nil {
		t.Error(err)
	}
	var all []sinks.Message
	for n := range 40 {
		all = append(all, sinktest.Message(n))
	}
	all = append(all, sinktest.Hostile()...)
	for _, some := range [][]sinks.Message{all[:1], all[1:30], all[30:]} {
		if err := s.Send(t.Context(), some); err != nil {
			t.Fatal(err)
		}
	}
	for i, got := range r.await(t, len(all)) {
		if m := form.FindStringSubmatch(got); m == nil || m[1] != all[i].ID {
			t.Errorf("message %d is %.300q", i, got)
		}
	}
}

// TestJSONAndNewlines: JSON is the alert as it is; for receivers that know no length a newline ends a message.
func TestJSONAndNewlines(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	lines := make(chan string, 99)
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		for b := bufio.NewScanner(c); b.Scan(); {
			lines <- b.Text()
		}
	}()
	s := sink(t, Config{Address: l.Addr().String(), Plain: true, Newlines: true, Format: format.Noroshi})
	all := sinktest.Hostile()[:9]
	if err := s.Send(t.Context(), all); err != nil {
		t.Fatal(err)
	}
	for _, m := range all {
		if _, body, found := strings.Cut(<-lines, `revision="1"] `); !found || body != string(m.Body) {
			t.Errorf("got %q, want %q", body, m.Body)
		}
	}
}

// TestWhatAReceiverLostComesAgain: a connection that breaks is found before or after the write, and what was written just before it
// broke is sent again over the next one.
func TestWhatAReceiverLostComesAgain(t *testing.T) {
	for _, torn := range []bool{false, true} {
		r := listen(t, "127.0.0.1:0", nil)
		s := sink(t, Config{Address: r.Addr().String(), Plain: true})
		s.uncertain = time.Hour
		send := func(n int) error { return s.Send(t.Context(), []sinks.Message{sinktest.Message(n)}) }
		if err := send(0); err != nil {
			t.Fatal(err)
		}
		r.await(t, 1)
		r.drop(torn)
		for tries := 0; ; tries++ {
			err := send(1)
			if err == nil {
				break
			}
			var f *sinks.Fault
			if !errors.As(err, &f) || tries > 20 {
				t.Fatalf("%v", err)
			}
		}
		got := strings.Join(r.await(t, 3), "\n")
		if strings.Count(got, sinktest.Message(0).ID) < 2 || !strings.Contains(got, sinktest.Message(1).ID) {
			t.Errorf("torn %v: got %s", torn, got)
		}
	}
}

// TestFaults: nothing of them loses an alert, and all are told in one line.
func TestFaults(t *testing.T) {
	tomorrow := time.Now().Add(24 * time.Hour)
	good, goodCA, _ := sinktest.Certificate(t, tomorrow, "127.0.0.1")
	_, otherCA, _ := sinktest.Certificate(t, tomorrow, "127.0.0.1")
	expired, expiredCA, _ := sinktest.Certificate(t, time.Now().Add(-time.Hour), "127.0.0.1")
	_, clientCA, client := sinktest.Certificate(t, tomorrow, "client.example.com")
	clients := x509.NewCertPool()
	if b, err := os.ReadFile(clientCA); err != nil || !clients.AppendCertsFromPEM(b) {
		t.Fatal(err)
	}
	asks := &tls.Config{Certificates: []tls.Certificate{good}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients}
	for _, one := range []struct {
		name string
		conf *tls.Config
		c    Config
		ok   bool
	}{
		{"right", &tls.Config{Certificates: []tls.Certificate{good}}, Config{Reach: remote.Reach{CAFile: goodCA}}, true},
		{"of nobody we know", &tls.Config{Certificates: []tls.Certificate{good}}, Config{}, false},
		{"of another authority", &tls.Config{Certificates: []tls.Certificate{good}}, Config{Reach: remote.Reach{CAFile: otherCA}}, false},
		{"expired", &tls.Config{Certificates: []tls.Certificate{expired}}, Config{Reach: remote.Reach{CAFile: expiredCA}}, false},
		{"TLS 1.1", &tls.Config{Certificates: []tls.Certificate{good}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, Config{Reach: remote.Reach{CAFile: goodCA}}, false},
		{"asks for the client's, which has none", asks, Config{Reach: remote.Reach{CAFile: goodCA}}, false},
		{"asks for the client's", asks, Config{Reach: remote.Reach{CAFile: goodCA, CertFile: client, KeyFile: client}}, true},
		{"no TLS", nil, Config{Reach: remote.Reach{CAFile: goodCA}, Timeout: 500 * time.Millisecond}, false},
	} {
		r := listen(t, "127.0.0.1:0", one.conf)
		one.c.Address = r.Addr().String()
		s := sink(t, one.c)
		if !one.ok {
			s.settles = 30 * time.Second // a loaded machine may take long to refuse
		}
		err := s.Send(t.Context(), []sinks.Message{sinktest.Message(1)})
		var f *sinks.Fault
		if one.ok && err != nil || !one.ok && (!errors.As(err, &f) || strings.Contains(err.Error(), "\n") || len(err.Error()) > 300) {
			t.Errorf("a certificate %s: %v", one.name, err)
		}
	}
	if err := sink(t, Config{Address: "127.0.0.1:1", Plain: true}).Send(t.Context(), []sinks.Message{sinktest.Message(1)}); err == nil {
		t.Error("nobody listens, and the alert is sent")
	}
	if hole, made := sinktest.Hole(t); made { // it ends; were the hole none, the system would have taken the alert
		_ = sink(t, Config{Address: hole, Plain: true, Timeout: 300 * time.Millisecond}).Send(t.Context(), []sinks.Message{sinktest.Message(1)})
	}
}

// TestWhatIsRefused of a configuration.
func TestWhatIsRefused(t *testing.T) {
	for text, want := range map[string]string{
		"{address: 'syslog.example.com:6514'}":                                          "",
		"{address: 'syslog.example.com:601', tls: false, framing: newlines, host: n-1}": "",
		"{address: 'syslog.example.com:6514', facility: local7, format: noroshi}":       "",
		"{}":                                "address is a host and a port",
		"{address: syslog.example.com}":     "address is a host and a port",
		"{address: 'syslog.example.com:0'}": "address is a host and a port",
		"{address: '10.0.0.1:6514', allow_private: false}":         "allow_private",
		"{address: '169.254.169.254:6514'}":                        "credentials",
		"{address: 'a.example.com:1', tls: false, server_name: a}": "tls: false switches off",
		"{address: 'a.example.com:1', facility: local8}":           "none of",
		"{address: 'a.example.com:1', format: leef}":               "none of cef, noroshi, ecs, ocsf",
		"{address: 'a.example.com:1', host: 'a b'}":                "visible characters",
	} {
		d := strictyaml.Parse("f", []byte(text))
		Read(remote.Reader{Doc: d}, d.Root)
		got := ""
		for _, p := range d.Problems {
			got += p.Message
		}
		if (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
	for name, number := range map[string]int{"kern": 0, "auth": 4, "audit": 13, "local0": local0, "local7": 23} {
		if facilities[number] != name {
			t.Error(fmt.Sprint(number, " is not ", name))
		}
	}
}
