package cli

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"noroshi/ingest/entra"
	"noroshi/ingest/eventhub"
	"noroshi/ingest/file"
	"noroshi/ingest/kafka"
	"noroshi/internal/app"
	"noroshi/internal/bus"
	"noroshi/internal/certs"
	"noroshi/internal/config"
	"noroshi/internal/strictyaml"
	"noroshi/sinks/remote"
)

// makeSources makes the sources of the configuration and starts none. What is wrong goes to the document.
func makeSources(s Streams, conf *config.Config, doc *strictyaml.Doc, r *app.Run, log *slog.Logger) {
	names := map[string]bool{}
	wrong := func(one config.Source, err error) {
		if err != nil {
			doc.At(one.At, "source", conf.Secrets.Hide(err.Error()))
		}
	}
	for _, one := range fileSources(conf.Sources, log) {
		f, err := file.New(one)
		if err != nil {
			wrong(conf.Sources[slices.IndexFunc(conf.Sources, func(c config.Source) bool { return c.Kind == "file" })], err)
			continue
		}
		r.Sources = append(r.Sources, f)
	}
	for _, one := range conf.Sources {
		switch one.Kind {
		case "eventhub":
			stream, err := makeEventHub(s, one.EventHub)
			if err == nil {
				err = add(r, names, app.Feed{Stream: stream, Latest: one.EventHub.Latest, Tenants: one.EventHub.Tenants})
			}
			wrong(one, err)
		case "o365":
			stream, err := makeO365(s, one.O365, log)
			if err == nil {
				err = add(r, names, app.Feed{Stream: stream, Tenants: []string{one.O365.Tenant}})
			}
			wrong(one, err)
		case "kafka":
			stream, err := makeTopic(conf, one.Topic, log)
			if err == nil {
				err = add(r, names, app.Feed{Stream: stream, Latest: one.Topic.Latest, Tenants: one.Topic.Tenants})
			}
			wrong(one, err)
		}
	}
}

// fileSources puts together what is read in the same way: a file that two of them name is read once.
func fileSources(all []config.Source, log *slog.Logger) (some []file.Config) {
	for _, one := range all {
		if one.Kind != "file" {
			continue
		}
		c := file.Config{Paths: one.File.Paths, Follow: one.File.Follow, Poll: one.File.Poll, Now: time.Now, Log: log}
		i := slices.IndexFunc(some, func(o file.Config) bool { return o.Follow == c.Follow && o.Poll == c.Poll })
		if i < 0 {
			some = append(some, c)
			continue
		}
		some[i].Paths = slices.Concat(some[i].Paths, c.Paths)
	}
	return some
}

// maxName leaves room for prefixes: Kafka's own bound is 249.
const maxName = 180

func add(r *app.Run, names map[string]bool, f app.Feed) error {
	name := f.Stream.Name()
	if topic := bus.CheckpointsOf(name); topic != bus.Checkpoints+"."+bus.Topic(name) || len(name) > maxName {
		return fmt.Errorf("a source cannot be named %q: its name becomes one of Kafka, of letters, digits, dot, underscore and hyphen, at most %d", name, maxName)
	}
	if names[name] {
		return fmt.Errorf("there is a source %s already; each has a place of its own in the stream, so give one of them another name", name)
	}
	names[name] = true
	r.Feeds = append(r.Feeds, f)
	return nil
}

// eventHubsKafka is the port of the Kafka endpoint of Event Hubs.
const eventHubsKafka = ":9093"

func makeTopic(conf *config.Config, t config.Topic, log *slog.Logger) (*kafka.Stream, error) {
	k := t.Kafka
	if len(k.Brokers) == 0 && t.EventHubs == (config.EventHubsEndpoint{}) {
		k = conf.Kafka
	}
	c := bus.Config{Brokers: k.Brokers, TLS: k.TLS, CAFile: k.CAFile, User: k.User, Password: k.Password, Mechanism: k.Mechanism, Log: log}
	if e := t.EventHubs; e != (config.EventHubsEndpoint{}) {
		c.EventHubs, c.TLS = true, true
		namespace := e.Namespace
		if e.ConnectionString != "" {
			namespace = eventhub.Namespace(e.ConnectionString)
			c.Mechanism, c.User, c.Password = "plain", "$ConnectionString", e.ConnectionString
		} else {
			cred, err := identity(e.Credential).Credential()
			if err != nil {
				return nil, err
			}
			c.Mechanism, c.Token = "oauthbearer", entra.Tokens(cred, namespace)
		}
		if namespace == "" {
			return nil, errors.New("the connection string has no Endpoint=sb://…; copy it whole from the namespace's shared access policies")
		}
		if len(c.Brokers) == 0 {
			c.Brokers = []string{namespace + eventHubsKafka}
		}
	}
	if len(c.Brokers) == 0 {
		return nil, errors.New("it needs the key brokers: the Kafka in this process has no topics but ours")
	}
	from, err := bus.Connect(c)
	if err != nil {
		return nil, err
	}
	return kafka.New(kafka.Config{Name: t.Name, Topic: t.Topic, Since: t.Since}, from)
}

func identity(k config.Credential) entra.Identity {
	return entra.Identity{Kind: k.Kind, Cloud: k.Cloud, Tenant: k.Tenant, Client: k.Client, Secret: k.Secret, Certificate: k.Certificate, Password: k.Password, TokenFile: k.TokenFile}
}

// tokens gives who asks for tokens. A managed identity, and what is found by itself, asks this machine, which no proxy reaches.
func tokens(k config.Credential) remote.Identity {
	return func(way http.RoundTripper) (remote.Token, error) {
		who := identity(k)
		if way != nil && k.Kind != "managed_identity" && k.Kind != "default" {
			who = who.Through(&http.Client{Transport: way})
		}
		c, err := who.Credential()
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context, host string) (string, error) { return entra.Tokens(c, host)(ctx) }, nil
	}
}

func makeEventHub(s Streams, h config.EventHub) (*eventhub.Stream, error) {
	c := eventhub.Config{Name: h.Name, ConnectionString: h.ConnectionString, Namespace: h.Namespace, Hub: h.Hub, Group: h.ConsumerGroup, Since: h.Since,
		WebSocket: h.WebSocket, Proxy: h.Proxy, Endpoint: h.Endpoint, Now: s.Now}
	if k := h.Credential; k.Kind != "" {
		var err error
		if c.Credential, err = identity(k).Credential(); err != nil {
			return nil, err
		}
	}
	if h.CAFile != "" {
		roots, err := certs.Read(h.CAFile)
		if err != nil {
			return nil, err
		}
		c.TLS = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}
	}
	return eventhub.New(c)
}
