package rules

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	yaml "go.yaml.in/yaml/v4"

	"noroshi/internal/strictyaml"
)

// tests reads a rule's own tests.
func tests(d *strictyaml.Doc, n *yaml.Node) (all []Test) {
	for _, c := range d.Items(n) {
		t := Test{Line: c.Line}
		wants := false
		d.Fields(c, map[string]func(*yaml.Node){
			"name": func(n *yaml.Node) { t.Name = d.Text(n) },
			"events": func(n *yaml.Node) {
				for _, e := range d.Items(n) {
					t.Events = append(t.Events, record(d, e))
				}
			},
			"want": func(n *yaml.Node) {
				wants = true
				for _, w := range d.Items(n) {
					if w.Kind != yaml.MappingNode {
						d.At(w, "type", "expected members of an alert, such as {account: taro@contoso.example}, got "+strictyaml.Kind(w))
						continue
					}
					t.Want = append(t.Want, value(d, w))
				}
			},
		})
		switch i := slices.IndexFunc(all, func(x Test) bool { return x.Name == t.Name }); {
		case c.Kind != yaml.MappingNode:
			continue // it has been said
		case i >= 0 && t.Name != "":
			d.At(c, "tests", fmt.Sprintf("the test in line %d has this name", all[i].Line))
		case t.Name == "":
			d.At(c, "missing", "a test needs the key name")
		case len(t.Events) == 0:
			d.At(c, "missing", "a test needs the key events, with a record at least")
		case !wants:
			d.At(c, "missing", "a test needs the key want; [] for silence")
		}
		all = append(all, t)
	}
	return all
}

// record is an event of a test as the source would write it: a mapping, or JSON in text.
func record(d *strictyaml.Doc, n *yaml.Node) []byte {
	if n.Kind == yaml.ScalarNode {
		return recordText(d, n)
	}
	if n.Kind != yaml.MappingNode {
		d.At(n, "tests", "an event is a mapping, or a JSON object in text")
		return nil
	}
	return appendJSON(d, nil, n)
}

func recordText(d *strictyaml.Doc, n *yaml.Node) []byte {
	if n.Tag != "!!str" || !strings.HasPrefix(strings.TrimSpace(n.Value), "{") {
		d.At(n, "tests", "an event is a mapping, or a JSON object in text")
		return nil
	}
	var b bytes.Buffer
	var all json.RawMessage
	err := json.Unmarshal([]byte(n.Value), &all) // Compact tells no place
	if err == nil {
		err = json.Compact(&b, all)
	}
	if err == nil {
		return b.Bytes()
	}
	at := 0
	var broken *json.SyntaxError
	if errors.As(err, &broken) { // its offset counts the byte that it stumbles over
		at = utf8.RuneCountInString(n.Value[:min(max(int(broken.Offset)-1, 0), len(n.Value))])
	}
	d.Inside(n, at, "tests", "this is no JSON: "+err.Error())
	return nil
}

// appendJSON writes a node as JSON, members in their order, numbers as they stand.
func appendJSON(d *strictyaml.Doc, b []byte, n *yaml.Node) []byte {
	switch n.Kind {
	case yaml.MappingNode:
		b = append(b, '{')
		for i := 0; i+1 < len(n.Content); i += 2 {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(quote(b, n.Content[i].Value), ':')
			b = appendJSON(d, b, n.Content[i+1])
		}
		return append(b, '}')
	case yaml.SequenceNode:
		b = append(b, '[')
		for i, c := range n.Content {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendJSON(d, b, c)
		}
		return append(b, ']')
	}
	switch n.Tag {
	case "!!null":
		return append(b, "null"...)
	case "!!bool":
		return append(b, strings.ToLower(n.Value)...)
	case "!!int", "!!float":
		if json.Valid([]byte(n.Value)) {
			return append(b, n.Value...)
		}
		d.At(n, "tests", n.Value+" is no number of JSON; write it as records do, or in quotes")
	}
	return quote(b, n.Value)
}

func quote(b []byte, s string) []byte {
	q, err := json.Marshal(s)
	if err != nil {
		return append(b, `""`...)
	}
	return append(b, q...)
}

// value is what a test wants, as encoding/json would give it.
func value(d *strictyaml.Doc, n *yaml.Node) any {
	dec := json.NewDecoder(bytes.NewReader(appendJSON(d, nil, n)))
	var v any
	if err := dec.Decode(&v); err != nil {
		d.At(n, "tests", "this is no JSON value: "+err.Error())
	}
	return v
}

// Subset tells in what a value lacks what is wanted, "" where it lacks nothing: of objects each wanted member, of lists each
// wanted element in its place.
func Subset(want, have any) string { return subset(want, have, "") }

func subset(want, have any, at string) string {
	switch w := want.(type) {
	case map[string]any:
		h, ok := have.(map[string]any)
		if !ok {
			return fmt.Sprintf("%s: expected an object, got %s", name(at), show(have))
		}
		for k, v := range w {
			member := strings.TrimPrefix(at+"."+k, ".")
			got, ok := h[k]
			if !ok {
				return member + " is missing"
			}
			if s := subset(v, got, member); s != "" {
				return s
			}
		}
		return ""
	case []any:
		h, ok := have.([]any)
		if !ok || len(h) < len(w) {
			return fmt.Sprintf("%s: expected %d elements, got %s", name(at), len(w), show(have))
		}
		for i := range w {
			if s := subset(w[i], h[i], at+"["+strconv.Itoa(i)+"]"); s != "" {
				return s
			}
		}
		return ""
	}
	if want != have {
		return fmt.Sprintf("%s: expected %s, got %s", name(at), show(want), show(have))
	}
	return ""
}

func name(at string) string {
	if at == "" {
		return "the alert"
	}
	return at
}

func show(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return "?"
	}
	return string(b)
}
