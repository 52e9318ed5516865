package decode

import (
	"encoding/json"

	"noroshi/internal/decode/projector"
)

// unfold puts into r.whole the record with each object or list that it holds as JSON in text in the place of that text, where
// something inside is wanted: rows of Log Analytics have such, and records that somebody has passed on. Text inside such a text
// stays. It reports whether there is one. r.whole ends with Slack bytes.
func (r *Reader) unfold(b []byte, from, to int) bool {
	if len(r.x.Texts) == 0 {
		return false
	}
	r.whole = r.whole[:0]
	done, found := from, false
	for _, v := range r.x.Texts {
		if r.text = projector.Unescape(r.text[:0], b[v.From:v.To]); nesting(r.text) <= maxFolded && json.Valid(r.text) {
			r.whole = append(append(r.whole, b[done:v.From-1]...), r.text...)
			done, found = int(v.To)+1, true
		}
	}
	r.whole = append(append(r.whole, b[done:to]...), slack[:]...)
	return found
}

// maxFolded is how deep a text may nest to be opened: the record around it nests, too.
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
