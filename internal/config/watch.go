package config

import (
	"time"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/strictyaml"
	"noroshi/internal/watch"
)

// Watch is how noroshi watches itself.
type Watch struct {
	Enabled bool
	watch.Options
}

// The bounds of the keys of watch.
const (
	leastSilent = 10 * time.Minute
	maxEnds     = 90 * 24 * time.Hour
)

func (c *Config) watch(d *strictyaml.Doc, n *yaml.Node) {
	w := &c.Watch
	d.Fields(n, map[string]func(*yaml.Node){
		"enabled": func(n *yaml.Node) { w.Enabled = d.Bool(n) },
		"off": func(n *yaml.Node) {
			for _, one := range d.Items(n) {
				w.Off = append(w.Off, d.OneOf(one, "value", watch.Rules...))
			}
		},
		"silent_from": func(n *yaml.Node) {
			if w.SilentFrom = within(d, n, maxKeep); w.SilentFrom < leastSilent && d.Errors() == 0 {
				d.At(n, "value", "expected at least 10m: a source may pause for some minutes")
			}
		},
		"ends_within": func(n *yaml.Node) { w.EndsWithin = within(d, n, maxEnds) },
	})
}
