package cli

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"time"

	"noroshi/ingest/entra"
	"noroshi/ingest/o365"
	"noroshi/internal/certs"
	"noroshi/internal/config"
)

// makeO365 makes the source of a tenant's audit log. The API and the sign-in host are reached by the same way.
func makeO365(s Streams, o config.O365, log *slog.Logger) (*o365.Stream, error) {
	way, err := wayTo(o)
	if err != nil {
		return nil, err
	}
	cloud := o365.Clouds[o.Cloud]
	who := identity(o.Credential).Through(&http.Client{Transport: way})
	return o365.New(o365.Config{Name: o.Name, Tenant: o.Tenant, Content: o.Content, Host: cloud.Host, Publisher: o.Publisher, Transport: way,
		Since: o.Since, Latest: o.Latest, Newest: o.Newest, Poll: o.Poll, Quota: o.Quota, Now: s.Now, Log: log,
		Credential: func() (o365.Token, error) {
			c, err := who.Credential()
			if err != nil {
				return nil, err
			}
			return entra.Tokens(c, cloud.Host), nil
		}})
}

// How long the way to the API may take to answer.
const (
	connectWithin = 30 * time.Second
	idleFor       = 90 * time.Second
	idleConns     = 16
)

// wayTo is how the API is reached: through a proxy, or by an endpoint that stands in for all hosts.
func wayTo(o config.O365) (*http.Transport, error) {
	dialer := &net.Dialer{Timeout: connectWithin}
	way := &http.Transport{Proxy: http.ProxyFromEnvironment, DialContext: dialer.DialContext, TLSHandshakeTimeout: connectWithin,
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true, IdleConnTimeout: idleFor, MaxIdleConnsPerHost: idleConns,
		OnProxyConnectResponse: func(_ context.Context, _ *url.URL, _ *http.Request, answer *http.Response) error {
			if answer.StatusCode == http.StatusOK {
				return nil
			}
			return fmt.Errorf("the proxy answers %d %s", answer.StatusCode, http.StatusText(answer.StatusCode)) // its own words may repeat the password
		}}
	if o.Proxy != "" {
		u, err := url.Parse(o.Proxy)
		if err != nil {
			return nil, errors.New("the proxy is no address such as http://proxy.example.com:3128") // the error shows its password
		}
		way.Proxy = http.ProxyURL(u)
	}
	if o.Endpoint != "" {
		way.Proxy = nil
		way.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, network, o.Endpoint)
		}
	}
	if o.CAFile != "" {
		roots, err := certs.Read(o.CAFile)
		if err != nil {
			return nil, err
		}
		way.TLSClientConfig.RootCAs = roots
	}
	return way, nil
}
