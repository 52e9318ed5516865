// Package event is one audit or sign-in record as rules see it.
package event

import "unsafe"

// Slot is the number of a value that some rule of a set mentions.
type Slot int32

// The slots that every layout has, whatever the rules mention.
const (
	ID Slot = iota
	Time
	Action
	Tenant
	Account
	Dataset
	Outcome
	SourceIP
	SourceCountry
	SourceASN
	UserName
	UserKind
	UserID
	UserType
	TargetName
	MailboxOwner
	OrganizationName
	AlertEntity
	Session
	AppID
	AppName
	AuthError
	ForwardTo
	SendsTo
	fixed // how many there are
)

var fixedNames = [fixed]string{
	ID: "event.id", Time: "event.time", Action: "event.action", Tenant: "organization.id", Account: "account", Dataset: "event.dataset",
	Outcome: "event.outcome", SourceIP: "source.ip", SourceCountry: "source.geo.country_iso_code", SourceASN: "source.as.number",
	UserName: "user.name", UserKind: "user.kind", UserID: "user.id", UserType: "user.type",
	TargetName: "user.target.name", MailboxOwner: "mailbox.owner", OrganizationName: "organization.name", AlertEntity: "alert.entity",
	Session: "session.id", AppID: "app.id", AppName: "app.name", AuthError: "auth.error",
	ForwardTo: "forward.to", SendsTo: "inbox_rule.sends_to",
}

// Source works out the values of the record at hand. The texts live until the next record.
type Source interface {
	// Text is the canonical text of a slot, "" where the record lacks it; numbers and truths as JSON writes them.
	Text(s Slot) string
	// List is the texts of a slot of type List.
	List(s Slot) []string
	// Has reports whether the record has a value for the slot, be it empty.
	Has(s Slot) bool
}

// Event holds the values of one record after the other, each worked out when it is first asked for. It belongs to one
// goroutine.
type Event struct {
	layout *Layout
	forms  []form // of the slots
	from   Source
	now    uint32 // number of the record, to tell which texts are of this one
	texts  []string
	at     []uint32
	lists  [][]string
	listAt []uint32
	room   []byte // for texts that are made lower case; what was used of it is never written again
}

// New makes an event over a source that knows the layout.
func New(l *Layout, from Source) *Event {
	n := len(l.defs)
	forms := make([]form, n)
	for s := range forms {
		forms[s] = l.defs[s].form
	}
	return &Event{layout: l, forms: forms, from: from, texts: make([]string, n), at: make([]uint32, n), lists: make([][]string, n), listAt: make([]uint32, n)}
}

// Next forgets the values: the source stands at another record.
func (e *Event) Next() {
	if e.now++; e.now == 0 { // after four thousand million records the stamps begin anew
		clear(e.at)
		clear(e.listAt)
		e.now = 1
	}
}

// Layout is the numbering of the event's values.
func (e *Event) Layout() *Layout { return e.layout }

// Text is a value's text.
func (e *Event) Text(s Slot) string {
	if e.at[s] == e.now {
		return e.texts[s]
	}
	return e.fill(s)
}

func (e *Event) fill(s Slot) string {
	e.at[s] = e.now
	text := ""
	switch e.forms[s] {
	case plain, own:
		text = e.from.Text(s)
	case lowered:
		text = e.Lower(e.Text(e.layout.defs[s].of))
	case presence:
		text = "false"
		if e.from.Has(e.layout.defs[s].of) {
			text = "true"
		}
	}
	e.texts[s] = text
	return text
}

// roomSize is how much room is made at once.
const roomSize = 4096

// Lower is Lower, with few allocations. The text lives as long as it is held.
func (e *Event) Lower(s string) string {
	if IsLower(s) {
		return s
	}
	if most := 3 * len(s); cap(e.room)-len(e.room) < most { // a letter of one byte may become one of three
		e.room = make([]byte, 0, max(roomSize, most))
	}
	from := len(e.room)
	e.room = AppendLower(e.room, s)
	return unsafe.String(unsafe.SliceData(e.room[from:]), len(e.room)-from)
}

// List is a value's texts.
func (e *Event) List(s Slot) []string {
	if e.listAt[s] != e.now {
		e.listAt[s] = e.now
		d := &e.layout.defs[s]
		if d.form == lowered {
			var low []string
			for _, t := range e.List(d.of) {
				low = append(low, Lower(t))
			}
			e.lists[s] = low
		} else {
			e.lists[s] = e.from.List(s)
		}
	}
	return e.lists[s]
}

// Bool is a value as a truth; what is absent is false.
func (e *Event) Bool(s Slot) bool { return e.Text(s) == "true" }

// Has reports whether the record has a value for the slot.
func (e *Event) Has(s Slot) bool { return e.from.Has(s) }
