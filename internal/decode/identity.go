package decode

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"noroshi/internal/event"
)

// Record is a record's identity: what is known of it on every road without its rules.
type Record struct {
	Dataset  string
	ID       string // the record's own id, or sha256: and the hash of its bytes
	Tenant   string
	Account  string
	Action   string
	Time     time.Time // UTC
	TimeFrom string    // record, envelope or enqueued
}

// Identity is the identity of the record at hand; its texts are copies.
func (r *Reader) Identity() Record {
	id := r.AtHand()
	for _, s := range [...]*string{&id.Dataset, &id.ID, &id.Tenant, &id.Account, &id.Action} {
		*s = strings.Clone(*s)
	}
	return id
}

// AtHand is the identity of the record at hand; its texts live until the next record.
func (r *Reader) AtHand() Record {
	text := r.Event.Text
	return Record{Dataset: text(event.Dataset), ID: text(event.ID), Tenant: text(event.Tenant), Account: text(event.Account), Action: text(event.Action), Time: r.time, TimeFrom: r.timeFrom}
}

// AppendKey appends what keeps the records of one account in order: tenant and account.
func (r *Record) AppendKey(to []byte) []byte {
	return append(append(append(to, r.Tenant...), '/'), r.Account...)
}

// Same is what the record at hand is known by within its tenant; the texts live until the next record.
func (r *Reader) Same() event.Identity {
	id := event.Identity{ID: r.Event.Text(event.ID), Time: r.time.UnixNano(), Action: r.Event.Text(event.Action)}
	if r.loggedOn() {
		id.Outcome = r.Event.Text(event.Outcome)
	}
	if r.broken != "" { // a copy that says less must not stand in for the whole record
		id.Outcome = "partial"
	}
	return id
}

// Duplicate is 64 bits that records of one event share.
func (r *Reader) Duplicate() uint64 { return r.Same().Hash(r.Event.Text(event.Tenant)) }

// loggedOn reports whether the record at hand is a sign-in, by whatever road.
func (r *Reader) loggedOn() bool {
	switch r.view.shape {
	case event.UAL:
		a := r.Event.Text(event.Action)
		return a == "UserLoggedIn" || a == "UserLoginFailed" || code(r, r.recordType()) == stsLogon
	case event.Defender:
		return r.table() == "IdentityLogonEvents"
	}
	return r.signIn()
}

// stsLogon is the record type of sign-ins in the unified audit log.
const stsLogon = "15"

func eventID(r *Reader, text string) string {
	switch r.view.shape {
	case event.Defender:
		text = rowID(r, text)
	case event.Trace:
		text = traceID(r, text)
	}
	if text != "" {
		return text
	}
	return hashID(r.rec)
}

// hashID is the id of a record that has none.
func hashID(rec []byte) string {
	sum := sha256.Sum256(rec)
	return "sha256:" + hex.EncodeToString(sum[:])
}

func eventTime(r *Reader, _ string) string { return FormatTime(r.time) }

// FormatTime writes a time as all output does: UTC, RFC 3339, with milliseconds and more where there are more.
func FormatTime(t time.Time) string { return string(AppendTime(nil, t)) }

// AppendTime appends a time as FormatTime writes it.
func AppendTime(to []byte, t time.Time) []byte { return event.AppendTime(to, t) }

func rfc3339(s string) string {
	if t, ok := Time(s); ok {
		return FormatTime(t)
	}
	return ""
}

func action(r *Reader, text string) string {
	if r.signIn() {
		return r.signInAction()
	}
	switch r.view.shape {
	case event.Defender:
		return first(text, r.table(), "Publish")
	case event.Trace:
		return "MessageTrace"
	case event.Security:
		return r.security()
	case event.Graph:
		return first(text, operations[r.category()])
	}
	return text
}

func provider(r *Reader, text string) string {
	if text != "" {
		return text
	}
	switch r.view.shape {
	case event.Entra, event.Graph:
		if r.Dataset() == datasetAdministrative {
			return "Azure"
		}
		return "Entra"
	case event.Defender, event.Security:
		return "Defender XDR"
	case event.Trace:
		return "Exchange"
	}
	return ""
}

// outcome is success or failure by the words of the record's type. Sign-ins go by their action: ResultStatus says Success
// also of failed ones.
func outcome(r *Reader, status string) string {
	switch r.Event.Text(event.Action) {
	case loggedIn:
		return "success"
	case loginFailed:
		return "failure"
	}
	if r.signIn() {
		return ""
	}
	if r.view.shape == event.UAL && code(r, r.recordType()) == stsLogon {
		switch r.Event.Text(event.AuthError) {
		case "":
			return ""
		case "0":
			return "success"
		}
		return "failure"
	}
	switch r.view.shape {
	case event.Defender, event.Trace:
		return r.delivered()
	case event.Entra, event.Graph:
		if n, ok := number(status); ok && n >= 100 && n < 600 && r.Dataset() == datasetGraph {
			status = truth(n < 400)
		}
	}
	switch status = strings.TrimSpace(status); {
	case oneOf(status, "True", "Success", "Succeeded", "PartiallySucceeded"):
		return "success"
	case oneOf(status, "False", "Failure", "Failed", "Fail", "Error", "Denied", "Timeout"), r.view.shape == event.UAL && status == "0":
		return "failure"
	}
	return ""
}

// oneOf reports whether a text is one of the words, case aside.
func oneOf(s string, words ...string) bool {
	for _, w := range words {
		if strings.EqualFold(s, w) {
			return true
		}
	}
	return false
}

// Domain is the part of an address or user name after the last at sign.
func Domain(name string) string {
	if i := strings.LastIndexByte(name, '@'); i >= 0 {
		return name[i+1:]
	}
	return ""
}
