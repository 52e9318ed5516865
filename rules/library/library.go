// Package library holds the rules that we ship.
package library

import "embed"

// Files are the rules, one YAML file each, and remediation.yaml.
//
//go:embed *.yaml
var Files embed.FS
