package decode

import (
	"bytes"
	"encoding/json"
	"strings"
	"unsafe"

	"noroshi/internal/decode/projector"
)

// unwrap is what JSON in text stands for: of a string, or an array of one string or number, that value; all else stays as it is.
func unwrap(s string) string {
	t := strings.TrimSpace(s)
	if len(t) < 2 || t[0] != '[' && t[0] != '"' {
		return s
	}
	var v any
	if json.Unmarshal([]byte(t), &v) != nil {
		return s
	}
	if list, ok := v.([]any); ok {
		switch len(list) {
		case 0:
			return ""
		case 1:
			v = list[0]
		default:
			return s
		}
	}
	switch v := v.(type) {
	case string:
		return unwrap(v)
	case float64, bool:
		b, _ := json.Marshal(v)
		return string(b)
	}
	return s
}

// entry is an entry of a Name/Value list.
type entry struct {
	Name, Value, Old, New string
}

// listCache is the Name/Value list that the record at hand was last asked for: several derived fields read the same one.
type listCache struct {
	used    bool
	path    string
	entries []entry
}

// entries are the entries of the Name/Value list at a path, be it JSON or JSON in text; values that are no text are as JSON
// writes them. A list that is none gives no entries. They live until the next record.
func (r *Reader) entries(path string) []entry {
	if r.list.used && r.list.path == path {
		return r.list.entries
	}
	all := r.list.entries[:0]
	if i, ok := r.view.at[path]; ok && r.x.Values[i].Kind == projector.Array {
		all = r.gather(all, int(r.x.Values[i].From))
	} else if ok {
		all = append(all, parseEntries(r.span(path))...)
	}
	r.list = listCache{used: true, path: path, entries: all}
	return all
}

// gather reads the entries of the list at a place of the record, without a copy of texts that need none.
func (r *Reader) gather(all []entry, from int) []entry {
	b := r.x.Bytes()
	projector.Elements(b, from, func(v projector.Value) {
		if v.Kind != projector.Object {
			return
		}
		var e entry
		projector.Members(b, int(v.From), func(name, v projector.Value) {
			if v.Kind == projector.Null {
				return
			}
			text := r.placed(v)
			switch string(b[name.From:name.To]) {
			case "Name", "key", "displayName":
				e.Name = text
			case "Value", "value":
				e.Value = text
			case "OldValue", "oldValue":
				e.Old = text
			case "NewValue", "newValue":
				e.New = text
			}
		})
		all = append(all, e)
	})
	return all
}

// placed is the text of a value of the record at hand, or its JSON.
func (r *Reader) placed(v projector.Value) string {
	raw := r.x.Bytes()[v.From:v.To]
	if v.Escaped {
		return r.unescape(raw)
	}
	return unsafe.String(unsafe.SliceData(raw), len(raw))
}

func parseEntries(raw []byte) (all []entry) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || raw[0] != '[' {
		return nil
	}
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		return nil
	}
	for _, one := range list {
		var m map[string]json.RawMessage
		if json.Unmarshal(one, &m) != nil {
			continue
		}
		all = append(all, entry{Name: text(m, "Name", "key", "displayName"), Value: text(m, "Value", "value"), Old: text(m, "OldValue", "oldValue"), New: text(m, "NewValue", "newValue")})
	}
	return all
}

// text is the first member there is, as text.
func text(m map[string]json.RawMessage, names ...string) string {
	for _, n := range names {
		raw, ok := m[n]
		if !ok || string(raw) == "null" {
			continue
		}
		var s string
		if json.Unmarshal(raw, &s) == nil {
			return s
		}
		return string(raw)
	}
	return ""
}

// named is the value of an entry, its name without regard to case; ok tells whether there is one.
func named(all []entry, name string) (value string, ok bool) {
	for _, e := range all {
		if strings.EqualFold(e.Name, name) {
			return e.Value, true
		}
	}
	return "", false
}
