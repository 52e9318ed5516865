package config

import (
	"slices"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/strictyaml"
)

// certificateKeys are the keys that name files of certificates, wherever they stand.
var certificateKeys = []string{"ca_file", "cert_file", "client_ca_file", "certificate"}

// CertificateFiles are the files of certificates that a configuration names, each once, in its order.
func CertificateFiles(d *strictyaml.Doc, folder string) (all []string) {
	if d == nil || d.Root == nil {
		return nil
	}
	eachKey(d.Root, func(key string, n *yaml.Node) {
		if !slices.Contains(certificateKeys, key) || n.Kind != yaml.ScalarNode || n.Value == "" {
			return
		}
		if path := under(folder, n.Value); !slices.Contains(all, path) {
			all = append(all, path)
		}
	})
	return all
}

// eachKey gives the keys of a document, at all depths.
func eachKey(n *yaml.Node, do func(key string, value *yaml.Node)) {
	for i, c := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 1 {
			do(n.Content[i-1].Value, c)
		}
		eachKey(c, do)
	}
}
