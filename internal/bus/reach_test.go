package bus

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// secured is a port of TLS with a certificate that nobody knows, and a file with that of another authority.
func secured(t *testing.T) (address, other string) {
	t.Helper()
	pair := func() (tls.Certificate, []byte) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		c := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
		der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
		if err != nil {
			t.Fatal(err)
		}
		return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	}
	mine, _ := pair()
	_, text := pair()
	other = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(other, text, 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{mine}})
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
				_ = c.(*tls.Conn).Handshake() // it fails
				_ = c.Close()
			}()
		}
	}()
	return l.Addr().String(), other
}

// unsecured is a port that does not know TLS.
func unsecured(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
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
			_, _ = c.Write([]byte("what is this?"))
			_ = c.Close()
		}
	}()
	return l.Addr().String()
}

// Why brokers are not reached is told at once, and waiting ends at once where it does not help.
func TestTheCauseIsTold(t *testing.T) {
	address, other := secured(t)
	e, _ := start(t, t.TempDir(), 1<<30)
	ours := e.Config()
	change := func(do func(c *Config)) Config {
		c := ours
		do(&c)
		return c
	}
	for name, c := range map[string]struct {
		config Config
		want   string
		waits  bool
	}{
		"refused":        {change(func(c *Config) { c.Brokers = []string{"127.0.0.1:1"} }), "nothing listens there", true},
		"unknown name":   {change(func(c *Config) { c.Brokers = []string{"nowhere.invalid:9092"} }), "nowhere.invalid", true},
		"wrong CA":       {change(func(c *Config) { c.Brokers, c.TLS, c.CAFile = []string{address}, true, other }), "ca_file names the authority", false},
		"system's CA":    {change(func(c *Config) { c.Brokers, c.TLS = []string{address}, true }), "ca_file names the authority", false},
		"plain to TLS":   {change(func(c *Config) { c.Brokers = []string{address} }), "set tls to true", true},
		"TLS to plain":   {change(func(c *Config) { c.Brokers, c.TLS = []string{unsecured(t)}, true }), "set tls to false", false},
		"wrong password": {change(func(c *Config) { c.Password = "guess" }), "does not take the user and password", true},
		"no user":        {change(func(c *Config) { c.Mechanism = "" }), "set sasl", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log := &lines{}
			c.config.Log = log.logger()
			b, err := Connect(c.config)
			if err != nil {
				t.Fatal(err)
			}
			defer b.Close()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			if c.waits {
				go afterTelling(ctx, log, c.want, cancel)
			}
			if err = b.Await(ctx); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "guess") {
				t.Errorf("the error is %v", err)
			}
			if !c.waits && ctx.Err() != nil {
				t.Error("it waits for what does not come")
			}
			if told := strings.Count(log.String(), "Kafka is not reached"); c.waits && (told != 1 || !strings.Contains(log.String(), c.want)) {
				t.Errorf("it is told %d times: %s", told, log)
			}
		})
	}
}

// afterTelling ends something a second after a log tells a text.
func afterTelling(ctx context.Context, log *lines, text string, end func()) {
	for look := time.Tick(20 * time.Millisecond); ctx.Err() == nil && !strings.Contains(log.String(), text); <-look {
	}
	time.Sleep(time.Second) // it may be told again
	end()
}

// A broker that is gone is told once, and that it is there again.
func TestABrokerThatGoesIsTold(t *testing.T) {
	dir := t.TempDir()
	b, end := embedded(t, dir, slog.New(slog.DiscardHandler))
	log := &lines{}
	c := b.config
	c.Log = log.logger()
	other, err := Connect(c)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := other.Await(t.Context()); err != nil {
		t.Fatal(err)
	}
	w, err := other.Writer()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := w.Write(t.Context(), []Record{{Topic: Events, Value: []byte("1")}}); err != nil {
		t.Fatal(err)
	}
	end()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	go afterTelling(ctx, log, "nothing listens there", cancel)
	if err := w.Write(ctx, []Record{{Topic: Events, Value: []byte("2")}}); err == nil {
		t.Error("it is written")
	}
	if n := strings.Count(log.String(), "Kafka does not answer"); n != 1 || !strings.Contains(log.String(), "nothing listens there") {
		t.Errorf("it is told %d times: %s", n, log)
	}
}
