// Package remote is how sinks reach destinations over the network: addresses that are allowed, TLS, proxies, secrets that are read
// again, one HTTP request with its bounds, and errors that show no secret.
package remote

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"net/textproto"
	"net/url"
	"path/filepath"
	"time"

	yaml "go.yaml.in/yaml/v4"
	"golang.org/x/net/http/httpguts"

	"noroshi/internal/certs"
	"noroshi/internal/strictyaml"
)

// Secret gives a secret as it is now. Where it cannot be read, it gives the one of before and says why.
type Secret func() (string, error)

// Fixed is a secret that never changes.
func Fixed(text string) Secret { return func() (string, error) { return text, nil } }

// Reach says how a destination is reached.
type Reach struct {
	CAFile       string
	CertFile     string // of the client, where the destination asks for one
	KeyFile      string
	ServerName   string // on the destination's certificate, where it is not the host
	AllowPrivate bool   // loopback and private addresses too
	Proxy        string // "": none
}

// Config says where to post and how.
type Config struct {
	Reach
	URL       string
	Address   Secret // the URL, where it is a secret; it is read again when it changes
	Headers   map[string]Secret
	Timeout   time.Duration // of one request; DefaultTimeout where 0
	AllowHTTP bool          // without TLS
	HTTP2     bool          // HTTP/2 alone, also without TLS
}

// DefaultTimeout is how long one request may take, its answer included.
const DefaultTimeout = 15 * time.Second

// Reader reads the part of a configuration that is a sink's.
type Reader struct {
	Doc    *strictyaml.Doc
	Folder string // where relative paths start
	Secret func(*yaml.Node) Secret
	Proxy  func(*yaml.Node) string
	Hosts  func(*yaml.Node) []string // hosts with ports
	// Identity reads who sends, where Microsoft Entra ID says who may.
	Identity func(*yaml.Node) Identity
}

// Token gives a token of Microsoft Entra ID for a host.
type Token func(ctx context.Context, host string) (string, error)

// Identity makes what gives tokens. It asks by the way, where there is one.
type Identity func(way http.RoundTripper) (Token, error)

// Keys are the keys of a configuration, and what reads them.
type Keys = map[string]func(*yaml.Node)

// Read reads a sink's keys, and then says the first thing that the configuration as a whole lacks.
func (r Reader) Read(n *yaml.Node, keys Keys, tries ...func() error) {
	r.Doc.Fields(n, keys)
	for _, try := range tries {
		if r.Doc.Errors() > 0 {
			return
		}
		if err := try(); err != nil {
			r.Doc.At(n, "sink", err.Error())
		}
	}
}

// Keys are those that say how a destination is reached.
func (c *Reach) Keys(r Reader) Keys {
	d := r.Doc
	return Keys{
		"ca_file": func(n *yaml.Node) {
			c.CAFile = r.path(n)
			if _, err := certs.Read(c.CAFile); err != nil {
				d.At(n, "read", err.Error())
			}
		},
		"cert_file": func(n *yaml.Node) {
			c.CertFile = r.path(n)
			if c.KeyFile == "" {
				c.KeyFile = c.CertFile // a file may hold both
			}
		},
		"proxy":         func(n *yaml.Node) { c.Proxy = r.Proxy(n) },
		"key_file":      func(n *yaml.Node) { c.KeyFile = r.path(n) },
		"server_name":   func(n *yaml.Node) { c.ServerName = d.Text(n) },
		"allow_private": func(n *yaml.Node) { c.AllowPrivate = d.Bool(n) },
	}
}

// Keys are those of all sinks that speak HTTP.
func (c *Config) Keys(r Reader) Keys {
	d := r.Doc
	keys := c.Reach.Keys(r)
	keys["url"] = func(n *yaml.Node) { c.URL = d.Text(n) }
	keys["allow_http"] = func(n *yaml.Node) { c.AllowHTTP = d.Bool(n) }
	keys["timeout"] = func(n *yaml.Node) { c.Timeout = d.Within(n, 100*time.Millisecond, time.Minute) }
	return keys
}

func (r Reader) path(n *yaml.Node) string {
	p := r.Doc.Text(n)
	r.Doc.Expect(n, strictyaml.Form{Type: strictyaml.TypeText, As: "a path"})
	if p == "" || filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(r.Folder, n.Value)
}

// ReadAddress reads a URL that is a secret, as a reference.
func (c *Config) ReadAddress(r Reader, n *yaml.Node) {
	c.Address = r.Secret(n)
	c.URL, _ = c.Address() // what is wrong with it has been told
}

// ReadHeaders reads names and references. Names are told by their place alone: somebody may have put a value there. Ours are those that
// the sink itself sets.
func (c *Config) ReadHeaders(r Reader, n *yaml.Node, ours ...string) {
	d := r.Doc
	d.Expect(n, strictyaml.Form{Type: strictyaml.TypeMixed, As: "names of headers, each with a reference to a secret"})
	if n.Kind != yaml.MappingNode {
		d.At(n, "type", "expected names of headers with references, got "+d.Kind(n))
		return
	}
	c.Headers = map[string]Secret{}
	taken := map[string]bool{"Content-Type": true, "Content-Length": true, "Content-Encoding": true, "Transfer-Encoding": true, "Connection": true, "Host": true, "User-Agent": true}
	for _, name := range ours {
		taken[textproto.CanonicalMIMEHeaderKey(name)] = true
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		name := textproto.CanonicalMIMEHeaderKey(k.Value)
		before := d.Errors()
		secret := r.Secret(v)
		value, _ := secret() // what is wrong with it has been told
		switch {
		case !httpguts.ValidHeaderFieldName(name):
			d.At(k, "value", "this is no name of a header: letters, digits and hyphens, such as X-Api-Key")
		case c.Headers[name] != nil:
			d.At(k, "value", "the header is named twice; case does not tell names apart")
		case taken[name]:
			d.At(k, "value", "the header is one that the sink itself sets")
		case d.Errors() == before && !httpguts.ValidHeaderFieldValue(value):
			d.At(v, "value", "the secret holds a newline or another control character, which no header can carry")
		}
		c.Headers[name] = secret
	}
}

// Check says what is wrong with an address, also that it is a literal one which will be refused.
func (c *Config) Check() error {
	u, err := c.address()
	if err != nil {
		return err
	}
	return c.reaches(u.Hostname())
}

// Reaches tells of a host that is an address, not a name, what will be said when it is dialled.
func (c *Reach) Reaches(host string) error { return c.reaches(host) }

func (c *Reach) reaches(host string) error {
	a, ok := literal(host)
	if !ok {
		return nil // a name: its addresses are known when it is dialled
	}
	return guard(c.AllowPrivate)("tcp", netip.AddrPortFrom(a, 443).String(), nil)
}

func (c *Config) address() (*url.URL, error) {
	u, err := url.Parse(c.URL)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "":
		return nil, errors.New("url is no address such as https://alerts.example.com/hook")
	case u.Scheme != "https" && (u.Scheme != "http" || !c.AllowHTTP):
		return nil, errors.New("url must begin with https://; allow_http: true permits http")
	case u.User != nil:
		return nil, errors.New("url holds a password; put it into headers as a reference")
	}
	return u, nil
}
