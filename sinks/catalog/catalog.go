// Package catalog lists the sinks there are.
package catalog

import (
	"io"
	"maps"
	"slices"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/config"
	"noroshi/internal/strictyaml"
	"noroshi/sinks"
	"noroshi/sinks/file"
	"noroshi/sinks/stdout"
	"noroshi/sinks/webhook"
)

// Env is what sinks are made with.
type Env struct {
	sinks.Env
	Out    io.Writer
	Folder string // where relative paths of the configuration start
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
	"webhook": func(d *strictyaml.Doc, n *yaml.Node, e Env) (sinks.Sink, error) {
		c := webhook.Read(d, n, e.Folder, func(n *yaml.Node) string { return config.Secret(d, n, e.Folder) })
		return webhook.New(c, e.Env)
	},
}

// Kinds are the keys, sorted.
func Kinds() []string { return slices.Sorted(maps.Keys(All)) }
