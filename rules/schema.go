package rules

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"

	"noroshi/internal/cond"
	"noroshi/internal/event"
	"noroshi/rules/kind"
)

// schema is a JSON Schema, or a part of one.
type schema map[string]any

// Schema is the JSON Schema of rule files, made of what reads them: the keys of all rules and those that the kinds ask for. Editors
// with a YAML language server complete and explain keys with it. It knows the shape of files; check knows more.
func Schema() ([]byte, error) {
	l := &loader{set: &Set{Scope: &cond.Scope{Layout: event.NewLayout()}}, home: shippedHome}
	common := commonKeys(l.remediation())
	properties, required := mapping(common)
	for name, text := range owned() {
		properties[name] = schema{"description": text}
	}
	var cases []any
	for _, k := range kind.All {
		cases = append(cases, ofKind(k))
	}
	s := schema{
		"$schema": "http://json-schema.org/draft-07/schema#", "title": "A rule of noroshi",
		"description": "One rule of Noroshi: what it looks for, what it says, and the proof that it works.",
		"type":        "object", "properties": properties, "required": required, "additionalProperties": false, "allOf": cases,
		"definitions": schema{"field": fieldSchema(), "entry": entrySchema(), "alert": membersSchema(alertMembers)},
	}
	return json.MarshalIndent(s, "", "  ")
}

// owned are the keys that only some kinds have, with what they say.
func owned() map[string]string {
	all := map[string]string{}
	for _, k := range kind.All {
		for _, key := range k.Keys() {
			if all[key.Name] == "" {
				all[key.Name] = fmt.Sprintf("%s (%s)", key.Doc, strings.Join(kind.Owners(key.Name), ", "))
			}
		}
	}
	return all
}

// ofKind is what holds for the rules of a kind. The keys of other kinds have no place there.
func ofKind(k kind.Kind) schema {
	properties, required := mapping(k.Keys())
	for name := range owned() {
		if properties[name] == nil {
			properties[name] = false
		}
	}
	when := schema{"properties": schema{"kind": schema{"const": k.Name()}}, "required": []string{"kind"}}
	if k.Name() == kind.All[0].Name() {
		when = schema{"properties": schema{"kind": schema{"const": k.Name()}}} // also in a rule without the key kind
	}
	then := schema{"properties": properties}
	if len(required) > 0 {
		then["required"] = required
	}
	return schema{"if": when, "then": then}
}

// mapping are the properties of a mapping and the names of those that it needs.
func mapping(keys []kind.Key) (properties schema, required []string) {
	properties = schema{}
	for _, key := range keys {
		properties[key.Name] = ofKey(key)
		if key.Required {
			required = append(required, key.Name)
		}
	}
	return properties, required
}

// ofKey is what may stand behind a key.
func ofKey(key kind.Key) schema {
	s := shapeOf(key)
	s["description"] = key.Doc
	if key.Default != "" {
		s["description"] = key.Doc + " By default: " + key.Default + "."
	}
	return s
}

func shapeOf(key kind.Key) schema {
	switch key.Type {
	case kind.Condition, kind.Guard:
		return schema{"type": "string", "minLength": 1}
	case kind.Duration:
		return schema{"type": "string", "pattern": durationPattern.String()}
	case kind.Bucket:
		return schema{"type": "string", "anyOf": []any{schema{"pattern": durationPattern.String()}, schema{"const": "each"}}}
	case kind.Whole:
		return bounded(schema{"type": "integer"}, key)
	case kind.Number:
		return bounded(schema{"type": "number"}, key)
	case kind.FieldName:
		return schema{"$ref": "#/definitions/field"}
	case kind.FieldNames:
		return several(key, schema{"$ref": "#/definitions/field"})
	case kind.Text:
		return textOf(key)
	case kind.Texts:
		return several(key, textOf(key))
	case kind.Group:
		return groupOf(key)
	}
	if of := map[string]string{"events": "entry", "want": "alert"}[key.Name]; of != "" {
		return schema{"type": "array", "items": schema{"$ref": "#/definitions/" + of}}
	}
	return several(key, groupOf(key))
}

func textOf(key kind.Key) schema {
	s := schema{"type": "string", "minLength": 1}
	if len(key.Choices) > 0 {
		return schema{"type": "string", "enum": key.Choices}
	}
	if key.Pattern != "" {
		s["pattern"] = key.Pattern
	}
	return s
}

// groupOf is a mapping of its own keys, or of any where none are known.
func groupOf(key kind.Key) schema {
	s := schema{"type": "object"}
	if len(key.Keys) == 0 {
		return s
	}
	properties, required := mapping(key.Keys)
	s["properties"], s["additionalProperties"] = properties, false
	if len(required) > 0 {
		s["required"] = required
	}
	return s
}

// several is a list.
func several(key kind.Key, of schema) schema {
	s := schema{"type": "array", "items": of}
	if key.Least > 0 {
		s["minItems"] = key.Least
	}
	if key.Most > 0 {
		s["maxItems"] = key.Most
	}
	if key.Type != kind.Groups {
		s["uniqueItems"] = true
	}
	return s
}

func bounded(s schema, key kind.Key) schema {
	if key.Least < 1 && key.Least > 0 {
		s["exclusiveMinimum"] = math.Floor(key.Least)
	} else {
		s["minimum"] = key.Least
	}
	if key.Most > 0 {
		s["maximum"] = key.Most
	}
	return s
}

// fieldSchema is the name of a field of events.
func fieldSchema() schema {
	var names, docs []string
	for _, f := range event.Fields() {
		names = append(names, f.Name)
		docs = append(docs, f.Meaning)
	}
	return schema{"type": "string", "anyOf": []any{
		schema{"enum": names, "markdownEnumDescriptions": docs},
		schema{"pattern": `^(raw\.|raw\[|param\[|change\[)`},
	}}
}

// entrySchema is an entry of a test's events: one with keys of its own, or a whole record.
func entrySchema() schema {
	properties, _ := mapping(eventKeys)
	properties["record"] = schema{"type": []string{"object", "string"}, "description": "A whole record to begin with: a mapping, or JSON in text."}
	only := slices.Collect(func(yield func(string) bool) {
		for _, key := range eventKeys {
			if !yield(key.Name) {
				return
			}
		}
	})
	entry := schema{"properties": properties, "additionalProperties": false, "oneOf": []any{schema{"required": []string{"like"}}, schema{"required": []string{"record"}}}}
	return schema{"type": []string{"object", "string"}, "if": schema{"type": "object", "anyOf": []any{
		schema{"required": []string{"like"}}, schema{"required": []string{"record"}},
		schema{"minProperties": 1, "propertyNames": schema{"enum": only}},
	}}, "then": entry}
}

// membersSchema is a value with some of the members of a type's JSON form.
func membersSchema(of reflect.Type) schema {
	for of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	switch {
	case of.Kind() == reflect.Slice && of.Elem().Kind() == reflect.Struct:
		return schema{"type": "array", "items": membersSchema(of.Elem())}
	case of.Kind() == reflect.Struct && of != reflect.TypeFor[time.Time]():
		properties := schema{}
		for name, member := range jsonMembers(of) {
			properties[name] = membersSchema(member)
		}
		return schema{"type": "object", "properties": properties, "additionalProperties": false}
	}
	return schema{}
}
