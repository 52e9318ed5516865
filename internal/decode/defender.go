package decode

import (
	"slices"

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
		return tableNamed(hunting + name).name // "" of a table that is not read
	}
	for _, t := range telling {
		if !slices.ContainsFunc(t.marks, func(m int32) bool { return !r.present(m) }) {
			return t.table
		}
	}
	if r.kind(markAudit) == projector.Null && r.present(markApplication) && r.present(markAction) {
		return "CloudAppEvents"
	}
	return ""
}

// envelop reads a row as if it lay in its envelope, so that it is the same event by either road. One that nests too deep then
// stays what it was.
func (r *Reader) envelop(table string, b []byte, from, to int) {
	l := &r.layers[r.depth]
	l.enveloped = append(append(append(l.enveloped[:0], `{"category":"`+hunting...), table...), `","properties":`...)
	l.enveloped = append(append(append(l.enveloped, b[from:to]...), '}'), slack[:]...)
	if r.as(event.Defender, l.enveloped, 0, len(l.enveloped)-Slack) != nil {
		_ = r.as(event.Other, b, from, to)
	}
}

// columns are what the derivations below look at.
var columns = []string{"properties.Timestamp", "properties.TimeGenerated", "properties.NetworkMessageId", "properties.RecipientEmailAddress", "properties.ActionType", "properties.ActionResult", "properties.DeliveryAction",
	"properties.EmailDirection", "properties.AccountUpn", "properties.AccountId", "properties.AccountObjectId", "properties.SenderFromAddress", "properties.SenderMailFromAddress",
	"properties.AccountName", "properties.TargetAccountUpn", "properties.TargetAccountDisplayName", "properties.FailureReason", "properties.Application"}

// table is the name of the table that the row at hand is of, "" of one that is not read.
func (r *Reader) table() string { return tableNamed(r.scalar(markCategory)).name }

// tableNamed is the table of a category, whatever its case.
func tableNamed(category string) table {
	if t, ok := tables[category]; ok {
		return t
	}
	return tables[tablesFolded[event.Lower(category)]]
}

var tablesFolded = foldedKeys(tables)

// rowID is ReportId and Timestamp, of mail also NetworkMessageId and recipient: one report has many rows. A row of evidence
// has nothing of its own; it is known by its bytes.
func rowID(r *Reader, text string) string {
	if text == "" || r.table() == "AlertEvidence" {
		return ""
	}
	at, m, to := first(r.at("properties.Timestamp"), r.at("properties.TimeGenerated")), r.at("properties.NetworkMessageId"), r.at("properties.RecipientEmailAddress")
	from := len(r.arena)
	r.arena = append(append(append(r.arena, text...), '/'), at...)
	if m != "" {
		r.arena = append(append(r.arena, '/'), m...)
	}
	if to != "" {
		r.arena = event.AppendLower(append(r.arena, '/'), to)
	}
	return r.since(from)
}

// rowUser is who acted: of mail the sender, where it is the tenant's own; nobody where a service tells of somebody.
func rowUser(r *Reader, text string) string {
	switch r.table() {
	case "EmailEvents":
		switch r.at("properties.EmailDirection") {
		case "Outbound", "Intra-org":
			return firstName(r.at("properties.SenderFromAddress"), r.at("properties.SenderMailFromAddress"))
		}
		return ""
	case "EmailPostDeliveryEvents", "AlertInfo", "AlertEvidence":
		return ""
	case "CloudAppEvents":
		if id := r.at("properties.AccountId"); text == "" && isAddress(nameOf(id)) {
			return nameOf(id)
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
