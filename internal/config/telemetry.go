package config

import (
	"net/textproto"
	"net/url"
	"slices"
	"time"

	yaml "go.yaml.in/yaml/v4"
	"golang.org/x/net/http/httpguts"

	"noroshi/internal/strictyaml"
)

// Telemetry says where metrics and traces go, and how the log is written.
type Telemetry struct {
	OTLP OTLP
	Logs Logs
}

// OTLP is a collector of metrics and traces. What is left out the environment says.
type OTLP struct {
	Endpoint string // "": the environment may name one
	Protocol string
	Headers  map[string]string
	CAFile   string
	Interval time.Duration
	Timeout  time.Duration
	Metrics  bool
	Sample   *int // percent of the alerts that have a trace; nil: all
}

// Logs is how the log is written.
type Logs struct {
	Format string // "": text
	Level  string // "": info
}

// What logs can be written as, and from which level on.
var (
	LogFormats = []string{"text", "json"}
	LogLevels  = []string{"debug", "info", "warn", "error"}
)

// The bounds of telemetry.otlp.
const (
	leastInterval = time.Second
	mostInterval  = time.Hour
	leastSend     = 100 * time.Millisecond
	mostSend      = time.Minute
)

func (c *Config) telemetry(d *strictyaml.Doc, n *yaml.Node) {
	t := &c.Telemetry
	d.Fields(n, map[string]func(*yaml.Node){
		"otlp": func(n *yaml.Node) { c.otlp(d, n) },
		"logs": func(n *yaml.Node) {
			d.Fields(n, map[string]func(*yaml.Node){
				"format": func(n *yaml.Node) { t.Logs.Format = d.OneOf(n, "value", LogFormats...) },
				"level":  func(n *yaml.Node) { t.Logs.Level = d.OneOf(n, "value", LogLevels...) },
			})
		},
	})
}

func (c *Config) otlp(d *strictyaml.Doc, n *yaml.Node) {
	o := &c.Telemetry.OTLP
	between := func(n *yaml.Node, least, most time.Duration) (t time.Duration) {
		d.Expect(n, strictyaml.Form{Type: strictyaml.TypeSpan, To: most})
		before := d.Errors()
		if t = d.Duration(n); d.Errors() == before && (t < least || t > most) {
			d.At(n, "value", "the time lies outside "+least.String()+" to "+most.String())
		}
		return t
	}
	d.Fields(n, map[string]func(*yaml.Node){
		"endpoint": func(n *yaml.Node) { o.Endpoint = collectorAddress(d, n) },
		"protocol": func(n *yaml.Node) { o.Protocol = d.OneOf(n, "value", "http", "grpc") },
		"headers":  func(n *yaml.Node) { o.Headers = c.otlpHeaders(d, n) },
		"ca_file":  func(n *yaml.Node) { o.CAFile = c.certificates(d, n) },
		"interval": func(n *yaml.Node) { o.Interval = between(n, leastInterval, mostInterval) },
		"timeout":  func(n *yaml.Node) { o.Timeout = between(n, leastSend, mostSend) },
		"metrics":  func(n *yaml.Node) { o.Metrics = d.Bool(n) },
		"sample_percent": func(n *yaml.Node) {
			percent := d.Int(n, 0, 100)
			o.Sample = &percent
		},
	})
}

// collectorAddress reads the address of a collector. What it says may be a secret, so no message shows it.
func collectorAddress(d *strictyaml.Doc, n *yaml.Node) string {
	before := d.Errors()
	d.Expect(n, strictyaml.Form{Type: strictyaml.TypeText, As: "an address of http or https"})
	text := d.Text(n)
	if d.Errors() > before {
		return ""
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		d.At(n, "value", "expected the address of a collector, such as https://collector.example.com:4318")
	case u.User != nil:
		d.At(n, "value", "the address holds a password; put it into headers as a reference")
	case u.RawQuery != "" || u.Fragment != "":
		d.At(n, "value", "an address of a collector ends with its path")
	}
	return text
}

// ownHeaders are those that the protocol sets.
var ownHeaders = []string{"Content-Type", "Content-Length", "Content-Encoding", "Transfer-Encoding", "Connection", "Host", "User-Agent"}

// otlpHeaders reads names and references. Names are told by their place alone: somebody may have put a value there.
func (c *Config) otlpHeaders(d *strictyaml.Doc, n *yaml.Node) map[string]string {
	d.Expect(n, strictyaml.Form{Type: strictyaml.TypeMixed, As: "names of headers, each with a reference to a secret"})
	if n.Kind != yaml.MappingNode {
		d.At(n, "type", "expected names of headers with references, got "+d.Kind(n))
		return nil
	}
	all := map[string]string{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		name := textproto.CanonicalMIMEHeaderKey(k.Value)
		before := d.Errors()
		value := Secret(d, v, c.Folder)
		switch {
		case !httpguts.ValidHeaderFieldName(name):
			d.At(k, "value", "this is no name of a header: letters, digits and hyphens, such as X-Api-Key")
		case slices.Contains(ownHeaders, name):
			d.At(k, "value", "the header is one that the protocol itself sets")
		case d.Errors() == before && !httpguts.ValidHeaderFieldValue(value):
			d.At(v, "value", "the secret holds a newline or another control character, which no header can carry")
		}
		all[name] = value
	}
	return all
}
