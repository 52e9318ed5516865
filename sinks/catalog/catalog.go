// Package catalog lists the sinks there are.
package catalog

import (
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/config"
	"noroshi/internal/strictyaml"
	"noroshi/sinks"
	"noroshi/sinks/alertmanager"
	"noroshi/sinks/elasticsearch"
	"noroshi/sinks/email"
	"noroshi/sinks/file"
	"noroshi/sinks/heartbeat"
	"noroshi/sinks/kafka"
	"noroshi/sinks/otlp"
	"noroshi/sinks/pagerduty"
	"noroshi/sinks/remote"
	"noroshi/sinks/sentinel"
	"noroshi/sinks/slack"
	"noroshi/sinks/splunk"
	"noroshi/sinks/stdout"
	"noroshi/sinks/syslog"
	"noroshi/sinks/teams"
	"noroshi/sinks/webhook"
)

// Env is what sinks are made with.
type Env struct {
	sinks.Env
	Out    io.Writer
	Folder string // where relative paths of the configuration start
	Prefix string // of the names of our topics
	// Tokens gives who asks Microsoft Entra ID for tokens.
	Tokens func(config.Credential) remote.Identity
}

// Make makes a sink of its part of the configuration; what is wrong there goes to the document.
type Make func(d *strictyaml.Doc, n *yaml.Node, e Env) (sinks.Sink, error)

// All are the sinks, by the key that the configuration gives them.
var All = map[string]Make{
	"stdout": func(d *strictyaml.Doc, n *yaml.Node, e Env) (sinks.Sink, error) {
		d.Fields(n, nil)
		return stdout.New(e.Out), nil
	},
	"file": func(d *strictyaml.Doc, n *yaml.Node, e Env) (sinks.Sink, error) {
		return file.New(file.Read(d, n, e.Folder))
	},
	"email":         over(email.Read, email.New),
	"alertmanager":  over(alertmanager.Read, alertmanager.New),
	"elasticsearch": over(elasticsearch.Read, elasticsearch.New),
	"kafka": func(d *strictyaml.Doc, n *yaml.Node, e Env) (sinks.Sink, error) {
		c := kafka.Read(reader(d, e), n)
		if own, is := strings.CutPrefix(c.Topic, e.Prefix); is && kafka.Own(own) {
			d.At(n, "sink", "the topic is one of Noroshi's own: what a sink writes there would be read again")
		}
		return kafka.New(c, e.Env)
	},
	"otlp":      over(otlp.Read, otlp.New),
	"pagerduty": over(pagerduty.Read, pagerduty.New),
	"sentinel":  over(sentinel.Read, sentinel.New),
	"heartbeat": over(heartbeat.Read, heartbeat.New),
	"slack":     over(slack.Read, slack.New),
	"splunk":    over(splunk.Read, splunk.New),
	"syslog":    over(syslog.Read, syslog.New),
	"teams":     over(teams.Read, teams.New),
	"webhook":   over(webhook.Read, webhook.New),
}

// Templates are what the destinations of some sinks are set up with.
var Templates = map[string]string{"elasticsearch": elasticsearch.Template, "sentinel": sentinel.Template()}

// over is a sink that reaches out over the network.
func over[C any, S sinks.Sink](read func(remote.Reader, *yaml.Node) C, make func(C, sinks.Env) (S, error)) Make {
	return func(d *strictyaml.Doc, n *yaml.Node, e Env) (sinks.Sink, error) {
		return make(read(reader(d, e), n), e.Env)
	}
}

// reader reads a part of the configuration, and what it refers to.
func reader(d *strictyaml.Doc, e Env) remote.Reader {
	return remote.Reader{Doc: d, Folder: e.Folder,
		Secret: func(n *yaml.Node) remote.Secret { return config.Reference(d, n, e.Folder) },
		Proxy:  func(n *yaml.Node) string { return config.Proxy(d, n) },
		Hosts:  func(n *yaml.Node) []string { return config.Brokers(d, n) },
		Identity: func(n *yaml.Node) remote.Identity {
			k := config.ReadCredential(d, n, e.Folder)
			if e.Tokens == nil { // nobody is to send
				return func(http.RoundTripper) (remote.Token, error) {
					return nil, errors.New("there is nobody to ask for tokens")
				}
			}
			return e.Tokens(k)
		}}
}

// Kinds are the keys, sorted.
func Kinds() []string { return slices.Sorted(maps.Keys(All)) }
