package ingest

import "bytes"

// members is what the names at the first levels of an object say: whether it is an envelope, that is, holds records in a list named
// records or value, or is a record itself.
//
// An object is an envelope if it has such a list, with objects in it or empty, and if it is not a record itself. A record says by members of its own what was done, and when. Where it says when in words that envelopes use too, such as time, it is
// a record unless the objects in its list are records. Neither the order of the members counts nor what stands beside them.
type members struct {
	list   int  // behind the bracket of the list of records; 0 where it has none
	filled bool // it is not empty
	value  bool // it is named value, which things have that are not envelopes
	own    marks
	inner  marks // of the objects in the list

	last    nameKind // of the member at hand
	named   nameKind // of the list that is open
	at      int      // the list named records or value that is open
	count   int      // of what it holds
	objects bool     // an object is among that
}

// marks are what an object says of itself.
type marks struct{ action, date, time, body bool }

type nameKind int

const (
	nameOther   nameKind = iota
	nameRecords          // of an envelope's list
	nameValue            // the same
	nameAction           // says what was done
	nameDate             // says when it was done
	nameTime             // says when, in words that envelopes use, too
	nameBody             // holds the rest of a record with a category
)

// names are members by which records and envelopes are known, in lower case.
var names = map[string]nameKind{
	"records": nameRecords, "value": nameValue,
	"operation": nameAction, "operations": nameAction, "operationname": nameAction, "activitydisplayname": nameAction, "actiontype": nameAction,
	"category": nameAction, "recordtype": nameAction, "auditlogrecordtype": nameAction, "userprincipalname": nameAction, "riskeventtype": nameAction,
	"networkmessageid": nameAction, "alertid": nameAction, "requesturi": nameAction, "messagetraceid": nameAction, "auditdata": nameAction, "raweventdata": nameAction,
	"creationtime": nameDate, "creationdate": nameDate, "createddatetime": nameDate, "activitydatetime": nameDate, "timegenerated": nameDate,
	"time": nameTime, "date": nameTime, "timestamp": nameTime, "@timestamp": nameTime, "eventtime": nameTime,
	"properties": nameBody,
}

const longestName = len("activitydisplayname")

func (m *marks) take(k nameKind) {
	switch k {
	case nameAction:
		m.action = true
	case nameDate:
		m.date = true
	case nameTime:
		m.time = true
	case nameBody:
		m.body = true
	}
}

// name takes the name of a member inside so many brackets.
func (m *members) name(depth int, name []byte) {
	inner := depth == 3 && m.at > 0
	if depth != 1 && !inner {
		return
	}
	kind := nameOther
	if len(name) <= longestName {
		kind = names[string(bytes.ToLower(name))]
	}
	if inner {
		m.inner.take(kind)
		return
	}
	m.last = kind
	m.own.take(kind)
}

// opens takes a bracket that opens inside so many others; what it holds begins at from.
func (m *members) opens(depth int, bracket byte, from int) {
	switch {
	case depth == 1 && bracket == '[' && (m.last == nameRecords || m.last == nameValue):
		m.at, m.named, m.count, m.objects = from, m.last, 0, false
	case depth == 2 && m.at > 0:
		m.count, m.objects = m.count+1, m.objects || bracket == '{'
	}
}

// scalar takes a text, number, true, false or null inside so many brackets.
func (m *members) scalar(depth int) {
	if depth == 2 && m.at > 0 {
		m.count++
	}
}

// closes takes the end of a list or object inside so many brackets.
func (m *members) closes(depth int) {
	if depth == 1 {
		m.settle()
	}
}

// breaks takes the end of what can be read, in front of c. A text with a colon behind it that a list begins with is the name of a
// member: the bracket of the object is missing.
func (m *members) breaks(depth int, c byte) {
	m.objects = m.objects || depth == 2 && c == ':' && m.count == 1
	m.settle()
}

// settle takes the list at hand for that of the records, where it can be. Of several the first that is not empty is it.
func (m *members) settle() {
	if m.at > 0 && (m.objects || m.count == 0) && (m.list == 0 || m.count > 0 && !m.filled) {
		m.list, m.filled, m.value = m.at, m.count > 0, m.named == nameValue
	}
	m.at = 0
}

// record reports whether the object is a record itself.
func (m *members) record() bool {
	sure := m.own.action && (m.own.date || m.own.body)
	return sure || m.own.action && m.own.time && !(m.inner.action && (m.inner.date || m.inner.time))
}

// envelope reports whether the object holds records and is not one itself. A list named value that is empty makes no envelope of an
// object that has a time.
func (m *members) envelope() bool {
	return m.list > 0 && !m.record() && (m.filled || !m.value || !m.own.date && !m.own.time)
}
