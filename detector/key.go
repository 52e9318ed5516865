package detector

import (
	"slices"

	"noroshi/internal/event"
	"noroshi/internal/state"
	"noroshi/rules/kind"
)

// keyed is a key of the record at hand and the clauses that hold for it. Its texts live until the next record.
type keyed struct {
	key     []string
	clauses uint8
}

// maxKeys is how many elements of a list are keys of one record.
const maxKeys = 100

// key finds the keys under which a record counts for a rule: none where a value is absent.
func (w *Worker) key(i int32, r *rule) {
	w.keys = w.keys[:0]
	if r.alike {
		w.keysOf(i, r.Kind.By, w.held[i])
		return
	}
	for bit, c := range r.Kind.Clauses {
		if w.held[i]&(1<<bit) == 0 {
			continue
		}
		by := c.By
		if by == nil {
			by = r.Kind.By
		}
		w.keysOf(i, by, 1<<bit)
	}
}

func (w *Worker) keysOf(rule int32, by []kind.Field, clauses uint8) {
	k := w.set.rules[rule].Kind
	list := -1
	at := len(w.texts)
	w.texts = append(w.texts, make([]string, len(by))...)
	key := w.texts[at:len(w.texts):len(w.texts)]
	for i, f := range by {
		if f.Type == event.List {
			list = i
			continue
		}
		if key[i] = w.ev.Text(f.Slot); key[i] == "" && !k.Alone() && !w.ev.Has(f.Slot) {
			return
		}
	}
	if list < 0 {
		w.keys = addKey(w.keys, key, clauses)
		return
	}
	var different []string
	for _, t := range w.ev.List(by[list].Slot) {
		if t == "" || slices.Contains(different, t) {
			continue
		}
		if len(different) == maxKeys {
			w.Overflow[rule]++
			continue
		}
		different = append(different, t)
		own := slices.Clone(key)
		own[list] = t
		w.keys = addKey(w.keys, own, clauses)
	}
	if different == nil && k.Alone() {
		w.keys = addKey(w.keys, key, clauses)
	}
}

// addKey adds clauses to a key, which may be new.
func addKey(all []keyed, key []string, clauses uint8) []keyed {
	for i := range all {
		if slices.Equal(all[i].key, key) {
			all[i].clauses |= clauses
			return all
		}
	}
	return append(all, keyed{key, clauses})
}

// joined is a key as bytes.
func joined(to []byte, key []string) []byte {
	for _, t := range key {
		to = state.AppendBytes(to, t)
	}
	return to
}

// parted is a key that was joined.
func parted(to []string, b string, n int) []string {
	f := state.Read([]byte(b))
	for range n {
		to = append(to, string(f.Bytes()))
	}
	return to
}
