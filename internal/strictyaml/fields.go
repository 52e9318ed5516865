package strictyaml

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/diag"
)

// Fields reads a mapping: each key by its function. A key that has none is an error, with the key that was probably meant.
func (d *Doc) Fields(n *yaml.Node, by map[string]func(*yaml.Node)) {
	if s := d.shapes[n]; s != nil {
		d.traceFields(s, by)
		return
	}
	if n.Kind != yaml.MappingNode {
		d.At(n, "type", "expected keys with values, got "+d.Kind(n))
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		read, ok := by[k.Value]
		if !ok {
			all := slices.Sorted(maps.Keys(by))
			p := d.At(k, "key", "no "+d.name(k, v, "such key")+" here")
			if p.Suggestion = d.other(k.Value, by); p.Suggestion == "" {
				p.Suggestion = diag.Suggest(k.Value, all)
			}
			if p.Suggestion != "" {
				d.mean(n, p.Suggestion)
			} else {
				p.Message += "; known are " + strings.Join(all, ", ")
			}
			continue
		}
		read(v)
	}
}

// mean notes which key of a mapping another one in it was probably meant to be.
func (d *Doc) mean(n *yaml.Node, key string) {
	if d.meant == nil {
		d.meant = map[*yaml.Node][]string{}
	}
	d.meant[n] = append(d.meant[n], key)
}

// other is the key here that other programs call so, or "" if there is none.
func (d *Doc) other(name string, by map[string]func(*yaml.Node)) string {
	for _, meant := range strings.Fields(d.Others[strings.ToLower(name)]) {
		if by[meant] != nil {
			return meant
		}
	}
	return ""
}

// Kind says what a node is, for messages.
func Kind(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	switch n.Tag {
	case "!!int", "!!float":
		return "the number " + n.Value
	case "!!bool":
		return "the boolean " + n.Value
	case "!!null":
		return "nothing"
	}
	return strconv.Quote(n.Value)
}

// Text is a scalar's text, not empty. Numbers and truths are refused where text is wanted: they would not come back as written.
func (d *Doc) Text(n *yaml.Node) string {
	d.Expect(n, Form{Type: TypeText})
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" || n.Tag != "!!str" && n.Tag != "!!timestamp" {
		p := d.At(n, "type", "expected text, got "+d.Kind(n))
		if n.Kind == yaml.ScalarNode && n.Value != "" && !d.private() {
			p.Message += `; write "` + n.Value + `" in quotes`
		}
		return ""
	}
	if strings.TrimSpace(n.Value) == "" {
		d.At(n, "type", "the text is empty")
	}
	return n.Value
}

// Int is a whole number within bounds.
func (d *Doc) Int(n *yaml.Node, least, most int) int {
	d.Expect(n, Form{Type: TypeWhole, Least: least, Most: most})
	v, err := strconv.Atoi(n.Value)
	if n.Kind != yaml.ScalarNode || n.Tag != "!!int" || err != nil {
		p := d.At(n, "type", "expected a whole number, got "+d.Kind(n))
		if digits := strings.Trim(n.Value, "<>= "); n.Kind == yaml.ScalarNode && !d.private() {
			if _, err := strconv.Atoi(digits); err == nil {
				p.Message += "; write " + digits
			}
		}
		return least
	}
	if v < least || v > most {
		d.At(n, "value", fmt.Sprintf("%s lies outside %d to %d", d.value(n.Value, "the number"), least, most))
	}
	return v
}

// Bool is true or false.
func (d *Doc) Bool(n *yaml.Node) bool {
	d.Expect(n, Form{Type: TypeBool})
	if n.Kind != yaml.ScalarNode || n.Tag != "!!bool" {
		d.At(n, "type", "expected true or false, got "+d.Kind(n))
		return false
	}
	return strings.EqualFold(n.Value, "true")
}

// OneOf is a text out of a few.
func (d *Doc) OneOf(n *yaml.Node, code string, all ...string) string {
	d.Expect(n, Form{Type: TypeOneOf, Choices: all})
	if n.Kind == yaml.ScalarNode && (n.Tag == "!!int" || n.Tag == "!!float") {
		d.At(n, "type", "expected one of "+strings.Join(all, ", ")+", got "+d.Kind(n))
		return ""
	}
	v := d.Text(n)
	if v != "" && !slices.Contains(all, v) {
		p := d.At(n, code, d.value(strconv.Quote(v), "the text")+" is none of "+strings.Join(all, ", "))
		p.Suggestion = diag.Suggest(v, all)
	}
	return v
}

// Items are the nodes of a list.
func (d *Doc) Items(n *yaml.Node) []*yaml.Node {
	if s := d.shapes[n]; s != nil {
		s.Type, s.Items = TypeList, d.below(s.Items)
		return []*yaml.Node{s.Items.Node}
	}
	if n.Kind != yaml.SequenceNode {
		p := d.At(n, "type", "expected a list, got "+d.Kind(n))
		if n.Kind == yaml.ScalarNode && n.Value != "" && !d.private() && len(n.Value) < 100 {
			p.Suggestion = "[" + n.Value + "]"
		}
		return nil
	}
	return n.Content
}

// Texts are the texts of a list.
func (d *Doc) Texts(n *yaml.Node) (all []string) {
	for _, c := range d.Items(n) {
		all = append(all, d.Text(c))
	}
	return all
}
