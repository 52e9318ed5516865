package remote

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"time"

	"noroshi/internal/certs"
	"noroshi/internal/regular"
)

// How long parts of a connection may take.
const (
	connectTimeout = 10 * time.Second
	tlsTimeout     = 10 * time.Second
)

// maxKey bounds a certificate with its key and those above it, in bytes.
const maxKey = 1 << 20

// TLS reads the files of certificates, and gives how connections are secured.
func (c *Reach) TLS() (*tls.Config, error) {
	conf := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: c.ServerName}
	if c.CAFile != "" {
		roots, err := certs.Read(c.CAFile)
		if err != nil {
			return nil, err
		}
		conf.RootCAs = roots
	}
	switch {
	case c.CertFile != "":
		own, err := c.own()
		if err != nil {
			return nil, err
		}
		conf.Certificates = []tls.Certificate{own}
	case c.KeyFile != "":
		return nil, errors.New("key_file needs cert_file beside it")
	}
	return conf, nil
}

// own is the client's certificate. Errors do not name the files: what a configuration says is not shown.
func (c *Reach) own() (tls.Certificate, error) {
	cert, err := regular.Read(c.CertFile, maxKey)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("read cert_file: %w", bare(err))
	}
	key, err := regular.Read(c.KeyFile, maxKey)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("read key_file: %w", bare(err))
	}
	own, err := tls.X509KeyPair(cert, key)
	if err != nil { // it may repeat what the files hold
		return own, errors.New("cert_file and key_file hold no certificate with its key in PEM, or not those of each other")
	}
	return own, nil
}

// bare is an error without the path that it names.
func bare(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

// imprint changes when one of the files of certificates does.
func (c *Reach) imprint() string {
	all := ""
	for _, path := range []string{c.CAFile, c.CertFile, c.KeyFile} {
		if path == "" {
			continue
		}
		info, err := os.Stat(path)
		if err != nil {
			all += ";gone"
			continue
		}
		all += fmt.Sprintf(";%d,%d", info.Size(), info.ModTime().UnixNano())
	}
	return all
}

// Dialer dials addresses that are allowed.
func (c *Reach) Dialer() *net.Dialer {
	return &net.Dialer{Timeout: connectTimeout, Control: guard(c.AllowPrivate)}
}

// Way is how others reach their hosts as this destination is reached, where it has a proxy or authorities of its own; else nil. The
// destination's name and the certificate for it are its own.
func (c *Reach) Way() http.RoundTripper {
	if c.Proxy == "" && c.CAFile == "" {
		return nil
	}
	of := *c
	of.ServerName, of.CertFile, of.KeyFile = "", "", ""
	return &http.Transport{DialContext: func(ctx context.Context, _, address string) (net.Conn, error) { return of.Dial(ctx, address) },
		DialTLSContext:  func(ctx context.Context, _, address string) (net.Conn, error) { return of.DialTLS(ctx, address) },
		IdleConnTimeout: time.Minute, ResponseHeaderTimeout: DefaultTimeout}
}

// Dial connects to an address that is allowed, by the proxy where there is one.
func (c *Reach) Dial(ctx context.Context, address string) (net.Conn, error) {
	if c.Proxy != "" {
		return c.through(ctx, address)
	}
	return c.Dialer().DialContext(ctx, "tcp", address)
}

// DialTLS is Dial over TLS, with the certificates as they are now.
func (c *Reach) DialTLS(ctx context.Context, address string) (net.Conn, error) {
	conf, err := c.TLS()
	if err != nil {
		return nil, err
	}
	if conf.ServerName == "" {
		if conf.ServerName, _, err = net.SplitHostPort(address); err != nil {
			return nil, err
		}
	}
	conn, err := c.Dial(ctx, address)
	if err != nil {
		return nil, err
	}
	secure := tls.Client(conn, conf)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close() // the first error is the one to tell
		return nil, err
	}
	return secure, nil
}
