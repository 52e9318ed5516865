package decode

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	"noroshi/internal/decode/projector"
)

func messageID(_ *Reader, text string) string {
	return strings.TrimSuffix(strings.TrimPrefix(text, "<"), ">")
}

// items counts what a mailbox record names: the affected items, or those in folders of an aggregated record.
func items(r *Reader, _ string) string {
	if n := finite(r.at("OperationCount")); n != "" {
		return n
	}
	for _, list := range []struct{ path, of string }{{"AffectedItems", ""}, {"Folders", "FolderItems"}} {
		if n, ok := r.elements(list.path, list.of); ok {
			return strconv.Itoa(n)
		}
	}
	return ""
}

func itemSubjects(r *Reader) []string {
	if !r.acts("mailbox.subjects") {
		return nil
	}
	return r.members("AffectedItems", "Subject")
}

func itemMessageIDs(r *Reader) []string {
	if !r.acts("mailbox.message_ids") {
		return nil
	}
	all := r.members("AffectedItems", "InternetMessageId")
	for i := range all {
		all[i] = messageID(r, all[i])
	}
	return all
}

// members are the texts of a member of the objects in a list, be it JSON or JSON in text. Objects without it are left out.
func (r *Reader) members(path, of string) (all []string) {
	i, ok := r.place(path)
	if !ok {
		return nil
	}
	b, from := r.x.Bytes(), int(r.x.Values[i].From)
	switch r.x.Values[i].Kind {
	case projector.Array:
	case projector.Text:
		raw := bytes.TrimSpace(r.span(path))
		if nesting(raw) > projector.MaxDepth || !json.Valid(raw) {
			return nil
		}
		b, from = append(bytes.Clone(raw), slack[:]...), 0
	default:
		return nil
	}
	projector.Elements(b, from, func(v projector.Value) {
		text := ""
		if v.Kind == projector.Object {
			projector.Members(b, int(v.From), func(name, v projector.Value) {
				if sameName(r.placed(b, name), of) {
					text = r.placed(b, v)
				}
			})
		}
		if text != "" {
			all = append(all, text)
		}
	})
	return all
}

// elements counts those of a list, or those of a member of the list's objects; ok tells whether there is such a list.
func (r *Reader) elements(path, of string) (n int, ok bool) {
	raw := r.span(path)
	if len(raw) == 0 {
		return 0, false
	}
	if i, _ := r.place(path); r.x.Values[i].Kind == projector.Array && !r.masked {
		if n, ok = count(r.x.Bytes(), int(r.x.Values[i].From), of); ok {
			return n, true
		}
	}
	if of == "" {
		var all []json.RawMessage
		ok = json.Unmarshal(raw, &all) == nil
		return len(all), ok
	}
	var all []map[string]json.RawMessage
	if json.Unmarshal(raw, &all) != nil {
		return 0, false
	}
	for _, one := range all {
		var inside []json.RawMessage
		if member := folded(one, of); member != nil && json.Unmarshal(member, &inside) != nil {
			return 0, false
		}
		n += len(inside)
	}
	return n, true
}

// count counts elements without making anything of them; ok tells whether all that it met is as it should be.
func count(b []byte, from int, of string) (n int, ok bool) {
	ok = true
	projector.Elements(b, from, func(v projector.Value) {
		if of == "" {
			n++
			return
		}
		if ok = ok && v.Kind == projector.Object; !ok {
			return
		}
		inside := 0
		projector.Members(b, int(v.From), func(name, v projector.Value) {
			if name.Escaped || !sameName(string(b[name.From:name.To]), of) {
				ok = ok && !name.Escaped
				return
			}
			ok, inside = ok && v.Kind == projector.Array, 0
			if ok {
				projector.Elements(b, int(v.From), func(projector.Value) { inside++ })
			}
		})
		n += inside
	})
	return n, ok
}

func logon(_ *Reader, text string) string {
	switch text {
	case "0", "Owner":
		return "owner"
	case "1", "Admin":
		return "admin"
	case "2", "Delegated", "Delegate":
		return "delegate"
	}
	return ""
}
