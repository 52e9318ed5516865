package reference

import (
	"encoding/json"
	"slices"
	"strings"

	"noroshi/internal/strictyaml"
)

type schema map[string]any

// span and secret are the patterns of a time and of a reference.
const (
	spanPattern   = `^[0-9]+(ms|s|m|h|d)$`
	secretPattern = `^\$\{(file|env):[^}]+\}$`
)

// Schema is the JSON Schema of the configuration. Editors with a YAML language server complete and explain keys with it. It knows the
// shape of the file; check knows more.
func Schema() ([]byte, error) {
	s := schemaOf(trace(), "")
	s["$schema"], s["title"] = "http://json-schema.org/draft-07/schema#", "The configuration of noroshi"
	return json.MarshalIndent(s, "", "  ")
}

// schemaOf is the schema of what stands at a path.
func schemaOf(s *shape, path string) schema {
	out := shapeOf(s, path)
	if e := find(path); e != nil {
		out["description"] = e.doc
		if e.without != "" && e.without != needed {
			out["description"] = e.doc + " Without it: " + strings.ReplaceAll(e.without, "`", "") + "."
		}
	}
	return out
}

func shapeOf(s *shape, path string) schema {
	switch s.Type {
	case strictyaml.TypeKeys:
		return keysOf(s, path)
	case strictyaml.TypeNames:
		return schema{"type": "object", "additionalProperties": schemaOf(s.Each, path+".*")}
	case strictyaml.TypeList:
		return schema{"type": "array", "items": schemaOf(s.Items, path+"[]")}
	case strictyaml.TypeOneOf:
		return schema{"type": "string", "enum": s.Choices}
	case strictyaml.TypeWhole:
		return schema{"type": "integer", "minimum": s.Least, "maximum": s.Most}
	case strictyaml.TypeBool:
		return schema{"type": "boolean"}
	case strictyaml.TypeSpan:
		return schema{"type": "string", "pattern": spanPattern}
	case strictyaml.TypeSecret:
		return schema{"type": "string", "pattern": secretPattern}
	case strictyaml.TypeMixed:
		return schema{}
	}
	return schema{"type": "string", "minLength": 1}
}

func keysOf(s *shape, path string) schema {
	properties, required := schema{}, []string(nil)
	for key, below := range s.Keys {
		at := strings.TrimPrefix(path+"."+key, ".")
		properties[key] = schemaOf(below, at)
		if e := find(at); e != nil && e.without == needed {
			required = append(required, key)
		}
	}
	out := schema{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		out["required"] = slices.Sorted(slices.Values(required))
	}
	return out
}
