package o365

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"time"

	"noroshi/internal/o365test"
)

// Quick makes all pauses short.
func (c Config) Quick() Config {
	c.Poll = 50 * time.Millisecond
	c.Pauses = &Pauses{First: 2 * time.Millisecond, Most: 20 * time.Millisecond, Throttled: 5 * time.Millisecond, Long: 20 * time.Millisecond, Again: 50 * time.Millisecond}
	return c
}

// Bounded reads so much of a blob.
func (c Config) Bounded(n int64) Config {
	c.maxBlob = n
	return c
}

// Of is the configuration of a server's tenant.
func Of(s *o365test.Server, content ...string) Config {
	return Config{Name: "o365", Tenant: s.Tenant(), Content: content, Host: "manage.office.com", Now: time.Now, Log: slog.New(slog.DiscardHandler),
		Credential: func() (Token, error) {
			return func(context.Context) (string, error) { return s.Token(), nil }, nil
		},
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: s.Roots(), MinVersion: tls.VersionTLS12},
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, s.Addr())
			}}}
}
