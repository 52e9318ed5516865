package decode

import (
	"strings"
	"unsafe"

	"noroshi/internal/decode/projector"
	"noroshi/internal/event"
)

// unescape is a text that lives until the next record.
func (r *Reader) unescape(raw []byte) string {
	from := len(r.arena)
	r.arena = projector.Unescape(r.arena, raw)
	if r.masked {
		r.arena = legible(r.arena, from)
	}
	return r.since(from)
}

// lower is event.Lower of a text; it lives until the next record.
func (r *Reader) lower(s string) string {
	if event.IsLower(s) {
		return s
	}
	from := len(r.arena)
	r.arena = event.AppendLower(r.arena, s)
	return r.since(from)
}

// nameOf is nameOf, as lower is event.Lower.
func (r *Reader) nameOf(s string) string {
	if s = strings.TrimSpace(s); placeholder(s) {
		return ""
	}
	return r.lower(s)
}

// since is the text behind the first bytes of the arena.
func (r *Reader) since(from int) string {
	return unsafe.String(unsafe.SliceData(r.arena[from:]), len(r.arena)-from)
}
