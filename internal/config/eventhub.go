package config

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/regular"
	"noroshi/internal/strictyaml"
)

// EventHub is a source of an event hub.
type EventHub struct {
	Name             string
	ConnectionString string
	Namespace        string
	Hub              string
	ConsumerGroup    string
	Latest           bool      // a first start begins at the end,
	Since            time.Time // or at a time, or else at the oldest message
	Tenants          []string
	WebSocket        bool
	Proxy            string
	Endpoint         string
	CAFile           string
	Credential       Credential
}

// Credential is who reads, where there is no connection string.
type Credential struct{ Kind, Cloud, Tenant, Client, Secret, Certificate, Password, TokenFile string }

// The kinds of credentials and the clouds that have them.
var (
	CredentialKinds  = []string{"default", "workload_identity", "managed_identity", "client_secret", "certificate"}
	CredentialClouds = []string{"public", "government", "china"}
)

func (c *Config) eventHub(d *strictyaml.Doc, n *yaml.Node) (h EventHub) {
	before := d.Errors()
	text := func(to *string) func(*yaml.Node) { return func(n *yaml.Node) { *to = d.Text(n) } }
	d.Fields(n, map[string]func(*yaml.Node){
		"name":              text(&h.Name),
		"connection_string": func(n *yaml.Node) { h.ConnectionString = connectionString(d, n, c.Folder) },
		"namespace":         func(n *yaml.Node) { h.Namespace = hostName(d, n) },
		"hub":               text(&h.Hub),
		"consumer_group":    text(&h.ConsumerGroup),
		"start":             func(n *yaml.Node) { h.Latest, h.Since = start(d, n) },
		"tenants":           func(n *yaml.Node) { h.Tenants = d.Texts(n) },
		"transport":         func(n *yaml.Node) { h.WebSocket = d.OneOf(n, "value", "amqp", "websocket") == "websocket" },
		"proxy":             func(n *yaml.Node) { h.Proxy, h.WebSocket = Proxy(d, n), true },
		"endpoint":          func(n *yaml.Node) { h.Endpoint = hostPort(d, n) },
		"ca_file":           func(n *yaml.Node) { h.CAFile = c.certificates(d, n) },
		"credential":        func(n *yaml.Node) { h.Credential = c.credential(d, n) },
	})
	if h.ConnectionString != "" && h.Credential.Kind != "" {
		d.At(n, "value", "the source has a connection string and a credential; one of them is enough")
	}
	if d.Errors() > before {
		return h
	}
	switch inside := entityPath(h.ConnectionString); {
	case h.ConnectionString == "" && (h.Namespace == "" || h.Credential.Kind == ""):
		d.At(n, "missing", "an event hub needs the key connection_string, or the keys namespace and credential")
	case h.Hub == "" && inside == "":
		d.At(n, "missing", "the event hub has no name: give the key hub, or a connection string with EntityPath")
	case h.Hub != "" && inside != "" && !strings.EqualFold(h.Hub, inside):
		d.At(n, "value", "the connection string is for another event hub than the key hub names")
	}
	return h
}

// start reads latest, earliest or a time.
func start(d *strictyaml.Doc, n *yaml.Node) (latest bool, since time.Time) {
	v := d.Text(n)
	d.Expect(n, strictyaml.Form{Type: strictyaml.TypeText, As: "`earliest`, `latest` or a time such as `2026-01-02T03:04:05Z`"})
	switch v {
	case "latest":
		return true, since
	case "earliest", "":
		return false, since
	default:
		t, err := time.Parse(time.RFC3339, v)
		if err != nil {
			d.At(n, "value", "expected latest, earliest or a time such as 2026-01-02T03:04:05Z, got "+d.Kind(n))
		}
		return false, t.UTC()
	}
}

// ReadCredential reads who asks Microsoft Entra ID, where relative paths start at a folder.
func ReadCredential(d *strictyaml.Doc, n *yaml.Node, folder string) Credential {
	c := &Config{Folder: folder}
	return c.credential(d, n)
}

func (c *Config) credential(d *strictyaml.Doc, n *yaml.Node) (k Credential) {
	text := func(to *string) func(*yaml.Node) { return func(n *yaml.Node) { *to = d.Text(n) } }
	secret := func(to *string) func(*yaml.Node) { return func(n *yaml.Node) { *to = Secret(d, n, c.Folder) } }
	d.Fields(n, map[string]func(*yaml.Node){
		"kind":        func(n *yaml.Node) { k.Kind = d.OneOf(n, "value", CredentialKinds...) },
		"cloud":       func(n *yaml.Node) { k.Cloud = d.OneOf(n, "value", CredentialClouds...) },
		"tenant":      text(&k.Tenant),
		"client":      text(&k.Client),
		"secret":      secret(&k.Secret),
		"certificate": func(n *yaml.Node) { k.Certificate = c.keyFile(d, n) },
		"password":    secret(&k.Password),
		"token_file":  func(n *yaml.Node) { k.TokenFile = c.tokenFile(d, n) },
	})
	if k.Kind == "" {
		d.At(n, "missing", "a credential needs the key kind")
		return k
	}
	if _, known := credentialKeys[k.Kind]; known {
		fitting(d, n, k.Kind)
	}
	return k
}

// tokenFile is where a token lies, or will lie: it need not be there yet.
func (c *Config) tokenFile(d *strictyaml.Doc, n *yaml.Node) string {
	path := c.pathAt(d, n)
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		d.At(n, "read", "the token file cannot be read: "+regular.ErrKind.Error())
	}
	return path
}

// credentialKeys are what a kind of credential needs and what it may have beside kind and cloud.
var credentialKeys = map[string]struct{ needs, may []string }{
	"default":           {nil, []string{"tenant"}},
	"workload_identity": {nil, []string{"tenant", "client", "token_file"}},
	"managed_identity":  {nil, []string{"client"}},
	"client_secret":     {[]string{"tenant", "client", "secret"}, nil},
	"certificate":       {[]string{"tenant", "client", "certificate"}, []string{"password"}},
}

// credentialWords are all keys of credentials.
var credentialWords = []string{"kind", "cloud", "tenant", "client", "secret", "certificate", "password", "token_file"}

// fitting names the keys that a kind of credential lacks, and those that it would ignore.
func fitting(d *strictyaml.Doc, n *yaml.Node, kind string) {
	lacks := slices.Clone(credentialKeys[kind].needs)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i].Value
		if at := slices.Index(lacks, key); at >= 0 {
			lacks = slices.Delete(lacks, at, at+1)
			continue
		}
		if !slices.Contains(credentialWords, key) {
			continue // it has been said
		}
		used := append([]string{"kind", "cloud"}, append(credentialKeys[kind].needs, credentialKeys[kind].may...)...)
		if !slices.Contains(used, key) {
			d.At(n.Content[i], "key", fmt.Sprintf("a credential of kind %s does not use %s; it uses %s", kind, key, strings.Join(used[2:], ", ")))
		}
	}
	if len(lacks) > 0 {
		d.At(n, "missing", fmt.Sprintf("a credential of kind %s needs the key %s", kind, strings.Join(lacks, ", ")))
	}
}
