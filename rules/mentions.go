package rules

import (
	"fmt"

	yaml "go.yaml.in/yaml/v4"
)

// Mention is a place of the configuration that names a rule.
type Mention struct {
	Rule         string
	Says         string // such as library.severity, or exceptions[2]
	Line, Column int
}

// Mentions are the rules that a configuration names one by one, in its order.
func Mentions(t Tuning) (all []Mention) {
	take := func(says string, n *yaml.Node) {
		if n.Kind == yaml.ScalarNode {
			all = append(all, Mention{n.Value, says, n.Line, n.Column})
		}
	}
	each := func(says string, n *yaml.Node) {
		switch {
		case n == nil:
		case n.Kind == yaml.SequenceNode:
			for _, c := range n.Content {
				take(says, c)
			}
		case n.Kind == yaml.MappingNode:
			for i := 0; i+1 < len(n.Content); i += 2 {
				take(says, n.Content[i])
			}
		}
	}
	if t.Library != nil {
		for i := 0; i+1 < len(t.Library.Content); i += 2 {
			each("library."+t.Library.Content[i].Value, t.Library.Content[i+1])
		}
	}
	if t.Exceptions != nil {
		for i, x := range t.Exceptions.Content {
			each(fmt.Sprintf("exceptions[%d]", i), member(x, "rules"))
		}
	}
	return all
}
