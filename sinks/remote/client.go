package remote

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"

	"noroshi/internal/alert"
	"noroshi/sinks"
)

// maxAnswer is how much of an answer is read where a request does not say, so that the connection can be used again.
const maxAnswer = 64 << 10

// Client sends requests to one address. It is used from one goroutine.
type Client struct {
	*Vault
	conf Config
	url  *url.URL
	env  sinks.Env

	transport *http.Transport
	imprint   string // of the files that the transport was made with
}

// New checks the configuration.
func New(c Config, env sinks.Env) (*Client, error) {
	if c.Address != nil {
		c.URL, _ = c.Address() // it is read again with each request
	}
	u, err := c.address()
	if err != nil {
		return nil, err
	}
	if c.Timeout == 0 {
		c.Timeout = DefaultTimeout
	}
	cl := &Client{Vault: NewVault(u.Hostname(), env), conf: c, url: u, env: env}
	cl.secrets.AddURL(u)
	for _, s := range c.Headers {
		text, _ := s() // it is read again with each request
		cl.secrets.Add(text)
	}
	if cl.transport, err = cl.dial(); err != nil {
		return nil, err
	}
	cl.imprint = c.imprint()
	return cl, nil
}

// Way is how others reach their hosts as this sink does, where it has a proxy or authorities of its own; else nil.
func (c *Client) Way() http.RoundTripper {
	if c.conf.Proxy == "" && c.conf.CAFile == "" {
		return nil
	}
	return way{c}
}

// way sends requests by a client's transport as it is then.
type way struct{ of *Client }

func (w way) RoundTrip(r *http.Request) (*http.Response, error) { return w.of.transport.RoundTrip(r) }

// Now is the time.
func (c *Client) Now() time.Time { return c.env.Now() }

// dial makes what dials, with the certificates as they are.
func (c *Client) dial() (*http.Transport, error) {
	conf, err := c.conf.TLS()
	if err != nil {
		return nil, err
	}
	t := &http.Transport{TLSClientConfig: conf, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 2, IdleConnTimeout: 90 * time.Second,
		TLSHandshakeTimeout: min(tlsTimeout, c.conf.Timeout), MaxResponseHeaderBytes: 256 << 10, DialContext: c.conf.Dialer().DialContext}
	if c.conf.HTTP2 {
		t.Protocols = &http.Protocols{}
		t.Protocols.SetHTTP2(true)
		t.Protocols.SetUnencryptedHTTP2(true)
	}
	if c.conf.Proxy == "" {
		return t, nil
	}
	proxy, err := url.Parse(c.conf.Proxy)
	if err != nil {
		return nil, ErrProxy
	}
	c.secrets.AddURL(proxy)
	t.Proxy = http.ProxyURL(proxy)
	t.DialContext = nearby().DialContext
	return t, nil
}

// refresh takes certificates that have changed. Those that cannot be read leave the ones of before.
func (c *Client) refresh() {
	c.moved()
	now := c.conf.imprint()
	if now == c.imprint {
		return
	}
	t, err := c.dial()
	c.warn("certificates", err)
	if err != nil {
		return
	}
	c.transport.CloseIdleConnections()
	c.transport, c.imprint = t, now
}

// moved takes an address that has changed. A broken address is not taken; the one before stays.
func (c *Client) moved() {
	if c.conf.Address == nil {
		return
	}
	next := c.conf
	if next.URL = c.Secret("url", c.conf.Address); next.URL == c.conf.URL {
		return
	}
	u, err := next.address()
	if c.warn("address", err); err != nil {
		return
	}
	c.secrets.AddURL(u)
	c.conf, c.url = next, u
}

// Request is one request.
type Request struct {
	Method string            // POST where it is empty
	Path   string            // behind the address's own
	Query  url.Values        // beside the address's own
	Header map[string]string // beside those of the configuration
	Body   []byte
	Shown  []byte // what a preview shows for a body that nobody reads; nil: the body
	Gzip   bool   // the body is compressed
	Most   int    // bytes of the answer that are read; 64 KiB where 0
}

// Answer is what the destination says.
type Answer struct {
	Status     int
	Header     http.Header
	Trailer    http.Header // what stands behind the body
	Body       []byte
	Err        error         // why the body is not whole
	RetryAfter time.Duration // 0: it does not say
}

// OK reports whether the request has succeeded.
func (a *Answer) OK() bool { return a.Status/100 == 2 }

// Do sends a request once. An error is a fault of the destination, redirects among them; all other answers are the caller's to judge.
func (c *Client) Do(ctx context.Context, r Request) (*Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, c.conf.Timeout)
	defer cancel()
	c.refresh()
	if c.conf.Proxy != "" {
		if err := c.conf.behind(ctx, c.Host()); err != nil {
			return nil, c.Fault("post alerts", err)
		}
	}
	req, err := c.request(ctx, r)
	if err != nil {
		return nil, c.Fault("make request", err)
	}
	if c.env.Preview != nil {
		if r.Shown != nil {
			return nil, c.show(req, r.Shown)
		}
		return nil, c.show(req, r.Body)
	}
	client := &http.Client{Transport: c.transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		return nil, c.Fault("post alerts", err)
	}
	defer res.Body.Close()
	if res.StatusCode/100 == 3 {
		to := "another address"
		if u, err := res.Location(); err == nil {
			to = alert.OneLine(c.secrets.Hide(u.Host), maxText)
		}
		return nil, &sinks.Fault{Cause: fmt.Errorf("post alerts: status %d redirects to %s; redirects are refused, name the final address", res.StatusCode, to)}
	}
	return c.answer(res, r.Most), nil
}

// answer reads as much of an answer as is wanted.
func (c *Client) answer(res *http.Response, most int) *Answer {
	if most == 0 {
		most = maxAnswer
	}
	c.env.Answer.SetStatus(res.StatusCode)
	a := &Answer{Status: res.StatusCode, Header: res.Header, RetryAfter: sinks.RetryAfter(res.Header.Get("Retry-After"), c.env.Now())}
	body, err := io.ReadAll(io.LimitReader(res.Body, int64(most)+1))
	switch {
	case err != nil:
		a.Err = c.Fault("read answer", err)
	case len(body) > most:
		body, a.Err = body[:most], c.Fault("read answer", fmt.Errorf("it has more than %d bytes", most))
	}
	a.Body, a.Trailer = body, res.Trailer
	return a
}

func (c *Client) request(ctx context.Context, r Request) (*http.Request, error) {
	to := c.url
	if r.Path != "" {
		to = to.JoinPath(r.Path)
	}
	if len(r.Query) > 0 {
		with := *to
		with.RawQuery = strings.TrimPrefix(with.RawQuery+"&"+r.Query.Encode(), "&")
		to = &with
	}
	body := r.Body
	if r.Gzip {
		body = Packed(body)
	}
	method := r.Method
	if method == "" {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(ctx, method, to.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	for k, s := range c.conf.Headers {
		req.Header.Set(k, c.Secret("headers", s))
	}
	if trace := sinks.Carried(ctx); trace != "" {
		req.Header.Set("Traceparent", trace)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "noroshi/"+c.env.Version)
	for k, v := range r.Header {
		req.Header.Set(k, v)
	}
	if r.Gzip {
		req.Header.Set("Content-Encoding", "gzip")
	}
	return req, nil
}

// Packed is a body compressed by gzip.
func Packed(body []byte) []byte {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed) // the level is one that there is
	_, _ = w.Write(body)                            // a buffer takes all
	_ = w.Close()
	return b.Bytes()
}
