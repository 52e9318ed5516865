package decode

import (
	"slices"
	"strings"

	"noroshi/internal/decode/projector"
	"noroshi/internal/event"
)

// Rows of Defender XDR's advanced hunting tables, as the streaming API sends them: an envelope whose properties are the row.
// Source: Microsoft Defender XDR, Advanced hunting schema and Supported event types of the streaming API.

// table is a table that is read.
type table struct{ name, dataset string }

const cloudApps = hunting + "CloudAppEvents"

// tables are those that are read, by category.
var tables = map[string]table{
	cloudApps:                           {"CloudAppEvents", "defender.cloud_app_events"},
	hunting + "EmailEvents":             {"EmailEvents", "defender.email_events"},
	hunting + "EmailPostDeliveryEvents": {"EmailPostDeliveryEvents", "defender.email_post_delivery_events"},
	hunting + "UrlClickEvents":          {"UrlClickEvents", "defender.url_click_events"},
	hunting + "AlertInfo":               {"AlertInfo", "defender.alert_info"},
	hunting + "AlertEvidence":           {"AlertEvidence", "defender.alert_evidence"},
	hunting + "IdentityLogonEvents":     {"IdentityLogonEvents", "defender.identity_logon_events"},
	hunting + "IdentityQueryEvents":     {"IdentityQueryEvents", "defender.identity_query_events"},
	hunting + "IdentityDirectoryEvents": {"IdentityDirectoryEvents", "defender.identity_directory_events"},
}

// telling are columns that tell tables apart where a row does not name its own: the first counts of which it has all.
var telling = []struct {
	table string
	marks []int32
}{
	{"CloudAppEvents", []int32{markAudit}}, {"EmailEvents", []int32{markMessage, markDirection}}, {"EmailPostDeliveryEvents", []int32{markMessage, markTrigger}}, {"UrlClickEvents", []int32{markClicked}},
	{"AlertEvidence", []int32{markAlert, markEvidence}}, {"AlertInfo", []int32{markAlert, markDetection}}, {"IdentityLogonEvents", []int32{markLogon, markApplication, markAction}},
}

// tableOf is the table of a row that has come without its envelope, as Log Analytics, Microsoft Graph's runHuntingQuery and
// exports from the portal give it; "" of other records.
func (r *Reader) tableOf() string {
	if r.view.shape != event.Other || !r.present(markTimestamp) && !r.present(markGenerated) {
		return ""
	}
	if name := r.scalar(markType); name != "" {
		if _, ok := tables[hunting+name]; !ok {
			return "" // of a table that is not read
		}
		return name
	}
	for _, t := range telling {
		if !slices.ContainsFunc(t.marks, func(m int32) bool { return !r.present(m) }) {
			return t.table
		}
	}
	return ""
}

// envelop reads a row as if it lay in its envelope, so that it is the same event by either road. It reports whether the row could
// be read so; it may nest too deep, and stays what it was.
func (r *Reader) envelop(table string, b []byte, from, to int) bool {
	r.enveloped = append(append(append(r.enveloped[:0], `{"category":"`+hunting...), table...), `","properties":`...)
	r.enveloped = append(append(append(r.enveloped, b[from:to]...), '}'), slack[:]...)
	if r.as(event.Defender, r.enveloped, 0, len(r.enveloped)-Slack) == nil {
		return true
	}
	_ = r.as(event.Other, b, from, to)
	return false
}

// columns are what the derivations below look at.
var columns = []string{"properties.Timestamp", "properties.TimeGenerated", "properties.NetworkMessageId", "properties.RecipientEmailAddress", "properties.ActionType", "properties.ActionResult", "properties.DeliveryAction",
	"properties.EmailDirection", "properties.AccountUpn", "properties.AccountId", "properties.AccountObjectId", "properties.SenderFromAddress", "properties.SenderMailFromAddress",
	"properties.AccountName", "properties.TargetAccountUpn", "properties.TargetAccountDisplayName", "properties.FailureReason"}

// toldByRow are the fields that the row knows of an audit record that does not say so itself.
var toldByRow = map[string]bool{"organization.id": true, "event.created": true, "source.geo.country_iso_code": true, "source.geo.city_name": true}

// openRow reads the unified audit record inside a row of CloudAppEvents, be it an object or JSON in text, as if it had come
// alone: it has the same id, time and account on both roads. A row without one, or with another service's, stays a row. What
// lies inside is no longer than the record, nests no deeper than any, and is opened once.
func (r *Reader) openRow() {
	row := r.x
	if r.scalar(markCategory) != cloudApps {
		return
	}
	v := row.Values[r.view.audit]
	switch v.Kind {
	case projector.Text:
		if raw := row.Raw(int(r.view.audit)); v.Escaped {
			r.opened = projector.Unescape(r.opened[:0], raw)
		} else {
			r.opened = append(r.opened[:0], raw...)
		}
	case projector.Object:
		r.opened = append(r.opened[:0], row.Raw(int(r.view.audit))...)
	default:
		return
	}
	n := len(r.opened)
	r.opened = append(r.opened, slack[:]...)
	if r.as(event.UAL, r.opened, 0, n) == nil && r.told() == event.UAL {
		r.rec, r.row = r.opened[:n], row
		if r.unfold(r.opened, 0, n) && r.as(event.UAL, r.whole, 0, len(r.whole)-Slack) != nil {
			_ = r.as(event.UAL, r.opened, 0, n)
		}
		return
	}
	r.x, r.view = row, &r.plan.views[event.Defender]
}

// inRow makes the row the record at hand until the function that it returns is called.
func (r *Reader) inRow() func() {
	x, view := r.x, r.view
	r.x, r.view = r.row, &r.plan.views[event.Defender]
	return func() { r.x, r.view = x, view }
}

// rowText is what the row says of a field.
func (r *Reader) rowText(s event.Slot) string {
	defer r.inRow()()
	return r.fed(&r.view.slots[s])
}

// table is the name of the table that the row at hand is of, "" of one that is not read.
func (r *Reader) table() string { return tables[r.scalar(markCategory)].name }

// rowID is ReportId and Timestamp, of mail also NetworkMessageId and recipient: one report has many rows. A row of evidence
// has nothing of its own; it is known by its bytes.
func rowID(r *Reader, text string) string {
	if text == "" || r.table() == "AlertEvidence" {
		return ""
	}
	id := text + "/" + first(r.at("properties.Timestamp"), r.at("properties.TimeGenerated"))
	if m := r.at("properties.NetworkMessageId"); m != "" {
		id += "/" + m
	}
	if to := r.at("properties.RecipientEmailAddress"); to != "" {
		id += "/" + event.Lower(to)
	}
	return id
}

// rowUser is who acted: of mail the sender, where it is the tenant's own; nobody where a service tells of somebody.
func rowUser(r *Reader, text string) string {
	switch r.table() {
	case "EmailEvents":
		switch r.at("properties.EmailDirection") {
		case "Outbound", "Intra-org":
			return event.Lower(first(r.at("properties.SenderFromAddress"), r.at("properties.SenderMailFromAddress")))
		}
		return ""
	case "EmailPostDeliveryEvents", "AlertInfo", "AlertEvidence":
		return ""
	case "CloudAppEvents":
		if id := r.at("properties.AccountId"); text == "" && strings.Contains(id, "@") {
			return event.Lower(id)
		}
	}
	return text
}

// delivered is the outcome of a row of Defender or of message trace, where it has one.
func (r *Reader) delivered() string {
	if r.view.shape == event.Trace {
		return traceOutcome(r.at("Status"), r.at("Event"))
	}
	switch r.at("properties.ActionResult") {
	case "Success":
		return "success"
	case "":
	default:
		return "failure"
	}
	switch r.at("properties.DeliveryAction") {
	case "Delivered", "Junked", "Replaced":
		return "success"
	case "Blocked":
		return "failure"
	}
	switch r.at("properties.ActionType") {
	case "LogonSuccess", "ClickAllowed":
		return "success"
	case "LogonFailed", "ClickBlocked", "ClickBlockedByTenantPolicy":
		return "failure"
	}
	return ""
}

// logonResult is what a logon that Defender for Identity saw counts as.
func logonResult(r *Reader) string {
	switch r.at("properties.ActionType") {
	case "LogonSuccess":
		return "success"
	case "LogonFailed":
		switch r.at("properties.FailureReason") {
		case "WrongPassword", "UnknownUser", "InvalidUserNameOrPassword", "InvalidCredentials":
			return "wrong_credential"
		case "AccountLocked":
			return "locked"
		}
		return "other"
	}
	return ""
}
