package decode

import (
	"bytes"
	"encoding/json"
	"strings"

	"noroshi/internal/event"
)

// Alerts of Microsoft's own, record type 40, name the account in Data, JSON in text, never in UserId.

// ofAlerts keeps a value that means an alert's only where the record is one.
func ofAlerts(r *Reader, text string) string {
	if r.acts("alert.name") {
		return text
	}
	return ""
}

// isAlert reports whether the record at hand is about an alert, so that its account is the one the alert names.
func (r *Reader) isAlert() bool {
	switch a := r.Event.Text(event.Action); {
	case strings.HasPrefix(a, "Alert"), a == incidentReported:
		return r.acts("alert.entity")
	}
	return false
}

// alertData is the alert's Data; its members are short names. Of JSON that is cut off the members count that are whole.
func (r *Reader) alertData() map[string]json.RawMessage {
	all := map[string]json.RawMessage{}
	d := json.NewDecoder(bytes.NewReader(r.span("Data")))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			break
		}
		var value json.RawMessage
		if d.Decode(&value) != nil {
			break
		}
		if s, ok := name.(string); ok {
			all[s] = value
		}
	}
	return all
}

func alertTrigger(r *Reader, _ string) string {
	if !r.acts("alert.trigger_id") {
		return ""
	}
	return text(r.alertData(), "reid")
}

// alertEntity is the account that the alert is about: f3u, AlertEntityId, ObjectId, eid, suid, the user of the evidence, in this
// order; of several people the first. A text that holds two addresses in one name tells neither. The next place counts where one names nobody.
func alertEntity(r *Reader, _ string) string {
	if !r.acts("alert.entity") {
		return ""
	}
	if r.view.shape == event.Defender {
		return r.evidenceAccount()
	}
	if r.view.shape == event.Security {
		return r.securityEntity()
	}
	d := r.alertData()
	if name := r.person(text(d, "f3u"), aName); name != "" {
		return name
	}
	kind := r.field("alert.entity_type")
	for _, thing := range [...]struct{ name, kind string }{{r.at("AlertEntityId"), kind}, {r.object(), kind}, {text(d, "eid"), first(text(d, "etype"), kind)}} {
		if name := r.person(thing.name, anyThing); name != "" && ofAccount(thing.kind, thing.name) {
			return name
		}
	}
	return first(r.person(text(d, "suid"), aName), r.person(r.at("Evidence[*].UserPrincipalName"), aName))
}

// evidenceAccount is the account of a row of AlertEvidence. Evidence that is merely related accuses nobody.
func (r *Reader) evidenceAccount() string {
	if strings.EqualFold(r.at("properties.EvidenceRole"), "Related") {
		return ""
	}
	return firstName(r.at("properties.AccountUpn"), r.at("properties.RecipientEmailAddress"), r.at("properties.AccountObjectId"), r.at("properties.AccountName"))
}

// ofAccount reports whether what an alert names may be an account, by the type that it tells: other alerts are about messages, files
// and malware. Of no type, an address in angle brackets is a message's id.
func ofAccount(kind, name string) bool {
	switch event.Lower(strings.TrimSpace(kind)) {
	case "":
		return !strings.HasPrefix(strings.TrimSpace(name), "<")
	case "user", "mailbox", "account", "recipient", "sender", "users", "recipients":
		return true
	}
	return false
}

// naming is what may stand in a place that names an account.
type naming int

const (
	aName    naming = iota // of an account, be it without a domain
	anyThing               // ids of records, too: an address alone names an account
)

// person is the first account that a text names, or a list in text. A service that writes alerts is nobody, nor is the id of a
// record, unless the directory knows it.
func (r *Reader) person(s string, n naming) string {
	for _, one := range Destinations(s) {
		switch {
		case r.inDirectory(one) != "":
			return r.inDirectory(one)
		case isGUID(one), r.serviceAccount(one) && !syncAccount(one), placeholder(one):
		case isAddress(one), n == aName && !strings.ContainsAny(one, "@ {}[]\""):
			return one
		}
	}
	return ""
}
