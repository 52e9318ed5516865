// Package syslog sends alerts as syslog messages over TCP and TLS.
package syslog

import (
	"errors"
	"net"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/sinks"
	"noroshi/sinks/format"
	"noroshi/sinks/remote"
)

// Config says where messages go and how they are written.
type Config struct {
	remote.Reach
	Address  string
	Plain    bool // without TLS
	Newlines bool // messages end in a newline instead of beginning with their length
	Format   format.Format
	Facility int
	HostName string
	Timeout  time.Duration // of connecting, and of writing
}

// facilities are the names of facilities, by their number.
// Source: RFC 5424, table 1, with the names of syslog.conf.
var facilities = []string{"kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp", "audit", "alert", "clock",
	"local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"}

// severities are the numbers of severities.
// Source: RFC 5424, table 2: 2 critical, 3 error, 4 warning, 5 notice, 6 informational.
var severities = map[string]int{"critical": 2, "high": 3, "medium": 4, "low": 5, "info": 6}

const local0 = 16

// Read reads the sink's part of the configuration.
func Read(r remote.Reader, n *yaml.Node) Config {
	c, d := Config{Format: format.CEF, Facility: local0}, r.Doc
	c.AllowPrivate = true // receivers of syslog lie in one's own network
	keys := c.Keys(r)
	keys["address"] = func(n *yaml.Node) { c.Address = d.Text(n) }
	keys["tls"] = func(n *yaml.Node) { c.Plain = !d.Bool(n) }
	keys["framing"] = func(n *yaml.Node) { c.Newlines = d.OneOf(n, "value", "octets", "newlines") == "newlines" }
	keys["format"] = func(n *yaml.Node) { c.Format = format.Read(d, n, format.CEF, format.Noroshi, format.ECS, format.OCSF) }
	keys["facility"] = func(n *yaml.Node) { c.Facility = max(0, slices.Index(facilities, d.OneOf(n, "value", facilities...))) }
	keys["host"] = func(n *yaml.Node) {
		if c.HostName = d.Text(n); c.HostName != "" && !token.MatchString(c.HostName) {
			d.At(n, "value", "the name of a host is up to 255 visible characters without blanks")
		}
	}
	r.Read(n, keys, func() error { _, err := New(c, sinks.Env{}); return err })
	return c
}

// token is what a host's name may be.
var token = regexp.MustCompile(`^[!-~]{1,255}$`)

// plainID is an id that needs no escape anywhere.
var plainID = regexp.MustCompile(`^[A-Za-z0-9._:-]{1,100}$`)

// Sink sends to one receiver over one connection. It connects with the first message.
type Sink struct {
	Config
	waits
	env    sinks.Env
	conn   net.Conn
	broke  time.Time // when the last connection was found to have ended
	torn   bool      // it did not end in order
	recent []sent    // what the receiver may have lost when it did
}

// sent are messages that were written at a time.
type sent struct {
	at     time.Time
	frames []byte
}

const defaultTimeout = 15 * time.Second

// New checks the configuration.
func New(c Config, env sinks.Env) (*Sink, error) {
	host, port, err := net.SplitHostPort(c.Address)
	n, bad := strconv.Atoi(port)
	if err != nil || host == "" || bad != nil || n < 1 || n > 65535 {
		return nil, errors.New("address is a host and a port, such as syslog.example.com:6514")
	}
	if err := c.Reaches(host); err != nil {
		return nil, err
	}
	if _, err := c.TLS(); err != nil {
		return nil, err
	}
	if c.Plain && (c.CAFile != "" || c.CertFile != "" || c.ServerName != "") {
		return nil, errors.New("certificates belong to TLS, which tls: false switches off")
	}
	if c.HostName == "" {
		if c.HostName, _ = os.Hostname(); !token.MatchString(c.HostName) {
			c.HostName = "-"
		}
	}
	if c.Timeout == 0 {
		c.Timeout = defaultTimeout
	}
	return &Sink{Config: c, waits: usual, env: env}, nil
}

// Batch implements sinks.Sink.
func (*Sink) Batch() sinks.Batch { return sinks.Batch{Messages: 200, Bytes: 1 << 20} }

// frame appends a message.
// Source: RFC 5424 §6, RFC 6587 §3.4.
func (s *Sink) frame(to []byte, m *sinks.Message) ([]byte, error) {
	severity, known := severities[m.Severity]
	if !known {
		severity = 5
	}
	b := strconv.AppendInt([]byte("<"), int64(s.Facility*8+severity), 10)
	b = m.Time.UTC().AppendFormat(append(b, ">1 "...), "2006-01-02T15:04:05.000Z")
	b = append(b, " "+s.HostName+" noroshi - "...)
	status := "-"
	if plainID.MatchString(m.Status) && len(m.Status) <= 32 {
		status = m.Status
	}
	b = append(b, status...)
	if plainID.MatchString(m.ID) { // ids alone: some receivers read escapes badly
		b = append(b, ` [noroshi@32473 id="`+m.ID+`" revision="`+strconv.Itoa(m.Revision)+`"] `...)
	} else {
		b = append(b, " - "...)
	}
	b, err := s.Format.Append(b, m) // one line, and no byte order mark: some receivers then take CEF and JSON for plain text
	if err != nil {
		return to, err
	}
	if s.Newlines {
		return append(append(to, strings.ReplaceAll(string(b), "\n", " ")...), '\n'), nil
	}
	return append(strconv.AppendInt(to, int64(len(b)), 10), append([]byte{' '}, b...)...), nil
}
