package decode

import (
	"encoding/json"

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

// alertData is the alert's Data; its members are short names.
func (r *Reader) alertData() map[string]json.RawMessage {
	var m map[string]json.RawMessage
	if json.Unmarshal(r.span("Data"), &m) != nil {
		return nil
	}
	return m
}

func alertTrigger(r *Reader, _ string) string {
	if !r.acts("alert.trigger_id") {
		return ""
	}
	return text(r.alertData(), "reid")
}

// alertEntity is the account that the alert is about: f3u, AlertEntityId, ObjectId, eid, suid, the user of the evidence, in this order.
func alertEntity(r *Reader, _ string) string {
	if !r.acts("alert.entity") {
		return ""
	}
	if r.view.shape == event.Defender {
		return event.Lower(first(r.at("properties.AccountUpn"), r.at("properties.RecipientEmailAddress"), r.at("properties.AccountObjectId"), r.at("properties.AccountName")))
	}
	if r.view.shape == event.Security {
		return r.securityEntity()
	}
	d := r.alertData()
	return event.Lower(first(text(d, "f3u"), r.at("AlertEntityId"), r.object(), text(d, "eid"), text(d, "suid"), r.at("Evidence[*].UserPrincipalName")))
}
