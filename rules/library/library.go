// Package library holds the rules that we ship.
package library

import "embed"

// Files are the rules, one YAML file each in the folder of its class, remediation.yaml, incidents.yaml, and the base records of tests in samples.
//
//go:embed *.yaml */*.yaml samples/*.json
var Files embed.FS
