package replay

import (
	"fmt"
	"strings"
	"time"

	"noroshi/internal/decode"
	"noroshi/rules"
	"noroshi/rules/sample"
)

// stamp is what makes a record one of its own.
type stamp struct {
	of     *rules.Event
	at     time.Time // zero: the record's own
	id     string    // "": the record's own, or of one that gets a time one made of its number
	number int       // in the test
	nth    int       // of its entry
}

// record is an entry's record with the time and id of a stamp. Both are changed before the entry's own changes, so that these
// have the last word.
func (b *builder) record(s stamp) ([]byte, error) {
	if s.at.IsZero() && s.id == "" {
		return s.of.Record(), nil
	}
	if err := b.reader.ReadAlone(s.of.Base, time.Time{}); err != nil {
		return nil, fmt.Errorf("cannot be read: %w", err)
	}
	n, err := sample.Parse(s.of.Base)
	if err != nil {
		return nil, fmt.Errorf("cannot be read: %w", err)
	}
	if !s.at.IsZero() {
		n.Move(s.at.Sub(b.reader.Time()))
	}
	own, id := ownID(b.reader), s.name()
	if own != "" {
		n.Rename(own, id)
	}
	if err := b.check(n.Append(nil), s, own, id); err != nil {
		return nil, err
	}
	s.of.Edit(n, s.nth)
	return n.Append(nil), nil
}

// name is the id that the record gets.
func (s stamp) name() string {
	switch {
	case s.id == "":
		return fmt.Sprintf("event-%05d", s.number)
	case s.of.Times > 1:
		return fmt.Sprintf("%s-%d", s.id, s.nth)
	}
	return s.id
}

// ownID is the part of event.id that stands in the record at hand, "" where none does.
func ownID(r *decode.Reader) string {
	id := r.Identity().ID
	if strings.HasPrefix(id, "sha256:") {
		return ""
	}
	whole, _, _ := strings.Cut(id, "/") // rows are known by more than their own id
	return whole
}

// check reports whether a record has taken its time and its id on.
func (b *builder) check(rec []byte, s stamp, own, id string) error {
	if err := b.reader.ReadAlone(rec, time.Time{}); err != nil {
		return fmt.Errorf("cannot be read: %w", err)
	}
	if late := s.at.Sub(b.reader.Time()); !s.at.IsZero() && (late < 0 || late >= time.Second) {
		return fmt.Errorf("cannot be given the time %s: expected its own as 2026-01-02T03:00:00Z, with or without decimals and zone", decode.FormatTime(s.at))
	}
	if own == "" && s.id != "" || own != "" && ownID(b.reader) != id {
		return fmt.Errorf("cannot be given the id %s: it has none of its own", id)
	}
	return nil
}
