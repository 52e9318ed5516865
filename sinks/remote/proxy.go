package remote

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"

	"golang.org/x/net/proxy"
)

// ErrProxy says that a proxy's address cannot be used. The address is not shown: it may hold a password.
var ErrProxy = errors.New("proxy is no address such as http://proxy.example.com:3128")

// nearby dials proxies, which lie in one's own network.
func nearby() *net.Dialer {
	near := Reach{AllowPrivate: true}
	return near.Dialer()
}

// through connects to an address by the proxy.
func (c *Reach) through(ctx context.Context, address string) (net.Conn, error) {
	u, err := url.Parse(c.Proxy)
	if err != nil {
		return nil, ErrProxy
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if err := c.behind(ctx, host); err != nil {
		return nil, err
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		d, err := proxy.FromURL(u, nearby())
		if err != nil {
			return nil, ErrProxy
		}
		with, is := d.(proxy.ContextDialer)
		if !is {
			return nil, ErrProxy
		}
		return with.DialContext(ctx, "tcp", address)
	}
	conn, err := nearby().DialContext(ctx, "tcp", withPort(u))
	if err != nil {
		return nil, fmt.Errorf("connect to the proxy: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	tunnel, err := c.tunnel(ctx, conn, u, address)
	if !stop() && err == nil {
		err = ctx.Err() // the connection has been closed
	}
	if err != nil {
		_ = conn.Close() // the first error is the one to tell
		return nil, err
	}
	return tunnel, nil
}

// withPort is the host of a proxy with its port.
func withPort(u *url.URL) string {
	if u.Port() != "" {
		return u.Host
	}
	return net.JoinHostPort(u.Hostname(), map[string]string{"http": "80", "https": "443"}[u.Scheme])
}

// tunnel asks a proxy of HTTP to connect.
func (c *Reach) tunnel(ctx context.Context, conn net.Conn, u *url.URL, address string) (net.Conn, error) {
	if u.Scheme == "https" {
		conf, err := c.TLS()
		if err != nil {
			return nil, err
		}
		conf.ServerName, conf.Certificates = u.Hostname(), nil
		secure := tls.Client(conn, conf)
		if err := secure.HandshakeContext(ctx); err != nil {
			return nil, fmt.Errorf("connect to the proxy: %w", err)
		}
		conn = secure
	}
	head := "CONNECT " + address + " HTTP/1.1\r\nHost: " + address + "\r\n"
	if u.User != nil {
		password, _ := u.User.Password()
		head += "Proxy-Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(u.User.Username()+":"+password)) + "\r\n"
	}
	if _, err := io.WriteString(conn, head+"\r\n"); err != nil {
		return nil, fmt.Errorf("ask the proxy: %w", err)
	}
	r := bufio.NewReader(conn)
	answer, err := http.ReadResponse(r, &http.Request{Method: http.MethodConnect})
	if err != nil {
		return nil, errors.New("the proxy does not answer as one of HTTP does")
	}
	_ = answer.Body.Close() // there is none
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the proxy answers %d %s", answer.StatusCode, http.StatusText(answer.StatusCode)) // its own words may repeat the password
	}
	return &begun{conn, r}, nil
}

// begun is a connection of which some has been read.
type begun struct {
	net.Conn
	r *bufio.Reader
}

func (b *begun) Read(to []byte) (int, error) { return b.r.Read(to) }

// behind checks the destination where a proxy dials it: its addresses, as far as they are known here. A name that is known to the
// proxy alone is the proxy's to judge.
func (c *Reach) behind(ctx context.Context, host string) error {
	if err := c.reaches(host); err != nil {
		return err
	}
	check := allowed
	if c.AllowPrivate {
		check = noMetadata
	}
	all, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil //nolint:nilerr // the proxy may know the name
	}
	for _, a := range all {
		if err := check(a); err != nil {
			return err
		}
	}
	return nil
}
