// Package library holds the rules that we ship.
package library

import "embed"

// Files are the rules, one YAML file each, remediation.yaml, and the base records of tests in samples.
//
//go:embed *.yaml samples/*.json
var Files embed.FS
