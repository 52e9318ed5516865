// Package reference says what each key of the configuration is.
package reference

import (
	"io"
	"log/slog"
	"maps"
	"slices"
	"time"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/config"
	"noroshi/internal/strictyaml"
	"noroshi/rules"
	"noroshi/sinks"
	"noroshi/sinks/catalog"
)

// shape is what a reader expects of a value.
type shape = strictyaml.Shape

// trace is what the readers of a configuration expect, from the top. It runs them, so that it cannot differ from what they do.
func trace() *shape {
	d := strictyaml.Traced()
	config.Trace(d, catalog.Kinds())
	top := d.Shape()
	rules.Load(rules.Options{Tuning: rules.Tuning{Doc: d, Library: top.Keys["library"].Node, Exceptions: top.Keys["exceptions"].Node}})
	one := top.Keys["sinks"].Items
	env := catalog.Env{Env: sinks.Env{Now: func() (none time.Time) { return none }, Log: slog.New(slog.DiscardHandler)}, Out: io.Discard, Folder: "."}
	for _, kind := range catalog.Kinds() {
		// That it lacks what it needs is no news.
		_, _ = catalog.All[kind](d, one.Keys[kind].Node, env)
	}
	terms := map[string]*yaml.Node{}
	for key, s := range one.Keys {
		if s.Type == "" {
			terms[key] = s.Node
		}
	}
	catalog.Terms(d, "file", terms, env)
	return top
}

// walk calls do with each key below a shape and its path, such as sinks[].webhook.url, in the order of their names.
func walk(s *shape, path string, do func(path string, s *shape)) {
	switch {
	case s.Items != nil:
		walk(s.Items, path+"[]", do)
	case s.Each != nil:
		walk(s.Each, path+".*", do)
	}
	for _, key := range slices.Sorted(maps.Keys(s.Keys)) {
		below := key
		if path != "" {
			below = path + "." + key
		}
		do(below, s.Keys[key])
		walk(s.Keys[key], below, do)
	}
}
