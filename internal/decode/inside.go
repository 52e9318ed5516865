package decode

import (
	"bytes"
	"encoding/json"
	"strings"

	"noroshi/internal/decode/projector"
	"noroshi/internal/event"
)

// Records inside records. Purview, Microsoft Graph and Defender XDR give a record of the unified audit log inside one of their
// own, and collectors of other products put a record that they pass on into a member. The record inside is read as if it had come
// alone: it has the same id, time, account and dataset on every road.
// Sources: Microsoft Graph, auditLogRecord; Search-UnifiedAuditLog; Elastic Common Schema, event.original; Splunk, HTTP event
// collector and export of search results; Wazuh, Monitoring Office 365; Azure Monitor, custom text logs.

// maxInside is how deep records may lie inside each other.
const maxInside = 4

// auditData are the places of the audit record in a row of Purview's search and in Microsoft Graph's auditLogRecord. PowerShell's
// module puts what it has no type for into AdditionalProperties.
var auditData = []string{"AuditData", "AuditData.AdditionalProperties"}

// holders are the members in which a record is looked for, by the shape of the record around it. The first that holds one counts.
// In records of no known shape it may be of any known shape, elsewhere of the unified audit log.
var holders = [event.Shapes][]string{
	event.UAL:      auditData,
	event.Defender: {"properties.RawEventData"},
	event.Other: append([]string{"event.original", `["event.original"]`, "message", "_raw", "_source", "event", "full_log", "data.office365",
		"office365", "result", "log", "RawData", "json", "o365.audit", "data", "records", "value", "AdditionalProperties"}, auditData...),
}

// structured are paths into lists that derived fields read whole, so that the projector looks at their elements, too.
var structured = [event.Shapes][]string{
	event.UAL:   {"Parameters[Name]", "ModifiedProperties[Name]", "OperationProperties[Name]"},
	event.Entra: {"properties.targetResources[*].modifiedProperties[Name]"},
	event.Graph: {"targetResources[*].modifiedProperties[Name]"},
}

// surrounding is a record in which the record at hand lay.
type surrounding struct {
	x    *projector.Projector
	view *view
}

// toldBy are the fields that a surrounding record of a shape tells where the record inside does not say so itself.
var toldBy = [event.Shapes]map[string]bool{
	event.UAL: {"organization.id": true, "user.name": true, "source.ip": true},
	event.Defender: {"organization.id": true, "event.created": true, "source.geo.country_iso_code": true, "source.geo.city_name": true, "source.as.organization.name": true,
		"source.anonymous": true},
}

// tellers are the shapes that tell a field, as bits.
func tellers(field string) (shapes uint8) {
	for s, fields := range toldBy {
		if fields[field] {
			shapes |= 1 << s
		}
	}
	return shapes
}

// open makes the record inside the record at hand the record at hand. It reports whether there is one.
func (r *Reader) open() bool {
	switch r.view.shape {
	case event.UAL:
		if !r.holdsAudit() {
			return false
		}
	case event.Defender:
		if !strings.EqualFold(r.scalar(markCategory), cloudApps) {
			return false
		}
	}
	broken := ""
	switch {
	case r.view.shape == event.UAL:
		broken = "AuditData" // there has to be one
	case r.view.shape == event.Defender && r.lacksAudit():
		broken = "RawEventData"
	}
	for n, i := range r.view.inside {
		r.broken = ""
		switch r.enter(i) {
		case aRecord:
			return true
		case cutOff:
			broken = lastName(holders[r.view.shape][n])
		}
	}
	if r.broken = broken; r.view.shape == event.Other {
		r.broken = "" // what a member of such a name holds need not be a record
	}
	return false
}

// lacksAudit reports whether a row of CloudAppEvents has no audit record where it should have one: nothing, or nothing that can be read.
// What other applications than Microsoft's have there is no audit record.
func (r *Reader) lacksAudit() bool {
	switch i := r.view.inside[0]; r.x.Values[i].Kind {
	case projector.Object:
		return startsFolded(r.at("properties.Application"), "Microsoft ") || len(r.x.Raw(int(i))) == len("{}")
	case projector.Text:
		return strings.TrimSpace(r.scalar(i)) == "" || len(r.x.Flat) > 0 || startsFolded(r.at("properties.Application"), "Microsoft ")
	}
	return true
}

func startsFolded(s, with string) bool {
	return len(s) >= len(with) && strings.EqualFold(s[:len(with)], with)
}

func lastName(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }

// holdsAudit reports whether the record at hand, of the shape of the unified audit log, is no record of it but has one inside: it
// has no time of creation under that name, and has AuditData or what Microsoft Graph calls the record's type.
func (r *Reader) holdsAudit() bool {
	return !r.present(markCreationTime) && (r.kind(markAuditData) != projector.None || r.present(markAuditType))
}

// Broken is the member of the record at hand in which an audit record has to lie, where that is missing, empty or cut off; else "".
// Of such a record only the record around it is read.
func (r *Reader) Broken() string { return r.broken }

// ReasonInside is the reason by which a record is told in which an audit record, or what a member has to hold, cannot be read; what
// lies around that is read.
const ReasonInside Reason = "inside"

// Partial tells what could not be read inside the record that was read, "" where nothing is missing.
func (r *Reader) Partial() string {
	if r.broken != "" {
		return "the audit record in " + r.broken + " is missing or cut off; only what lies around it is read, and no rule can see what was done. Export it again"
	}
	if member := r.flat(); member != "" {
		return member + " holds what PowerShell leaves of an object that lies too deep; no rule can see what was in it. Export it again, with ConvertTo-Json -Depth 20"
	}
	return ""
}

// flat is the first member of the record at hand that was lost when PowerShell wrote it, see projector.Projector; "" where there is
// none. The status of a sign-in is not lost where its code can still be read.
func (r *Reader) flat() string {
	if r.view.shape == event.Other {
		return ""
	}
	for _, v := range r.x.Flat {
		name := r.memberAround(v)
		if !sameName(name, "status") || r.Event.Text(event.AuthError) == "" {
			return name
		}
	}
	return ""
}

// memberAround is the name of the member that a text is the value of, or an element of that.
func (r *Reader) memberAround(v projector.Value) string {
	b := bytes.TrimRight(r.x.Shown()[:v.From-1], " \t\r\n")
	if len(b) > 0 && b[len(b)-1] == ',' {
		b = b[:bytes.LastIndexByte(b, '[')+1]
	}
	b = bytes.TrimRight(b, "[ \t\r\n:")
	if len(b) < 2 || b[len(b)-1] != '"' {
		return "a list"
	}
	b = b[:len(b)-1]
	return r.unescape(b[bytes.LastIndexByte(b, '"')+1:])
}

// found is what a look into a member has found.
type found uint8

const (
	noRecord found = iota
	cutOff         // it begins like a record and is not JSON
	aRecord        // which is now the record at hand
)

// enter looks into the member at a place. The record inside is no longer than the record around it, and may nest as deep as any.
func (r *Reader) enter(i int32) found {
	if r.depth == maxInside {
		return noRecord
	}
	next := &r.layers[r.depth+1]
	if !r.take(next, i) {
		return noRecord
	}
	x, v, rec := r.x, r.view, r.rec
	r.depth++
	err := r.settle(next.record, 0, len(next.record)-Slack)
	if err == nil && v.shape == event.UAL && r.view.shape == event.Other && r.kind(markOperation) == projector.Text {
		err = r.as(event.UAL, next.record, 0, len(next.record)-Slack) // its type and time are told around it
	}
	if err == nil && (r.view.shape == event.UAL || v.shape == event.Other && r.view.shape != event.Other) {
		r.around = append(r.around, surrounding{x, v})
		return aRecord
	}
	r.depth--
	r.x, r.view, r.rec = x, v, rec
	if err != nil {
		return cutOff
	}
	return noRecord
}

// take copies what may be a record at a place into a layer: an object, or a list of one object, as JSON or as JSON in text.
func (r *Reader) take(to *layer, i int32) bool {
	raw := r.x.Raw(int(i))
	switch v := r.x.Values[i]; v.Kind {
	case projector.Object, projector.Array:
		to.record = append(to.record[:0], raw...)
	case projector.Text:
		to.record = projector.Unescape(to.record[:0], raw)
		to.record = to.record[:copy(to.record, bytes.Trim(to.record, " \t\r\n\ufeff"))]
	default:
		return false
	}
	n := len(to.record)
	to.record = append(to.record, slack[:]...)
	if to.record[0] == '[' {
		return r.only(to, n)
	}
	return to.record[0] == '{'
}

// only makes the one object of a list, of which the first n bytes of the record may be, the record.
func (r *Reader) only(of *layer, n int) bool {
	if nesting(of.record[:n]) > projector.MaxDepth || !json.Valid(of.record[:n]) {
		return false
	}
	list := of.record
	if r.masked {
		r.text = append(projector.Mask(r.text[:0], list[:n]), slack[:]...)
		list = r.text
	}
	var one projector.Value
	count := 0
	projector.Elements(list, 0, func(v projector.Value) { one, count = v, count+1 })
	if count != 1 || one.Kind != projector.Object {
		return false
	}
	n = copy(of.record, of.record[one.From:one.To])
	of.record = append(of.record[:n], slack[:]...)
	return true
}

// surroundingText is what the records around the record at hand say of a field, the nearest first.
func (r *Reader) surroundingText(s event.Slot, tellers uint8) string {
	for _, a := range r.around {
		if tellers>>a.view.shape&1 == 0 {
			continue
		}
		back := r.stepInto(a)
		text := r.fed(&r.view.slots[s])
		if back(); text != "" {
			return text
		}
	}
	return ""
}

// stepInto makes a surrounding record the record at hand until the function that it returns is called.
func (r *Reader) stepInto(a surrounding) (back func()) {
	x, v := r.x, r.view
	r.x, r.view = a.x, a.view
	return func() { r.x, r.view = x, v }
}
