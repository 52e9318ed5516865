// Package config reads the configuration file.
package config

import (
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/certs"
	"noroshi/internal/diag"
	"noroshi/internal/event"
	"noroshi/internal/list"
	"noroshi/internal/regular"
	"noroshi/internal/strictyaml"
	"noroshi/internal/watch"
)

// Config is the configuration of everything.
type Config struct {
	Kafka   Kafka
	Sources []Source
	Rules   []string // folders and files beside the shipped library
	Lists   list.Set // those of tenants are parts of them
	Sinks   []Sink
	Admin   Admin
	Watch   Watch

	Telemetry Telemetry

	Library    *yaml.Node // what it says of shipped rules, for package rules to read
	Exceptions *yaml.Node // likewise

	Geography *list.Geography // nil: no database
	Lateness  event.Lateness  // where it differs from the usual

	Secrets *diag.Secrets // what no message may show
	Folder  string        // of the file: relative paths start here

	// Certificates are the files of certificates that it names.
	Certificates []string

	Files []string          // that were read, and the files and folders of rules
	fixed map[string]string // see Differs
}

// Kafka says where the topics lie. Without brokers they lie in the process.
type Kafka struct {
	Brokers    []string
	Data       string // folder of the embedded broker
	Prefix     string // of topic names
	Partitions int
	Cap        int64 // bytes that the embedded broker's log may take
	Sync       bool  // the embedded broker's log is on the disk before a position is stored
	CAFile     string
	TLS        bool
	User       string
	Password   string
	Mechanism  string
	// Transactions are used where the brokers have them; off, records come at least once.
	Transactions bool
}

// Source is one source of records.
type Source struct {
	Kind     string
	File     File
	EventHub EventHub
	Topic    Topic
	O365     O365
	At       *yaml.Node // for what is wrong with it as a whole
}

// File is a source of files.
type File struct {
	Paths  []string
	At     []*yaml.Node // of each path
	Follow bool
	Poll   time.Duration
}

// Sink is one destination; its own keys are read by its room.
type Sink struct {
	Name string
	Kind string
	Node *yaml.Node
	// Terms are the keys that say how it is delivered to, whatever its kind, as far as they are there.
	Terms map[string]*yaml.Node
}

// terms are the keys that say how a sink is delivered to.
var terms = []string{"min_severity", "rules", "classes", "max_age", "rate", "redact", "redact_key"}

// Default is the configuration where there is no file.
func Default() *Config {
	return &Config{Kafka: Kafka{Prefix: "noroshi.", Partitions: 4, Cap: 1 << 30, Sync: true, Transactions: true, Data: "noroshi-data"},
		Watch: Watch{Enabled: true, Options: watch.Usual()}, Telemetry: Telemetry{OTLP: OTLP{Metrics: true}},
		Lists: list.Set{}, Lateness: event.Lateness{}, Secrets: &diag.Secrets{}, Folder: "."}
}

// closed are the keys whose values are secrets or hold them.
var closed = []string{"password", "secret", "secrets", "connection_string", "headers", "token", "api_key", "routing_key", "redact_key"}

// Read reads a configuration file. Kinds are the sinks that there are. All problems are reported at once. Of the keys that are left out
// nothing is read but their names.
func Read(path string, kinds []string, without ...string) (*Config, *strictyaml.Doc, []diag.Problem) {
	c := Default()
	c.Folder, c.Files = filepath.Dir(path), []string{path}
	data, err := regular.Read(path, strictyaml.MaxSize)
	if err != nil {
		return c, nil, []diag.Problem{{File: path, Code: "read", Level: diag.Error, Message: "cannot be read: " + err.Error()}}
	}
	d := strictyaml.ParsePrivate(path, data, closed...)
	c.Secrets = d.Secrets
	more := c.read(d, kinds, without)
	c.Files = slices.Concat([]string{path}, d.Reads, c.Rules)
	return c, d, append(d.Problems, more...)
}

// Trace reads a traced document, which then says what a configuration may hold.
func Trace(d *strictyaml.Doc, kinds []string) { Default().read(d, kinds, nil) }

func (c *Config) read(d *strictyaml.Doc, kinds, without []string) (more []diag.Problem) {
	var tenants *yaml.Node
	if d.Root != nil {
		keys := map[string]func(*yaml.Node){
			"kafka":   func(n *yaml.Node) { c.kafka(d, n) },
			"sources": func(n *yaml.Node) { c.sources(d, n) },
			"rules": func(n *yaml.Node) {
				for _, p := range d.Texts(n) {
					c.Rules = append(c.Rules, c.path(p))
				}
			},
			"lists":      func(n *yaml.Node) { c.Lists, more = list.Read(d, n, c.Folder) },
			"geography":  func(n *yaml.Node) { c.Geography = list.ReadGeography(d, n, c.Folder) },
			"lateness":   func(n *yaml.Node) { c.lateness(d, n) },
			"tenants":    func(n *yaml.Node) { tenants = n },
			"library":    func(n *yaml.Node) { c.Library = n },
			"exceptions": func(n *yaml.Node) { c.Exceptions = n },
			"sinks":      func(n *yaml.Node) { c.sinks(d, n, kinds) },
			"admin":      func(n *yaml.Node) { c.admin(d, n) },
			"watch":      func(n *yaml.Node) { c.watch(d, n) },
			"telemetry":  func(n *yaml.Node) { c.telemetry(d, n) },
		}
		for _, key := range without {
			keys[key] = func(*yaml.Node) {}
		}
		d.Fields(d.Root, keys)
	}
	c.fixed = fixed(d, c.Folder, without)
	c.comeLate(d.Root)
	if tenants != nil { // after the lists, wherever they stand
		more = append(more, c.tenants(d, tenants)...)
	}
	c.Certificates = CertificateFiles(d, c.Folder)
	return more
}

var (
	tenantPattern = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	tenantName    = regexp.MustCompile(`^[a-z][a-z.-]{0,63}$`) // is told though it is no id: a secret hardly is one
)

// tenants reads what holds for single tenants.
func (c *Config) tenants(d *strictyaml.Doc, n *yaml.Node) (problems []diag.Problem) {
	known := map[string]bool{}
	is := d.Named(n, "ids of tenants", func(at, v *yaml.Node) {
		id := strings.ToLower(at.Value)
		switch {
		case !tenantPattern.MatchString(id):
			name := "this"
			if tenantName.MatchString(at.Value) {
				name = strconv.Quote(at.Value)
			}
			d.At(at, "value", name+" is no tenant id; expected one such as 11112222-3333-4444-5555-666677778888, the field organization.id of its records")
		case known[id]:
			d.At(at, "duplicate-key", "the tenant "+id+" stands here twice")
		}
		known[id] = true
		d.Fields(v, map[string]func(*yaml.Node){
			"name":  func(n *yaml.Node) { d.Text(n) },
			"lists": func(n *yaml.Node) { problems = append(problems, c.Lists.ReadTenant(d, n, c.Folder, id)...) },
		})
	})
	if !is {
		d.At(n, "type", "expected keys with values, got "+d.Kind(n))
	}
	return problems
}

// path makes a path of the file relative to the file's folder.
func (c *Config) path(p string) string { return under(c.Folder, p) }

func under(folder, p string) string {
	if filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(folder, p)
}

// pathAt reads a path.
func (c *Config) pathAt(d *strictyaml.Doc, n *yaml.Node) string {
	p := c.path(d.Text(n))
	d.Expect(n, strictyaml.Form{Type: strictyaml.TypeText, As: "a path"})
	return p
}

// certificates is the path of a file of certificates, which is read at once: a mistake in it is told with its place.
func (c *Config) certificates(d *strictyaml.Doc, n *yaml.Node) string {
	path := c.pathAt(d, n)
	if _, err := certs.Read(path); err != nil {
		d.At(n, "read", err.Error())
	}
	return path
}

// maxKey bounds a certificate with its key and those above it, in bytes.
const maxKey = 1 << 20

// keyFile is the path of a file with a certificate and its key, which is read at once, too.
func (c *Config) keyFile(d *strictyaml.Doc, n *yaml.Node) string {
	path := c.pathAt(d, n)
	if _, err := small(path, maxKey); err != nil {
		d.At(n, "read", "the certificate cannot be read: "+err.Error())
	}
	return path
}

func (c *Config) kafka(d *strictyaml.Doc, n *yaml.Node) {
	k := &c.Kafka
	d.Fields(n, map[string]func(*yaml.Node){
		"brokers":      func(n *yaml.Node) { k.Brokers = Brokers(d, n) },
		"data":         func(n *yaml.Node) { k.Data = c.pathAt(d, n) },
		"prefix":       func(n *yaml.Node) { k.Prefix = d.Text(n) },
		"partitions":   func(n *yaml.Node) { k.Partitions = d.Int(n, 1, 256) },
		"cap_mib":      func(n *yaml.Node) { k.Cap = int64(d.Int(n, 64, 1<<20)) << 20 },
		"sync":         func(n *yaml.Node) { k.Sync = d.Bool(n) },
		"transactions": func(n *yaml.Node) { k.Transactions = d.Bool(n) },
		"tls":          func(n *yaml.Node) { k.TLS = d.Bool(n) },
		"ca_file":      func(n *yaml.Node) { k.CAFile, k.TLS = c.certificates(d, n), true },
		"sasl":         func(n *yaml.Node) { k.Mechanism, k.User, k.Password = c.sasl(d, n) },
	})
}

func (c *Config) sasl(d *strictyaml.Doc, n *yaml.Node) (mechanism, user, password string) {
	d.Fields(n, map[string]func(*yaml.Node){
		"mechanism": func(n *yaml.Node) { mechanism = d.OneOf(n, "value", "plain", "scram-sha-256", "scram-sha-512") },
		"user":      func(n *yaml.Node) { user = d.Text(n) },
		"password":  func(n *yaml.Node) { password = Secret(d, n, c.Folder) },
	})
	return mechanism, user, password
}

func (c *Config) sources(d *strictyaml.Doc, n *yaml.Node) {
	for _, item := range d.Items(n) {
		s := Source{At: item}
		one := func(kind string, read func(n *yaml.Node)) func(n *yaml.Node) {
			return func(n *yaml.Node) {
				if s.Kind != "" {
					d.At(n, "value", "the source is a "+s.Kind+" already; make it two sources")
				}
				s.Kind = kind
				read(n)
			}
		}
		d.Fields(item, map[string]func(*yaml.Node){
			"file":     one("file", func(n *yaml.Node) { s.File = c.file(d, n) }),
			"kafka":    one("kafka", func(n *yaml.Node) { s.Topic = c.topic(d, n) }),
			"eventhub": one("eventhub", func(n *yaml.Node) { s.EventHub = c.eventHub(d, n) }),
			"o365":     one("o365", func(n *yaml.Node) { s.O365 = c.o365(d, n) }),
		})
		c.Sources = append(c.Sources, s)
	}
}

func (c *Config) file(d *strictyaml.Doc, n *yaml.Node) File {
	f := File{Follow: true, Poll: 250 * time.Millisecond}
	d.Fields(n, map[string]func(*yaml.Node){
		"paths": func(n *yaml.Node) {
			for _, item := range d.Items(n) {
				if p := d.Text(item); p != "" {
					f.Paths, f.At = append(f.Paths, c.path(p)), append(f.At, item)
				}
			}
		},
		"follow": func(n *yaml.Node) { f.Follow = d.Bool(n) },
		"poll":   func(n *yaml.Node) { f.Poll = d.Duration(n) },
	})
	if len(f.Paths) == 0 {
		d.At(n, "missing", "a file source needs the key paths")
	}
	return f
}

func (c *Config) sinks(d *strictyaml.Doc, n *yaml.Node, kinds []string) {
	names := map[string]bool{}
	for _, item := range d.Items(n) {
		s := Sink{Terms: map[string]*yaml.Node{}}
		keys := map[string]func(*yaml.Node){
			"name":  func(n *yaml.Node) { s.Name = c.sinkName(d, n, names) },
			"reads": func(n *yaml.Node) { d.OneOf(n, "value", "alerts") },
		}
		for _, k := range terms {
			keys[k] = func(n *yaml.Node) { s.Terms[k] = n }
		}
		for _, k := range kinds {
			keys[k] = func(n *yaml.Node) {
				if s.Kind != "" {
					d.At(n, "value", "the sink is a "+s.Kind+" already; make it two sinks")
				}
				s.Kind, s.Node = k, n
			}
		}
		d.Fields(item, keys)
		switch {
		case s.Name == "":
			d.At(item, "missing", "a sink needs the key name")
		case s.Kind == "":
			d.At(item, "missing", "a sink needs one of the keys "+strings.Join(kinds, ", "))
		}
		c.Sinks = append(c.Sinks, s)
	}
}

var namePattern = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

func (c *Config) sinkName(d *strictyaml.Doc, n *yaml.Node, taken map[string]bool) string {
	name := d.Text(n)
	d.Expect(n, strictyaml.Form{Type: strictyaml.TypeText, As: "lower case letters, digits and hyphens"})
	switch {
	case name == "":
	case !namePattern.MatchString(name):
		d.At(n, "value", "the name of a sink is lower case letters, digits and hyphens, at most 63")
	case taken[name]:
		d.At(n, "value", "the name is taken: each sink has its own place in the topic")
	}
	taken[name] = true
	return name
}
