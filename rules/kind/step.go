package kind

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"time"
	"unsafe"

	"noroshi/internal/alert"
	"noroshi/internal/event"
)

// Step is what is left of one record that satisfied a condition of a rule: all that firing needs, and no more.
type Step struct {
	Rule         int32 // its number in the rule set
	Time         time.Time
	Enqueued     time.Time // when the source took the record, else when it reached Kafka; zero in files
	ID           string    // event.id
	Tenant       string
	Account      string
	Action       string
	Outcome      string // event.outcome of a sign-in, else ""
	Dataset      string
	Actor        alert.Actor
	Target       string
	Source       alert.Source
	Session      string
	App          string
	Destinations []string // addresses that mail is forwarded to
	Key          []string // the values of the rule's `by`
	Summary      string
	Facts        []byte // a JSON object of the fields that the rule names
	Respond      []alert.Step
	Cut          bool // facts were left out
}

// Same is what the step's event is known by within its tenant.
func (s *Step) Same() event.Identity {
	return event.Identity{ID: s.ID, Time: s.Time.UnixNano(), Action: s.Action, Outcome: s.Outcome}
}

// Clone is a copy of the step that shares no memory with it.
func (s *Step) Clone() *Step {
	c := *s
	for _, t := range c.texts() {
		*t = strings.Clone(*t)
	}
	for _, t := range [...]*string{&c.ID, &c.Action, &c.Outcome} {
		*t = strings.Clone(*t)
	}
	c.Destinations, c.Key, c.Facts = cloned(s.Destinations), cloned(s.Key), bytes.Clone(s.Facts)
	c.Respond = nil
	for _, r := range s.Respond {
		c.Respond = append(c.Respond, alert.Step{ID: strings.Clone(r.ID), Text: strings.Clone(r.Text), Command: strings.Clone(r.Command)})
	}
	return &c
}

func cloned(all []string) (out []string) {
	for _, t := range all {
		out = append(out, strings.Clone(t))
	}
	return out
}

// texts are the single texts but for those that order steps.
func (s *Step) texts() [12]*string {
	return [...]*string{&s.Tenant, &s.Account, &s.Dataset, &s.Actor.Name, &s.Actor.Kind, &s.Actor.ID, &s.Target,
		&s.Source.IP, &s.Source.Country, &s.Session, &s.App, &s.Summary}
}

// A step that travels, or waits to be sorted, is packed: what orders it, so that packed steps sort by time, id, action and
// outcome; then numbers, and each text behind its length.

// Append packs the step.
func (s *Step) Append(to []byte) []byte {
	to = binary.BigEndian.AppendUint64(to, uint64(s.Time.UnixNano())^1<<63)
	to = appendSorted(appendSorted(appendSorted(to, s.ID), s.Action), s.Outcome)
	to = binary.AppendUvarint(to, uint64(s.Rule))
	enqueued := int64(0)
	if !s.Enqueued.IsZero() {
		enqueued = s.Enqueued.UnixNano()
	}
	to = binary.AppendVarint(to, enqueued)
	for _, t := range s.texts() {
		to = appendText(to, *t)
	}
	to = binary.AppendUvarint(to, uint64(max(s.Source.ASN, 0)))
	to = appendTexts(to, s.Destinations)
	to = appendTexts(to, s.Key)
	to = binary.AppendUvarint(to, uint64(len(s.Facts)))
	to = append(to, s.Facts...)
	to = binary.AppendUvarint(to, uint64(len(s.Respond)))
	for _, r := range s.Respond {
		to = appendText(appendText(appendText(to, r.ID), r.Text), r.Command)
	}
	if s.Cut {
		return append(to, 1)
	}
	return append(to, 0)
}

// appendSorted appends a text so that the bytes compare as the texts do: a zero byte in it is followed by 255, its end is two zeros.
func appendSorted(to []byte, s string) []byte {
	for {
		before, after, zero := strings.Cut(s, "\x00")
		to = append(to, before...)
		if !zero {
			return append(to, 0, 0)
		}
		to, s = append(to, 0, 255), after
	}
}

func appendText(to []byte, s string) []byte {
	return append(binary.AppendUvarint(to, uint64(len(s))), s...)
}

func appendTexts(to []byte, all []string) []byte {
	to = binary.AppendUvarint(to, uint64(len(all)))
	for _, s := range all {
		to = appendText(to, s)
	}
	return to
}

// ErrStep is a packed step that is none.
var ErrStep = errors.New("not a packed step")

// Unpack reads a packed step. Its texts share the bytes given, which must not change while it lives.
func (s *Step) Unpack(b []byte) error {
	if len(b) < 8 {
		return ErrStep
	}
	r := reading{b: b[8:]}
	*s = Step{Time: time.Unix(0, int64(binary.BigEndian.Uint64(b)^1<<63)).UTC(), Destinations: s.Destinations[:0], Key: s.Key[:0], Respond: s.Respond[:0]}
	s.ID, s.Action, s.Outcome = r.sorted(), r.sorted(), r.sorted()
	s.Rule = int32(r.number())
	if n := r.signed(); n != 0 {
		s.Enqueued = time.Unix(0, n).UTC()
	}
	for _, t := range s.texts() {
		*t = r.text()
	}
	s.Source.ASN = int(r.number())
	s.Destinations = r.texts(s.Destinations)
	s.Key = r.texts(s.Key)
	s.Facts = r.bytes()
	for n := r.number(); n > 0 && !r.failed; n-- {
		s.Respond = append(s.Respond, alert.Step{ID: r.text(), Text: r.text(), Command: r.text()})
	}
	if len(r.b) != 1 || r.failed {
		return ErrStep
	}
	s.Cut = r.b[0] == 1
	return nil
}

// reading takes a packed step apart.
type reading struct {
	b      []byte
	failed bool
}

func (r *reading) number() uint64 {
	n, k := binary.Uvarint(r.b)
	if k <= 0 {
		r.failed, r.b = true, nil
		return 0
	}
	r.b = r.b[k:]
	return n
}

func (r *reading) signed() int64 {
	n, k := binary.Varint(r.b)
	if k <= 0 {
		r.failed, r.b = true, nil
		return 0
	}
	r.b = r.b[k:]
	return n
}

func (r *reading) bytes() []byte {
	n := r.number()
	if n > uint64(len(r.b)) {
		r.failed, r.b = true, nil
		return nil
	}
	t := r.b[:n:n]
	r.b = r.b[n:]
	return t
}

// sorted reads what appendSorted wrote.
func (r *reading) sorted() string {
	i := bytes.IndexByte(r.b, 0)
	if i >= 0 && i+1 < len(r.b) && r.b[i+1] == 0 { // all but always
		t := r.b[:i:i]
		r.b = r.b[i+2:]
		return unsafe.String(unsafe.SliceData(t), len(t))
	}
	var text []byte
	for i := 0; i+1 < len(r.b); i++ {
		switch {
		case r.b[i] != 0:
			text = append(text, r.b[i])
			continue
		case r.b[i+1] == 0:
			r.b = r.b[i+2:]
			return string(text)
		case r.b[i+1] == 255:
			text = append(text, 0)
			i++
			continue
		}
		break
	}
	r.failed, r.b = true, nil
	return ""
}

func (r *reading) text() string {
	b := r.bytes()
	return unsafe.String(unsafe.SliceData(b), len(b))
}

func (r *reading) texts(to []string) []string {
	for n := r.number(); n > 0 && !r.failed; n-- {
		to = append(to, r.text())
	}
	return to
}
