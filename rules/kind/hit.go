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

// Hit is what is left of one record that satisfied a condition of a rule: all that firing needs, and no more.
type Hit struct {
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
	Respond      []alert.Remedy
	Cut          bool // facts were left out
}

// Same is what the hit's event is known by within its tenant.
func (h *Hit) Same() event.Identity {
	return event.Identity{ID: h.ID, Time: h.Time.UnixNano(), Action: h.Action, Outcome: h.Outcome}
}

// Clone is a copy of the hit that shares no memory with it.
func (h *Hit) Clone() *Hit {
	c := *h
	for _, t := range c.texts() {
		*t = strings.Clone(*t)
	}
	for _, t := range [...]*string{&c.ID, &c.Action, &c.Outcome} {
		*t = strings.Clone(*t)
	}
	c.Destinations, c.Key, c.Facts = cloned(h.Destinations), cloned(h.Key), bytes.Clone(h.Facts)
	c.Respond = nil
	for _, r := range h.Respond {
		c.Respond = append(c.Respond, alert.Remedy{ID: strings.Clone(r.ID), Text: strings.Clone(r.Text), Command: strings.Clone(r.Command)})
	}
	return &c
}

func cloned(all []string) (out []string) {
	for _, t := range all {
		out = append(out, strings.Clone(t))
	}
	return out
}

// texts are the single texts but for those that order hits.
func (h *Hit) texts() [12]*string {
	return [...]*string{&h.Tenant, &h.Account, &h.Dataset, &h.Actor.Name, &h.Actor.Kind, &h.Actor.ID, &h.Target,
		&h.Source.IP, &h.Source.Country, &h.Session, &h.App, &h.Summary}
}

// A hit that travels, or waits to be sorted, is packed: what orders it, so that packed hits sort by time, id, action and
// outcome; then numbers, and each text behind its length.

// Append packs the hit.
func (h *Hit) Append(to []byte) []byte {
	to = binary.BigEndian.AppendUint64(to, uint64(h.Time.UnixNano())^1<<63)
	to = appendSorted(appendSorted(appendSorted(to, h.ID), h.Action), h.Outcome)
	to = binary.AppendUvarint(to, uint64(h.Rule))
	enqueued := int64(0)
	if !h.Enqueued.IsZero() {
		enqueued = h.Enqueued.UnixNano()
	}
	to = binary.AppendVarint(to, enqueued)
	for _, t := range h.texts() {
		to = appendText(to, *t)
	}
	to = binary.AppendUvarint(to, uint64(max(h.Source.ASN, 0)))
	to = appendTexts(to, h.Destinations)
	to = appendTexts(to, h.Key)
	to = binary.AppendUvarint(to, uint64(len(h.Facts)))
	to = append(to, h.Facts...)
	to = binary.AppendUvarint(to, uint64(len(h.Respond)))
	for _, r := range h.Respond {
		to = appendText(appendText(appendText(to, r.ID), r.Text), r.Command)
	}
	if h.Cut {
		return append(to, 1)
	}
	return append(to, 0)
}

// appendSorted appends a text so that the bytes compare as the texts do: a zero byte in it is followed by 255, its end is two zeros.
func appendSorted(to []byte, h string) []byte {
	for {
		before, after, zero := strings.Cut(h, "\x00")
		to = append(to, before...)
		if !zero {
			return append(to, 0, 0)
		}
		to, h = append(to, 0, 255), after
	}
}

func appendText(to []byte, h string) []byte {
	return append(binary.AppendUvarint(to, uint64(len(h))), h...)
}

func appendTexts(to []byte, all []string) []byte {
	to = binary.AppendUvarint(to, uint64(len(all)))
	for _, h := range all {
		to = appendText(to, h)
	}
	return to
}

// ErrHit says that bytes are no packed hit.
var ErrHit = errors.New("not a packed hit")

// Unpack reads a packed hit. Its texts share the bytes given, which must not change while it lives.
func (h *Hit) Unpack(b []byte) error {
	if len(b) < 8 {
		return ErrHit
	}
	r := reading{b: b[8:]}
	*h = Hit{Time: time.Unix(0, int64(binary.BigEndian.Uint64(b)^1<<63)).UTC(), Destinations: h.Destinations[:0], Key: h.Key[:0], Respond: h.Respond[:0]}
	h.ID, h.Action, h.Outcome = r.sorted(), r.sorted(), r.sorted()
	h.Rule = int32(r.number())
	if n := r.signed(); n != 0 {
		h.Enqueued = time.Unix(0, n).UTC()
	}
	for _, t := range h.texts() {
		*t = r.text()
	}
	h.Source.ASN = int(r.number())
	h.Destinations = r.texts(h.Destinations)
	h.Key = r.texts(h.Key)
	h.Facts = r.bytes()
	for n := r.number(); n > 0 && !r.failed; n-- {
		h.Respond = append(h.Respond, alert.Remedy{ID: r.text(), Text: r.text(), Command: r.text()})
	}
	if len(r.b) != 1 || r.failed {
		return ErrHit
	}
	h.Cut = r.b[0] == 1
	return nil
}

// reading takes a packed hit apart.
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
