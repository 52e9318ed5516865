package rules

import (
	"fmt"
	"slices"
	"strings"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/strictyaml"
	"noroshi/rules/kind"
)

// otherKinds are what rules of other programs call the kinds of ours, letters alone.
var otherKinds = map[string]string{
	"single": "match", "any": "match", "simple": "match", "event": "match", "query": "match",
	"count": "threshold", "eventcount": "threshold", "valuecount": "threshold", "frequency": "threshold", "aggregation": "threshold", "cardinality": "threshold", "sum": "threshold", "rate": "threshold",
	"eql": "sequence", "chain": "sequence", "temporalordered": "sequence", "ordered": "sequence", "steps": "sequence",
	"newterms": "first_seen", "new": "first_seen", "first": "first_seen", "newvalue": "first_seen", "rare": "first_seen", "firsttime": "first_seen",
	"missing": "absence", "notfollowed": "absence", "without": "absence", "deadman": "silence", "heartbeat": "silence", "flatline": "silence", "nodata": "silence",
	"impossibletravel": "travel", "geovelocity": "travel", "spike": "baseline", "anomaly": "baseline", "temporal": "correlation", "building": "correlation",
}

// kindMeant is the kind that a name most likely means, "" where nobody can tell.
func kindMeant(name string) string {
	word := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			return r
		}
		return -1
	}, strings.ToLower(name))
	if meant := otherKinds[word]; slices.Contains(kind.Names(), meant) {
		return meant
	}
	return closest(strings.ToLower(name), kind.Names())
}

// foreign tells the keys of a mapping that belong elsewhere, and lets them pass. Where says so of a key, "" where there is no such place.
func foreign(d *strictyaml.Doc, n *yaml.Node, keys map[string]func(*yaml.Node), where func(key string) string) {
	if n.Kind != yaml.MappingNode {
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if keys[key.Value] != nil {
			continue
		}
		if place := where(key.Value); place != "" {
			keys[key.Value] = func(*yaml.Node) {}
			d.At(key, "key", "the key "+key.Value+" belongs to "+place)
		}
	}
}

// elsewhere says where a key belongs that rules of a kind do not have.
func elsewhere(d *strictyaml.Doc, k kind.Kind) func(key string) string {
	return func(key string) string {
		places := placesOf(key)
		if k == nil || len(places) == 0 {
			return ""
		}
		if group := groupWith(k, key); group != "" {
			return group + "; this rule is of kind " + k.Name()
		}
		is := "this rule is of kind " + k.Name()
		if child(d.Root, "kind") == nil {
			is += ", since it has no key kind"
		}
		return strings.Join(places, ", and to ") + "; " + is
	}
}

// groupWith is the group of a kind's keys that has a key, "" where none has.
func groupWith(k kind.Kind, name string) string {
	for _, key := range k.Keys() {
		if !slices.ContainsFunc(key.Keys, func(inner kind.Key) bool { return inner.Name == name }) {
			continue
		}
		if key.Type == kind.Groups {
			return "the " + key.Name + ", not to the rule"
		}
		return key.Name + ", not to the rule"
	}
	return ""
}

// placesOf are the kinds that have a key, and the groups of keys in them that have it.
func placesOf(name string) (all []string) {
	if owners := kind.Owners(name); len(owners) > 0 {
		all = append(all, "rules of kind "+joined(owners))
	}
	var groups, names []string
	for _, k := range kind.All {
		for _, key := range k.Keys() {
			if slices.ContainsFunc(key.Keys, func(inner kind.Key) bool { return inner.Name == name }) {
				groups = append(groups, key.Name+" of "+k.Name())
				names = append(names, key.Name)
			}
		}
	}
	slices.Sort(names)
	switch names = slices.Compact(names); {
	case len(groups) > maxPlaces:
		all = append(all, "the keys "+joined(names))
	case len(groups) > 0:
		all = append(all, joined(groups))
	}
	return all
}

// maxPlaces is how many groups of keys are told by their kinds.
const maxPlaces = 3

// joined are words in a sentence.
func joined(words []string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " and " + words[last]
}

// aboveGroup says that a key of a group belongs to the rule.
func (f *form) aboveGroup(group kind.Key) func(key string) string {
	return func(name string) string {
		own := func(key kind.Key) bool { return key.Name == name }
		if slices.ContainsFunc(commonKeys(nil), own) || slices.ContainsFunc(f.kind.Keys(), own) {
			return "the rule, not to " + groupName(group)
		}
		return ""
	}
}

// groupName is what a message calls a group of keys.
func groupName(key kind.Key) string {
	if key.Type == kind.Groups {
		return "a " + strings.TrimSuffix(key.Name, "s")
	}
	return key.Name
}

// needs says what a mapping lacks, and what the key would say.
func (f *form) needs(who string, key kind.Key) string {
	doc := strings.TrimSuffix(key.Doc, ".")
	return fmt.Sprintf("%s needs the key %s: %s", who, key.Name, strings.ToLower(doc[:1])+doc[1:])
}

// otherwise reports whether a key stands in a mapping under the name that other programs give it: that has been told.
func otherwise(n *yaml.Node, name string) bool {
	for i := 0; i+1 < len(n.Content) && n.Kind == yaml.MappingNode; i += 2 {
		if word := strings.ToLower(n.Content[i].Value); word != name && slices.Contains(strings.Fields(otherKeys[word]), name) {
			return true
		}
	}
	return false
}

// example is a group as an author would write it, with what stands in its place.
func example(key kind.Key, instead *yaml.Node) string {
	var parts []string
	for _, k := range key.Keys {
		if !k.Required && k.Type != kind.Condition {
			continue
		}
		value := "…"
		switch numeric := instead.Tag == "!!int" || instead.Tag == "!!float"; {
		case instead.Kind != yaml.ScalarNode:
		case numeric && (k.Type == kind.Whole || k.Type == kind.Number), !numeric && k.Type == kind.FieldName, k.Type == kind.Condition:
			value = instead.Value
		}
		parts = append(parts, k.Name+": "+value)
	}
	return "{" + strings.Join(parts, ", ") + "}"
}
