package decode

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
	"unsafe"

	"noroshi/internal/decode/projector"
	"noroshi/internal/event"
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
	valued                bool // the value is there and not null
}

// listCache is the Name/Value list that the record at hand was last asked for: several derived fields read the same one.
type listCache struct {
	used     bool
	path     string
	entries  []entry
	readable bool
}

// entries are the entries of the Name/Value list at a path, in every form that projector.Entries reads, be it JSON or JSON in
// text; values that are no text are as JSON writes them. A list that is none gives no entries. They live until the next record.
func (r *Reader) entries(path string) []entry { return r.listAt(path).entries }

// readable reports whether there is a Name/Value list at a path that could be read, be it empty.
func (r *Reader) readable(path string) bool { return r.listAt(path).readable }

func (r *Reader) listAt(path string) *listCache {
	c := &r.list
	if c.used && c.path == path {
		return c
	}
	c.used, c.path, c.entries, c.readable = true, path, c.entries[:0], false
	i, ok := r.place(path)
	if !ok {
		return c
	}
	switch v := r.x.Values[i]; v.Kind {
	case projector.Array, projector.Object:
		c.entries, c.readable = r.gather(c.entries, r.x.Bytes(), int(v.From))
	case projector.Text:
		c.entries, c.readable = r.entriesOf(c.entries, r.span(path))
	}
	return c
}

// entriesOf appends the entries of a list in bytes of its own, which are JSON, or JSON in text, or neither.
func (r *Reader) entriesOf(all []entry, raw []byte) ([]entry, bool) {
	if raw = bytes.TrimSpace(raw); r.masked {
		raw = legible(bytes.Clone(raw), 0)
	}
	if len(raw) > 0 && raw[0] == '"' {
		var s string
		if json.Unmarshal(raw, &s) != nil {
			return all, false
		}
		raw = bytes.TrimSpace([]byte(s))
	}
	if nesting(raw) > projector.MaxDepth || !json.Valid(raw) {
		return all, false
	}
	return r.gather(all, append(bytes.Clone(raw), slack[:]...), 0)
}

// gather reads the entries of the list at a place, without a copy of texts that need none.
func (r *Reader) gather(all []entry, b []byte, from int) ([]entry, bool) {
	ok := projector.Entries(b, from, func(e projector.Entry) {
		valued := e.Value.Kind != projector.None && e.Value.Kind != projector.Null
		all = append(all, entry{r.placed(b, e.Name), r.placed(b, e.Value), r.placed(b, e.Old), r.placed(b, e.New), valued})
	})
	return all, ok
}

// placed is the text of a value, or its JSON; "" of null.
func (r *Reader) placed(b []byte, v projector.Value) string {
	if r.masked && unsafe.SliceData(b) == unsafe.SliceData(r.x.Bytes()) {
		b = r.x.Shown()
	}
	raw := b[v.From:v.To]
	switch {
	case v.Kind == projector.None || v.Kind == projector.Null || len(raw) == 0:
		return ""
	case v.Escaped || r.masked && v.Kind == projector.Text:
		return r.unescape(raw)
	case r.masked:
		return string(legible(bytes.Clone(raw), 0))
	}
	return unsafe.String(unsafe.SliceData(raw), len(raw))
}

// text is the first member there is, as text; names fold case.
func text(m map[string]json.RawMessage, names ...string) string {
	for _, n := range names {
		raw := folded(m, n)
		if len(raw) == 0 || string(raw) == "null" {
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

// folded is a member whatever the case of its name; of several the one spelt so, else the last in the order of their names.
func folded(m map[string]json.RawMessage, name string) (raw json.RawMessage) {
	if raw, ok := m[name]; ok {
		return raw
	}
	for _, n := range slices.Sorted(maps.Keys(m)) {
		if sameName(n, name) {
			raw = m[n]
		}
	}
	return raw
}

// named is the value of the first entry of a name that has one, its name without regard to case; ok tells whether there is an
// entry of that name.
func named(all []entry, name string) (value string, ok bool) {
	for _, e := range all {
		if sameName(e.Name, name) {
			if ok = true; e.valued {
				return e.Value, true
			}
		}
	}
	return "", ok
}

// sameName reports whether two names of members or entries are the same: without regard to case, as the projector has it.
func sameName(a, b string) bool {
	for i := range min(len(a), len(b)) {
		switch c, d := a[i], b[i]; {
		case c >= utf8.RuneSelf || d >= utf8.RuneSelf:
			return event.Lower(a) == event.Lower(b)
		case lowerByte(c) != lowerByte(d):
			return false
		}
	}
	return len(a) == len(b)
}

func lowerByte(c byte) byte {
	if capital(c) {
		c += 'a' - 'A'
	}
	return c
}
