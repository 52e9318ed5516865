package config

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/strictyaml"
)

// renewed are the keys whose values a run takes over while it works. The others hold until the next start.
var renewed = []string{"rules", "lists", "geography", "lateness", "tenants", "library", "exceptions"}

// fixed gives for each key that holds until the next start a hash of what it says, and of the secrets that it refers to, but for
// keys that are left out and for secrets that are read again.
func fixed(d *strictyaml.Doc, folder string, without []string) map[string]string {
	all := map[string]string{}
	for i := 0; d.Root != nil && i+1 < len(d.Root.Content); i += 2 {
		if key := d.Root.Content[i].Value; !slices.Contains(renewed, key) && !slices.Contains(without, key) {
			h := sha256.New()
			say(h, d.Root.Content[i+1], folder, key)
			all[key] = hex.EncodeToString(h.Sum(nil))
		}
	}
	return all
}

// readAgain are the keys, by their path, of secrets that are read again while a run works. Another reference needs a restart.
var readAgain = []string{"admin.token"}

func say(to io.Writer, n *yaml.Node, folder, path string) {
	fmt.Fprintf(to, "%d %q %q %d\n", n.Kind, n.Tag, n.Value, len(n.Content))
	if m := secretPattern.FindStringSubmatch(n.Value); n.Kind == yaml.ScalarNode && m != nil && !slices.Contains(readAgain, path) {
		value, _ := secret(m[1], m[2], folder) // one that cannot be read has been told
		fmt.Fprintf(to, "%q\n", value)
	}
	for i, c := range n.Content {
		at := path
		if n.Kind == yaml.MappingNode && i%2 == 1 {
			at += "." + n.Content[i-1].Value
		}
		say(to, c, folder, at)
	}
}

// Differs are the keys that hold until the next start and say something else than in another configuration, sorted.
func (c *Config) Differs(from *Config) (all []string) {
	for key := range c.fixed {
		if c.fixed[key] != from.fixed[key] {
			all = append(all, key)
		}
	}
	for key := range from.fixed {
		if _, have := c.fixed[key]; !have {
			all = append(all, key)
		}
	}
	slices.Sort(all)
	return all
}
