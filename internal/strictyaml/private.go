package strictyaml

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/diag"
)

// ParsePrivate is Parse for a file that may hold secrets, whether they belong there or not: what is wrong in it is told by key
// and place, and no problem shows a line, a value, or a key below one of those named closed.
func ParsePrivate(name string, data []byte, closed ...string) *Doc {
	d := &Doc{Name: name, Secrets: &diag.Secrets{}, closed: closed}
	d.parse(data)
	return d
}

func (d *Doc) private() bool { return d.Secrets != nil }

// word is a key that is told: a secret hardly is one.
var word = regexp.MustCompile(`^[a-z][a-z_]{0,31}$`)

// told reports whether a key of a private file is told: a plain word that has a value, so that a value in the place of a key is
// not.
func told(k, v *yaml.Node) bool {
	return k.Kind == yaml.ScalarNode && word.MatchString(k.Value) && (v.Kind != yaml.ScalarNode || v.Tag != "!!null")
}

// path is the keys that lead to a node, such as sinks[0].webhook.url, as far as they are told; "" at the top.
func (d *Doc) path(n *yaml.Node) string {
	if !d.private() || d.top == nil {
		return ""
	}
	if d.paths == nil {
		d.paths = map[*yaml.Node]string{}
		d.find(d.top, "", false)
	}
	return d.paths[n]
}

// find notes the paths of what is below a node. Below a key that is closed, or not told, all have its path.
func (d *Doc) find(n *yaml.Node, path string, closed bool) {
	d.paths[n] = path
	for i, c := range n.Content {
		switch {
		case closed:
			d.find(c, path, true)
		case n.Kind == yaml.SequenceNode:
			d.find(c, fmt.Sprintf("%s[%d]", path, i), false)
		case n.Kind == yaml.MappingNode && i%2 == 0 && i+1 < len(n.Content):
			v := n.Content[i+1]
			if !told(c, v) {
				d.find(c, path, true)
				d.find(v, path, true)
				continue
			}
			below := strings.TrimPrefix(path+"."+c.Value, ".")
			d.find(c, path, true) // what is wrong with a key names it
			d.find(v, below, slices.Contains(d.closed, c.Value))
		}
	}
}

// name is a key in quotes, for messages, or what stands for one that is not told.
func (d *Doc) name(k, v *yaml.Node, instead string) string {
	if d.private() && !told(k, v) {
		return instead
	}
	return fmt.Sprintf("key %q", k.Value)
}

// Kind says what a node is, for messages.
func (d *Doc) Kind(n *yaml.Node) string {
	if !d.private() || n.Kind != yaml.ScalarNode {
		return Kind(n)
	}
	switch n.Tag {
	case "!!int", "!!float":
		return "a number"
	case "!!bool":
		return "a boolean"
	case "!!null":
		return "nothing"
	}
	return "text"
}

// quoted are the words of the file in messages of the YAML library.
var quoted = regexp.MustCompile("(anchor) '.*'|`.*`")

// hidden takes the words of a private file out of a message of the YAML library.
func (d *Doc) hidden(message string) string {
	if !d.private() {
		return message
	}
	return quoted.ReplaceAllString(message, "$1")
}

// value is a value for messages, or what stands for one that is not told.
func (d *Doc) value(is, instead string) string {
	if d.private() {
		return instead
	}
	return is
}
