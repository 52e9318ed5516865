package decode

import (
	"bytes"
	"encoding/json"
	"unsafe"

	"noroshi/internal/decode/projector"
)

// unfolded are the texts of a record that were opened.
type unfolded struct {
	in    []byte // the record with them opened, or nil if there is none
	from  []byte // the record as it came
	texts []opening
}

// opening is where a text lies in the record as it came, and where what it stands for begins in the other.
type opening struct {
	text projector.Value
	at   uint32
}

// unfold puts into the layer's whole the record with each object or list that it holds as JSON in text in the place of that text, where
// something inside is wanted: rows of Log Analytics have such, and records that somebody has passed on. Text inside such a text
// stays. It reports whether there is one. It ends with Slack bytes.
func (r *Reader) unfold(b []byte, from, to int) bool {
	if len(r.x.Texts) == 0 {
		return false
	}
	l := &r.layers[r.depth]
	l.whole = l.whole[:0]
	texts := l.unfolded.texts[:0]
	done := from
	for _, v := range r.x.Texts {
		r.text = projector.Unescape(r.text[:0], b[v.From:v.To])
		text := bytes.TrimLeft(r.text, " \t\r\n")
		if nesting(text) > min(v.Room, maxFolded) || !json.Valid(text) {
			continue
		}
		l.whole = append(l.whole, b[done:v.From-1]...)
		texts = append(texts, opening{v.Value, uint32(len(l.whole))})
		l.whole = append(l.whole, text...)
		done = int(v.To) + 1
	}
	l.whole = append(append(l.whole, b[done:to]...), slack[:]...)
	l.unfolded = unfolded{l.whole, b, texts}
	return len(texts) > 0
}

// folded is the text that the object or list at a place of the record at hand was, "" where it was none.
func (r *Reader) folded(at uint32) string {
	if u := &r.layers[r.depth].unfolded; u.in != nil && unsafe.SliceData(u.in) == unsafe.SliceData(r.x.Shown()) {
		for _, o := range u.texts {
			if o.at == at {
				return r.unescape(u.from[o.text.From:o.text.To])
			}
		}
	}
	return ""
}

// maxFolded is how deep a text may nest to be opened, and no deeper than the record around it leaves room for.
const maxFolded = projector.MaxDepth / 2

// nesting is how deep brackets nest in JSON.
func nesting(text []byte) (most int) {
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			depth++
			most = max(most, depth)
		case c == '}' || c == ']':
			depth--
		}
	}
	return most
}
