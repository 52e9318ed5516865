package decode

import (
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"noroshi/internal/decode/projector"
	"noroshi/internal/event"
)

// Reason says why bytes are no event; the words are stable.
type Reason string

// The reasons of undecodable records.
const (
	BadJSON Reason = "json" // no JSON object, nested deeper than 64
	BadSize Reason = "size" // longer than MaxRecord
	BadTime Reason = "time" // no readable time
)

// Error is a record that is no event.
type Error struct {
	Reason Reason
	Cause  error
}

func (e *Error) Error() string { return string(e.Reason) + ": " + e.Cause.Error() }

func (e *Error) Unwrap() error { return e.Cause }

// Undecodable is an error of Read as the *Error that it is.
func Undecodable(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Reason: BadJSON, Cause: err}
}

// Reader reads one record after the other, in one goroutine, without memory that grows with them.
type Reader struct {
	// Event is the record at hand.
	Event *event.Event
	// Cut counts the lists that were cut to MaxList.
	Cut int

	plan     *Plan
	layers   [maxInside + 1]layer
	depth    int                  // of the record at hand: in how many others it lies
	x        *projector.Projector // of the record at hand
	view     *view
	around   []surrounding // the records in which the record at hand lay, the nearest first
	broken   string        // see Broken
	rec      []byte
	given    []byte // the record that was given: rec, or that in which it lies
	masked   bool   // see NotUTF8
	arena    []byte
	copied   []byte
	text     []byte // a text that stands for an object or a list
	time     time.Time
	timeFrom string
	list     listCache
	classes  learned            // of folders
	legacies learned            // whether protocols are old
	places   map[spelling]int32 // of paths that the plan spells otherwise; -1 where it has none

	atAddress, addition *event.Place // see looked and added; nil until the record at hand needs them
	remembered          map[string]*event.Place
}

// layer is the memory for one record: the one that was given, or one that lies inside another.
type layer struct {
	projectors [event.Shapes]*projector.Projector
	shape      event.Shape // of the record before, the first guess for the next
	record     []byte      // what lay inside another record
	masked     []byte      // the record with bytes masked that are no UTF-8
	enveloped  []byte      // a row in an envelope of ours
	whole      []byte      // the record with what it holds as JSON in text in the place of the text
	unfolded   unfolded    // what such texts were
}

// Reader makes a reader.
func (p *Plan) Reader() *Reader {
	r := &Reader{plan: p, places: map[spelling]int32{}, classes: learned{}, legacies: learned{}}
	for i := range p.views {
		r.layers[0].projectors[i] = projector.New(p.views[i].paths)
	}
	r.Event = event.New(p.layout, r)
	return r
}

// Read reads the record b[from:to]. b[to] must be 0 and Slack bytes from there on readable. The enqueued time stands in where
// the record has none; it may be zero. The error is always an *Error.
func (r *Reader) Read(b []byte, from, to int, enqueued time.Time) error {
	r.Event.Next()
	r.arena = r.arena[:0]
	r.list.used = false // its memory is used again
	r.atAddress, r.addition = nil, nil
	r.given, r.rec, r.masked = b[from:to], b[from:to], false
	r.depth, r.around, r.broken = 0, r.around[:0], ""
	if to-from > MaxRecord {
		return &Error{BadSize, errSize}
	}
	if err := r.settle(b, from, to); err != nil {
		if from > 0 && !utf8.Valid(b[from:to]) {
			return r.ReadAlone(b[from:to], enqueued) // where such bytes can be read
		}
		return &Error{BadJSON, err}
	}
	var err error
	if r.time, r.timeFrom, err = r.when(); err != nil {
		return &Error{BadTime, err}
	}
	if r.timeFrom == "" {
		if enqueued.IsZero() {
			return &Error{BadTime, r.noTime()}
		}
		r.time, r.timeFrom = enqueued.UTC(), "enqueued"
	}
	return nil
}

// ReadAlone reads a record that stands alone; it is copied to have its end marked.
func (r *Reader) ReadAlone(rec []byte, enqueued time.Time) error {
	n := len(rec)
	r.copied = append(append(r.copied[:0], rec...), slack[:]...)
	return r.Read(r.copied, 0, n, enqueued)
}

var slack [Slack]byte

// Time is when the record at hand happened, UTC.
func (r *Reader) Time() time.Time { return r.time }

// Bytes are the record at hand.
func (r *Reader) Bytes() []byte { return r.rec }

// Shape is the layout of the record at hand.
func (r *Reader) Shape() event.Shape { return r.view.shape }

// Text implements event.Source.
func (r *Reader) Text(s event.Slot) string {
	o := &r.view.slots[s]
	if o.plain >= 0 {
		return r.scalar(o.plain)
	}
	text := r.fed(o)
	if text == "" && o.told != 0 {
		text = r.surroundingText(s, o.told)
	}
	if o.derive != nil {
		text = o.derive(r, text)
	}
	return text
}

// fed is the canonical text of the first place that has one: a placeholder there hides no other place.
func (r *Reader) fed(o *origin) string {
	for _, i := range o.feeds {
		if text := r.scalar(i); text != "" {
			if text = r.canonical(o.form, text); text != "" {
				return text
			}
		}
	}
	return ""
}

// List implements event.Source.
func (r *Reader) List(s event.Slot) []string {
	o := &r.view.slots[s]
	if o.list == nil {
		return nil
	}
	all := o.list(r)
	if len(all) > MaxList {
		all = all[:MaxList]
		r.Cut++
	}
	return all
}

// Has implements event.Source.
func (r *Reader) Has(s event.Slot) bool {
	o := &r.view.slots[s]
	if o.list != nil {
		return len(r.Event.List(s)) > 0
	}
	if o.derive != nil && r.Event.Text(s) != "" {
		return true
	}
	if o.derive != nil && r.plan.layout.Def(s).Field != nil {
		return false
	}
	if o.form.Drops() {
		return r.Event.Text(s) != ""
	}
	if o.told != 0 && r.surroundingText(s, o.told) != "" {
		return true
	}
	for _, i := range o.feeds {
		if k := r.x.Values[i].Kind; k != projector.None && k != projector.Null {
			return true
		}
	}
	return false
}

// HasLists reports whether the record at hand has a Name/Value list at all: without one no param has a value.
func (r *Reader) HasLists() bool {
	if r.view.shape != event.UAL {
		return true
	}
	for _, i := range r.view.lists {
		if r.x.Values[i].Kind != projector.None {
			return true
		}
	}
	return false
}

// scalar is the text of a projected value, "" of an object, an array or null. An object that lay in the record as JSON in text is
// that text.
func (r *Reader) scalar(i int32) string {
	v := &r.x.Values[i]
	switch v.Kind {
	case projector.Text:
		if v.Escaped || r.masked {
			return r.unescape(r.x.Raw(int(i)))
		}
		return r.x.View(int(i))
	case projector.Number:
		return r.x.View(int(i))
	case projector.True:
		return "true"
	case projector.False:
		return "false"
	case projector.Object, projector.Array:
		return r.folded(v.From)
	}
	return ""
}

// place is where a path's value is among those projected, however the plan spells it.
func (r *Reader) place(path string) (int32, bool) {
	if i, ok := r.view.at[path]; ok {
		return i, true
	}
	of := spelling{r.view.shape, path}
	i, known := r.places[of]
	if !known {
		var ok bool
		if i, ok = r.view.find(path); !ok {
			i = -1
		}
		r.places[of] = i
	}
	return i, i >= 0
}

// spelling is a path in records of a shape as derivations spell it.
type spelling struct {
	shape event.Shape
	path  string
}

// at is the text at a path that the plan projects, "" elsewhere.
func (r *Reader) at(path string) string {
	i, ok := r.place(path)
	if !ok {
		return ""
	}
	return r.scalar(i)
}

// span is the JSON at a path that the plan projects: of a text what it says, of an object or array its bytes.
func (r *Reader) span(path string) []byte {
	i, ok := r.place(path)
	if !ok {
		return nil
	}
	switch r.x.Values[i].Kind {
	case projector.None, projector.Null:
		return nil
	case projector.Text:
		return []byte(r.scalar(i))
	}
	return r.x.Raw(int(i))
}

// field is the text of a field that the derivation needs.
func (r *Reader) field(name string) string {
	s, ok := r.plan.layout.Find(name)
	if !ok {
		return ""
	}
	return r.Event.Text(s)
}

// fieldList is the texts of a field that the derivation needs.
func (r *Reader) fieldList(name string) []string {
	s, ok := r.plan.layout.Find(name)
	if !ok {
		return nil
	}
	return r.Event.List(s)
}

func (r *Reader) canonical(f event.Form, s string) string {
	switch f {
	case event.LowerCase:
		return r.lower(s)
	case event.Name:
		return r.nameOf(s)
	case event.Operation:
		return operation(s)
	case event.Address:
		ip, _ := Address(s)
		return ip
	case event.Country:
		return country(s)
	case event.Code:
		return codeNumber(s)
	case event.Truth:
		return spelt(s)
	case event.JSONText:
		return unwrap(s)
	case event.Decimal:
		return finite(s)
	}
	return s
}

// finite is a number's text, "" of what is no number.
func finite(s string) string {
	if _, ok := event.NumberOf(s); !ok {
		return ""
	}
	return s
}

// spelt is true or false where a text spells it; other texts stay.
func spelt(s string) string {
	switch {
	case strings.EqualFold(s, "true"):
		return "true"
	case strings.EqualFold(s, "false"):
		return "false"
	}
	return s
}

// country is a country's code; records name regions of data centres in the same place.
func country(s string) string {
	if len(s) != 2 {
		return ""
	}
	if capital(s[0]) && capital(s[1]) {
		return s
	}
	if s = strings.ToUpper(s); !capital(s[0]) || !capital(s[1]) {
		return ""
	}
	return s
}

func capital(c byte) bool { return c >= 'A' && c <= 'Z' }

// operation drops what an operation's name carries by accident: trailing dots and blanks, the en dash, and
// of the operations that fields and rules ask for the case and doubled blanks.
func operation(s string) string {
	if s[len(s)-1] == '.' || s[len(s)-1] == ' ' || s[0] == ' ' {
		s = strings.TrimRight(strings.TrimLeft(s, " "), ". ")
	}
	if strings.Contains(s, "–") {
		s = strings.ReplaceAll(s, "–", "-")
	}
	return knownOperation(s)
}
