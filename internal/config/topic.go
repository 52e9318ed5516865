package config

import (
	"time"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/strictyaml"
)

// Topic is a source of a Kafka topic. Without brokers it lies on the Kafka of the key kafka. With a connection string, or a
// namespace and a credential, it is an event hub behind the Kafka endpoint of Event Hubs.
type Topic struct {
	Name      string
	Topic     string
	Kafka     Kafka
	Latest    bool
	Since     time.Time
	Tenants   []string
	EventHubs EventHubsEndpoint
}

// EventHubsEndpoint is the Kafka endpoint of an Event Hubs namespace.
type EventHubsEndpoint struct {
	ConnectionString string
	Namespace        string
	Credential       Credential
}

func (c *Config) topic(d *strictyaml.Doc, n *yaml.Node) (t Topic) {
	k, e := &t.Kafka, &t.EventHubs
	d.Fields(n, map[string]func(*yaml.Node){
		"name":              func(n *yaml.Node) { t.Name = d.Text(n) },
		"topic":             func(n *yaml.Node) { t.Topic = d.Text(n) },
		"start":             func(n *yaml.Node) { t.Latest, t.Since = start(d, n) },
		"tenants":           func(n *yaml.Node) { t.Tenants = d.Texts(n) },
		"brokers":           func(n *yaml.Node) { k.Brokers = Brokers(d, n) },
		"tls":               func(n *yaml.Node) { k.TLS = d.Bool(n) },
		"ca_file":           func(n *yaml.Node) { k.CAFile, k.TLS = c.certificates(d, n), true },
		"sasl":              func(n *yaml.Node) { k.Mechanism, k.User, k.Password = c.sasl(d, n) },
		"connection_string": func(n *yaml.Node) { e.ConnectionString = connectionString(d, n, c.Folder) },
		"namespace":         func(n *yaml.Node) { e.Namespace = hostName(d, n) },
		"credential":        func(n *yaml.Node) { e.Credential = c.credential(d, n) },
	})
	switch {
	case t.Topic == "":
		d.At(n, "missing", "a kafka source needs the key topic")
	case e.Namespace != "" && e.Credential.Kind == "":
		d.At(n, "missing", "a namespace needs the key credential")
	case k.Mechanism != "" && e.ConnectionString+e.Namespace != "":
		d.At(n, "value", "the keys sasl and connection_string or namespace exclude each other")
	case len(k.Brokers) == 0 && e.ConnectionString+e.Namespace == "" && (k.TLS || k.Mechanism != ""):
		d.At(n, "missing", "the keys tls, ca_file and sasl go with the key brokers")
	}
	return t
}
