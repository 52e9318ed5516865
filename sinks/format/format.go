// Package format writes alerts as destinations read them: noroshi's own JSON, ECS, OCSF and CEF.
package format

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/alert"
	"noroshi/internal/strictyaml"
	"noroshi/sinks"
)

// Format is a way to write an alert.
type Format string

// The formats.
const (
	Noroshi Format = "noroshi" // the alert's own JSON, unchanged
	ECS     Format = "ecs"     // the Elastic Common Schema, with the alert below noroshi
	OCSF    Format = "ocsf"    // a Detection Finding of the Open Cybersecurity Schema Framework
	CEF     Format = "cef"     // the Common Event Format: one line of text
)

// Read is the format that a configuration names, of those that the sink knows.
func Read(d *strictyaml.Doc, n *yaml.Node, known ...Format) Format {
	var all []string
	for _, f := range known {
		all = append(all, string(f))
	}
	return Format(d.OneOf(n, "value", all...))
}

// Append appends a message in the format. A message that is no alert is refused.
func (f Format) Append(to []byte, m *sinks.Message) ([]byte, error) {
	if f == Noroshi || f == "" {
		return append(to, m.Body...), nil
	}
	a := &alert.Alert{}
	if err := json.Unmarshal(m.Body, a); err != nil {
		return to, &sinks.Refused{Cause: fmt.Errorf("read alert: %w", err)}
	}
	switch f {
	case ECS:
		return appendJSON(to, ecsOf(a, m))
	case OCSF:
		return appendJSON(to, ocsfOf(a, m))
	case CEF:
		return appendCEF(to, a, m), nil
	}
	return to, fmt.Errorf("no format %q", string(f))
}

func appendJSON(to []byte, v any) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return to, &sinks.Refused{Cause: fmt.Errorf("write alert: %w", err)}
	}
	return append(to, b...), nil
}

// address is a text as an address, or "" where it is none: a destination that expects one refuses the whole alert for another text.
func address(text string) string {
	a, err := netip.ParseAddr(text)
	if err != nil {
		return ""
	}
	return a.Unmap().WithZone("").String()
}

// addresses are those of an alert, each once.
func addresses(a *alert.Alert) (all []string) {
	add := func(text string) {
		if ip := address(text); ip != "" && !slices.Contains(all, ip) {
			all = append(all, ip)
		}
	}
	add(a.Source.IP)
	for i := range a.Evidence {
		add(a.Evidence[i].SourceIP)
	}
	return all
}

// names are those who have a part in an alert, each once.
func names(a *alert.Alert) (all []string) {
	for _, name := range []string{a.Account, a.Actor.Name, a.Target} {
		if name != "" && !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return all
}
