package remote

import (
	"context"
	"crypto/tls"
	"net"
	"time"
)

// Knock connects to an address as Dial or, where it is not plain, as DialTLS does, sends nothing, and gives when the certificate that is
// shown there ends.
func (c *Reach) Knock(ctx context.Context, address string, plain bool) (ends time.Time, err error) {
	dial := c.DialTLS
	if plain {
		dial = c.Dial
	}
	conn, err := dial(ctx, address)
	if err != nil {
		return ends, err
	}
	defer func() { _ = conn.Close() }() // nothing was sent
	if secure, ok := conn.(*tls.Conn); ok {
		if shown := secure.ConnectionState().PeerCertificates; len(shown) > 0 {
			ends = shown[0].NotAfter
		}
	}
	return ends, nil
}

// Probe implements sinks.Prober. An address behind a proxy is checked as each request to it is.
func (c *Client) Probe(ctx context.Context) (ends time.Time, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.conf.Timeout)
	defer cancel()
	c.refresh()
	if c.conf.Proxy != "" {
		if err := c.conf.behind(ctx, c.Host()); err != nil {
			return ends, c.Fault("connect", err)
		}
	}
	port := c.url.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[c.url.Scheme]
	}
	if ends, err = c.conf.Knock(ctx, net.JoinHostPort(c.url.Hostname(), port), c.url.Scheme == "http"); err != nil {
		return ends, c.Fault("connect", err)
	}
	return ends, nil
}
