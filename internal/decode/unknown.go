package decode

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"noroshi/internal/event"
)

// DatasetUnknown is the dataset of records of no known kind.
const DatasetUnknown = "unknown"

// The bounds of Members.
const (
	memberRecords = 5  // records whose members are named
	memberNames   = 12 // names
	memberLength  = 40 // characters of one name
)

// Members keeps the names of the top-level members of the first few records that it is given. They show what records of no
// known kind are; values are never kept.
type Members struct {
	names   []string
	records int
}

// Add takes a record.
func (m *Members) Add(rec []byte) {
	if m.records >= memberRecords {
		return
	}
	m.records++
	for _, name := range memberNamesOf(rec) {
		if len(m.names) < memberNames && !slices.Contains(m.names, name) {
			m.names = append(m.names, name)
		}
	}
}

// Names are the names kept, in the order in which they came.
func (m *Members) Names() []string { return slices.Clone(m.names) }

// memberNamesOf are the names of a record's first members.
func memberNamesOf(rec []byte) (names []string) {
	d := json.NewDecoder(bytes.NewReader(rec))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil
	}
	for d.More() && len(names) < memberNames {
		t, err := d.Token()
		name, ok := t.(string)
		if err != nil || !ok {
			return names
		}
		names = append(names, shortened(name))
		var skipped json.RawMessage
		if d.Decode(&skipped) != nil {
			return names
		}
	}
	return names
}

// shortened is a name of at most memberLength characters.
func shortened(name string) string {
	if utf8.RuneCountInString(name) <= memberLength {
		return name
	}
	return string([]rune(name)[:memberLength]) + "…"
}

// noTime is why the record at hand, which has no time that can be read, is no event.
func (r *Reader) noTime() error {
	if err := r.unreadableTime(); err != nil {
		return err
	}
	if r.view.shape != event.Other {
		return errTime
	}
	keys := "no keys"
	if names := memberNamesOf(r.rec); len(names) > 0 {
		keys = "keys: " + strings.Join(names, ", ")
	}
	return fmt.Errorf("no kind that is known (%s) and no time; expected a record of the audit log, of Entra ID, of Defender XDR or of message trace", keys)
}
