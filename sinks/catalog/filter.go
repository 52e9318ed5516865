package catalog

import (
	"slices"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/alert"
	"noroshi/internal/strictyaml"
	"noroshi/sinks"
)

// Wants reads which alerts a sink is for, of the keys min_severity, rules and classes. Without any it is for all, which nil says. An
// alert must satisfy each key that is there.
func Wants(d *strictyaml.Doc, keys map[string]*yaml.Node) func(*sinks.Message) bool {
	least, rules, classes := 0, []string(nil), []string(nil)
	if n := keys["min_severity"]; n != nil {
		least = slices.Index(alert.Severities, d.OneOf(n, "severity", alert.Severities...))
	}
	if n := keys["rules"]; n != nil {
		rules = some(d, n, d.Texts(n))
	}
	if n := keys["classes"]; n != nil {
		for _, item := range d.Items(n) {
			classes = append(classes, d.OneOf(item, "class", alert.Classes...))
		}
		some(d, n, classes)
	}
	if len(keys) == 0 {
		return nil
	}
	return func(m *sinks.Message) bool {
		severity := slices.Index(alert.Severities, m.Severity)
		return (severity < 0 || severity >= least) && (rules == nil || slices.Contains(rules, m.Rule)) && (classes == nil || slices.Contains(classes, m.Class))
	}
}

// some refuses an empty list: a sink for nothing is a mistake.
func some(d *strictyaml.Doc, n *yaml.Node, all []string) []string {
	if len(all) == 0 && n.Kind == yaml.SequenceNode {
		d.At(n, "value", "the list is empty, so the sink would be for no alert")
	}
	return all
}
