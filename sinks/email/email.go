// Package email sends alerts as mails over SMTP.
package email

import (
	"errors"
	"fmt"
	"net"
	"net/mail"
	"slices"
	"strconv"
	"strings"
	"time"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/sinks"
	"noroshi/sinks/page"
	"noroshi/sinks/remote"
)

// Security is how a connection is secured.
type Security string

// The ways there are. Without a word it is Implicit at port 465 and STARTTLS elsewhere.
const (
	STARTTLS Security = "starttls" // in the middle of the conversation, or not at all
	Implicit Security = "implicit" // from its beginning
	Plain    Security = "none"
)

// Config says who writes to whom, and by which server.
type Config struct {
	remote.Reach
	Address  string
	Security Security
	From     string
	To       []string
	User     string
	Password remote.Secret
	Identity remote.Identity // instead of a password
	Timeout  time.Duration   // of connecting, and of each mail
	// Templates are texts of somebody's own.
	Templates *page.Templates
}

const (
	defaultTimeout = 30 * time.Second
	implicitPort   = 465
	maxTo          = 50
)

// Read reads the sink's part of the configuration.
func Read(r remote.Reader, n *yaml.Node) Config {
	c, d := Config{}, r.Doc
	c.AllowPrivate = true // mail servers lie in one's own network
	keys := c.Keys(r)
	keys["address"] = func(n *yaml.Node) { c.Address = d.Text(n) }
	keys["tls"] = func(n *yaml.Node) {
		c.Security = Security(d.OneOf(n, "value", string(STARTTLS), string(Implicit), string(Plain)))
	}
	keys["from"] = func(n *yaml.Node) { c.From = d.Text(n) }
	keys["to"] = func(n *yaml.Node) { c.To = d.Texts(n) }
	keys["user"] = func(n *yaml.Node) { c.User = d.Text(n) }
	keys["password"] = func(n *yaml.Node) { c.Password = r.Secret(n) }
	keys["credential"] = func(n *yaml.Node) { c.Identity = r.Identity(n) }
	keys["templates"] = func(n *yaml.Node) { c.Templates = page.Read(d, n) }
	keys["timeout"] = func(n *yaml.Node) { c.Timeout = d.Within(n, 100*time.Millisecond, 2*time.Minute) }
	r.Read(n, keys, func() error { _, err := New(c, sinks.Env{}); return err })
	return c
}

// Sink sends by one server. It connects for each batch.
type Sink struct {
	Config
	*remote.Vault
	env   sinks.Env
	host  string
	token remote.Token // made with the first mail
	from  *mail.Address
	to    []string         // addresses alone
	left  map[string]bool  // recipients that the server refuses, which the log has been told
	parts map[string]*part // mails that some recipients have, by the names of messages
}

// New checks the configuration.
func New(c Config, env sinks.Env) (*Sink, error) {
	host, port, err := server(c.Address)
	if err != nil {
		return nil, err
	}
	if err := c.Reaches(host); err != nil {
		return nil, err
	}
	if _, err := c.TLS(); err != nil {
		return nil, err
	}
	known := c.Password != nil || c.Identity != nil
	switch {
	case c.Security == "" && port == implicitPort:
		c.Security = Implicit
	case c.Security == "":
		c.Security = STARTTLS
	case c.Security == Plain && (c.CAFile != "" || c.CertFile != "" || c.ServerName != ""):
		return nil, errors.New("certificates belong to TLS, which tls: none switches off")
	case c.Security == Plain && known:
		return nil, errors.New("a login over a connection without TLS is everybody's: leave out tls: none, or the login")
	}
	switch {
	case c.Password != nil && c.Identity != nil:
		return nil, errors.New("password and credential exclude each other")
	case (c.User == "") == known:
		return nil, errors.New("user belongs together with password or credential")
	}
	if c.Timeout == 0 {
		c.Timeout = defaultTimeout
	}
	s := &Sink{Config: c, Vault: remote.NewVault(host, env), env: env, host: host, left: map[string]bool{}, parts: map[string]*part{}}
	if s.from, err = address(c.From); err != nil {
		return nil, fmt.Errorf("from: %w", err)
	}
	if len(c.To) == 0 || len(c.To) > maxTo {
		return nil, fmt.Errorf("to holds 1 to %d addresses; for more people name a distribution list", maxTo)
	}
	for _, text := range c.To {
		a, err := address(text)
		if err != nil {
			return nil, fmt.Errorf("to: %w", err)
		}
		if !slices.Contains(s.to, a.Address) {
			s.to = append(s.to, a.Address)
		}
	}
	if c.Password != nil {
		s.Secret("password", c.Password)
	}
	return s, nil
}

// server is the host and port of an address.
func server(text string) (host string, port int, err error) {
	host, number, err := net.SplitHostPort(text)
	port, bad := strconv.Atoi(number)
	if err != nil || host == "" || bad != nil || port < 1 || port > 65535 {
		return "", 0, errors.New("address is the host and port of a mail server, such as smtp.example.com:587")
	}
	return host, port, nil
}

// address reads the address of a person. What it cannot be is not repeated: somebody may have put a secret there.
func address(text string) (*mail.Address, error) {
	a, err := mail.ParseAddress(text)
	if err != nil || len(a.Address) > 254 || strings.ContainsFunc(a.Address, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, errors.New("expected an address such as soc@example.com or SOC <soc@example.com>, in ASCII")
	}
	return a, nil
}

// Batch implements sinks.Sink. Each mail has a verdict of its own, so no account comes twice.
func (*Sink) Batch() sinks.Batch { return sinks.Batch{Messages: 20, Apart: true} }
