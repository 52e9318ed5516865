// Package webhook posts alerts as Standard Webhooks.
package webhook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/textproto"
	"net/url"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	yaml "go.yaml.in/yaml/v4"
	"golang.org/x/net/http/httpguts"

	"noroshi/internal/alert"
	"noroshi/internal/certs"
	"noroshi/internal/diag"
	"noroshi/internal/strictyaml"
	"noroshi/sinks"
)

// Config says where to post and how.
type Config struct {
	URL          string
	Secrets      []string // whsec_ and base64 of 24 to 64 bytes; two while one replaces the other
	Headers      map[string]string
	CAFile       string
	AllowPrivate bool // loopback and private addresses too
	AllowHTTP    bool // without TLS
}

// maxAnswer is how much of an answer is read, so that the connection can be used again.
const maxAnswer = 64 << 10

// maxText is how many characters of an answer or a fault are told.
const maxText = 200

// Read reads the sink's part of the configuration. Secrets, and headers that hold them, are references that secret resolves.
func Read(d *strictyaml.Doc, n *yaml.Node, folder string, secret func(*yaml.Node) string) Config {
	c := Config{Headers: map[string]string{}}
	d.Fields(n, map[string]func(*yaml.Node){
		"url": func(n *yaml.Node) { c.URL = d.Text(n) },
		"secrets": func(n *yaml.Node) {
			for _, s := range d.Items(n) {
				text := secret(s)
				if _, err := Key(text); err != nil && text != "" {
					d.At(s, "secret", err.Error())
				}
				c.Secrets = append(c.Secrets, text)
			}
		},
		"headers": func(n *yaml.Node) {
			c.headers(d, n, secret)
		},
		"ca_file": func(n *yaml.Node) {
			c.CAFile = path(folder, d.Text(n))
			if _, err := certs.Read(c.CAFile); err != nil {
				d.At(n, "read", err.Error())
			}
		},
		"allow_private": func(n *yaml.Node) { c.AllowPrivate = d.Bool(n) },
		"allow_http":    func(n *yaml.Node) { c.AllowHTTP = d.Bool(n) },
	})
	if d.Errors() == 0 {
		if _, err := New(c, sinks.Env{}); err != nil {
			d.At(n, "webhook", err.Error())
		} else if err := c.reaches(); err != nil {
			d.At(n, "webhook", err.Error())
		}
	}
	return c
}

// reaches tells of a url that holds an address, not a name, what the guard will say when it is dialled.
func (c *Config) reaches() error {
	u, err := url.Parse(c.URL)
	if err != nil {
		return err
	}
	a, ok := literal(u.Hostname())
	if !ok {
		return nil // a name: its addresses are known when it is dialled
	}
	return guard(c.AllowPrivate)("tcp", netip.AddrPortFrom(a, 443).String(), nil)
}

// headers reads names and references. Names are told by their place alone: somebody may have put a value there.
func (c *Config) headers(d *strictyaml.Doc, n *yaml.Node, secret func(*yaml.Node) string) {
	if n.Kind != yaml.MappingNode {
		d.At(n, "type", "expected names of headers with references, got "+d.Kind(n))
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		name := textproto.CanonicalMIMEHeaderKey(k.Value)
		before := d.Errors()
		value := secret(v)
		switch {
		case !httpguts.ValidHeaderFieldName(name):
			d.At(k, "value", "this is no name of a header: letters, digits and hyphens, such as X-Api-Key")
		case seen[name]:
			d.At(k, "value", "the header is named twice; case does not tell names apart")
		case ours[name]:
			d.At(k, "value", "the header is one that the webhook itself sets")
		case d.Errors() == before && !httpguts.ValidHeaderFieldValue(value):
			d.At(v, "value", "the secret holds a newline or another control character, which no header can carry")
		}
		seen[name] = true
		c.Headers[name] = value
	}
}

// ours are the headers that a configuration cannot set.
var ours = map[string]bool{"Content-Type": true, "Content-Length": true, "Transfer-Encoding": true, "Connection": true, "Host": true, "User-Agent": true, "Webhook-Id": true, "Webhook-Timestamp": true, "Webhook-Signature": true}

func path(folder, p string) string {
	if filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(folder, p)
}

// Sink posts to one address, one alert a request.
type Sink struct {
	url     string
	host    string
	keys    [][]byte
	headers map[string]string
	client  *http.Client
	env     sinks.Env
	secrets *diag.Secrets // what its destination may repeat
}

// New checks the configuration.
func New(c Config, env sinks.Env) (*Sink, error) {
	u, err := url.Parse(c.URL)
	switch {
	case err != nil || u.Host == "":
		return nil, errors.New("url is no address such as https://alerts.example.com/hook")
	case u.Scheme != "https" && (u.Scheme != "http" || !c.AllowHTTP):
		return nil, errors.New("url must begin with https://; allow_http: true permits http")
	case u.User != nil:
		return nil, errors.New("url holds a password; put it into headers as a reference")
	case len(c.Secrets) == 0 || len(c.Secrets) > 2:
		return nil, errors.New("secrets holds one reference to a whsec_ secret, two while one replaces the other")
	}
	s := &Sink{url: u.String(), host: u.Hostname(), headers: c.Headers, env: env, secrets: &diag.Secrets{}}
	s.secrets.AddURL(u)
	for _, v := range c.Headers {
		s.secrets.Add(v)
	}
	for i, text := range c.Secrets {
		s.secrets.Add(text)
		key, err := Key(text)
		if err != nil {
			return nil, fmt.Errorf("secret %d: %w", i+1, err)
		}
		s.keys = append(s.keys, key)
	}
	conf := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.CAFile != "" {
		roots, err := certs.Read(c.CAFile)
		if err != nil {
			return nil, err
		}
		conf.RootCAs = roots
	}
	dialer := &net.Dialer{Timeout: 10 * time.Second, Control: guard(c.AllowPrivate)}
	s.client = &http.Client{
		// A proxy would be dialled instead of the destination and make the guard blind, so there is none.
		Transport:     &http.Transport{DialContext: dialer.DialContext, TLSClientConfig: conf, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 2, IdleConnTimeout: 90 * time.Second, TLSHandshakeTimeout: 10 * time.Second},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return s, nil
}

// Key is the key of a secret: whsec_ and base64 of 24 to 64 bytes.
// Source: Standard Webhooks 1.0.0, signature scheme.
func Key(secret string) ([]byte, error) {
	text, ok := strings.CutPrefix(secret, "whsec_")
	key, err := base64.StdEncoding.DecodeString(text)
	if !ok || err != nil || len(key) < 24 || len(key) > 64 {
		return nil, errors.New("a secret is whsec_ and the base64 of 24 to 64 bytes; `echo \"whsec_$(openssl rand -base64 32)\"` makes one")
	}
	return key, nil
}

// Batch implements sinks.Sink.
func (*Sink) Batch() int { return 1 }

// Send implements sinks.Sink. Time and signature are made anew for each attempt, so that a late one is not taken for a replay.
func (s *Sink) Send(ctx context.Context, messages []sinks.Message) error {
	for _, m := range messages {
		if err := s.post(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

// hidden is an error without the secrets that it may repeat, and without its causes, which hold them still.
func (s *Sink) hidden(doing string, err error) error {
	var u *url.Error
	if errors.As(err, &u) { // it names the URL
		err = u.Err
	}
	return fmt.Errorf("%s: %s: %s", doing, s.host, s.said(err.Error()))
}

func (s *Sink) post(ctx context.Context, m sinks.Message) error {
	now := s.env.Now()
	id, stamp, body := m.ID+"_"+strconv.Itoa(m.Revision), strconv.FormatInt(now.Unix(), 10), payload(m)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return s.hidden("make request", err)
	}
	for k, v := range s.headers {
		req.Header.Set(k, v)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "noroshi/"+s.env.Version)
	req.Header.Set("webhook-id", id)
	req.Header.Set("webhook-timestamp", stamp)
	req.Header.Set("webhook-signature", s.signatures(id, stamp, body))
	res, err := s.client.Do(req)
	if err != nil {
		return s.hidden("post alert", err)
	}
	defer res.Body.Close()
	answer, _ := io.ReadAll(io.LimitReader(res.Body, maxAnswer)) // what the destination says is for the log alone
	switch {
	case res.StatusCode/100 == 2:
		return nil
	case res.StatusCode/100 == 3:
		to := "another address"
		if u, err := res.Location(); err == nil {
			to = alert.OneLine(s.secrets.Hide(u.Host), maxText)
		}
		return &sinks.Fault{Cause: fmt.Errorf("post alert: status %d redirects to %s; redirects are refused, name the final address", res.StatusCode, to)}
	}
	return sinks.ByStatus(sinks.Status{Code: res.StatusCode, Text: s.said(string(answer))}, sinks.RetryAfter(res.Header.Get("Retry-After"), now))
}

// said is the first line of what a destination says, as far as it is short text without secrets. They are hidden before the text is
// cut, so that none is cut in two. Of an answer that repeats the request nothing is told but that.
func (s *Sink) said(text string) string {
	if request.MatchString(text) {
		return "the answer repeats the request"
	}
	line, _, _ := strings.Cut(strings.TrimSpace(s.secrets.Hide(strings.ToValidUTF8(text, ""))), "\n")
	return alert.OneLine(strings.TrimSpace(line), maxText)
}

// request is what shows that an answer repeats a request: a signature, a header with its value, the beginning of the body.
var request = regexp.MustCompile(`(?i)\bv1,[a-z0-9+/]{43}=|webhook-timestamp\W{1,8}\d{9}|webhook-id\W{1,8}alrt_|noroshi\.alert\.\w+\W{1,8}timestamp`)

// payload is the body: the kind of event, its time, and the alert unchanged.
func payload(m sinks.Message) []byte {
	b := append([]byte(`{"type":"noroshi.alert.`), m.Status...)
	b = append(b, `","timestamp":"`...)
	b = m.Time.UTC().AppendFormat(b, "2006-01-02T15:04:05.000Z")
	b = append(b, `","data":`...)
	return append(append(b, m.Body...), '}')
}

// signatures are one for each secret, separated by blanks.
func (s *Sink) signatures(id, stamp string, body []byte) string {
	var all []string
	for _, key := range s.keys {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(id + "." + stamp + "."))
		h.Write(body)
		all = append(all, "v1,"+base64.StdEncoding.EncodeToString(h.Sum(nil)))
	}
	return strings.Join(all, " ")
}
