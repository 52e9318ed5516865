package decode

import (
	"bytes"
	"errors"
	"strings"

	"noroshi/internal/decode/projector"
	"noroshi/internal/event"
)

var (
	errSize = errors.New("longer than 4 MiB")
	errTime = errors.New("no readable time")
)

// The members by which a shape is known, or known not to be. Each view projects the first of them, at these places.
const (
	markOperation int32 = iota
	markCreationTime
	markRecordType
	markAuditType   // the record's type as Microsoft Graph names it
	markAuditSearch // the operation as Purview's search names it
	markAuditData   // the audit record that lies inside
	markCategory
	markProperties
	markCreated
	markActivity
	markActivityName
	markRiskLevel
	markRiskState
	markRiskEvent
	markDetected
	markType // the table of a row of Log Analytics
	markUser
	markApp
	markAddress
	markStatus
	markErrorCode
	markResult
	// Any of these a sign-in alone has, beside the time of its creation.
	markAccess
	markClient
	markInteractive
	markSignInTypes
	markRequirement
	markDetails
	markPolicies
	markSignInRisk
	markSignInEnd
)

const (
	markTrace = markSignInEnd + iota
	markSender
	markRecipient
	markEvent
	// What tells an alert or an incident of Microsoft Graph's security API, beside the time of its creation.
	markSecurityType
	markSeverity
	markTitle
	markDisplayName
	markService
	markEvidenceList
	markAlertURL
	markIncidentURL
	markAlerts
	// What tells the table of a row that comes without its envelope.
	markTimestamp
	markGenerated
	markAudit
	markMessage
	markDirection
	markTrigger
	markClicked
	markAlert
	markEvidence
	markDetection
	markLogon
	markApplication
	markAction
)

var marks = []string{"Operation", "CreationTime", "RecordType", "auditLogRecordType", "Operations", "AuditData", "category", "properties",
	"createdDateTime", "activityDateTime", "activityDisplayName", "riskLevel", "riskState", "riskEventType", "detectedDateTime", "Type",
	"userPrincipalName", "appDisplayName", "ipAddress", "status", `["status.errorCode"]`, "resultType",
	"conditionalAccessStatus", "clientAppUsed", "isInteractive", "signInEventTypes", "authenticationRequirement", "authenticationDetails",
	"appliedConditionalAccessPolicies", "riskLevelDuringSignIn",
	"MessageTraceId", "SenderAddress", "RecipientAddress", "Event",
	`["@odata.type"]`, "severity", "title", "displayName", "serviceSource", "evidence", "alertWebUrl", "incidentWebUrl", "alerts",
	"Timestamp", "TimeGenerated", "RawEventData", "NetworkMessageId", "EmailDirection", "ActionTrigger", "IsClickedThrough", "AlertId", "EvidenceRole",
	"DetectionSource", "LogonType", "Application", "ActionType"}

// marked is how many of the marks a shape's view projects.
var marked = [event.Shapes]int32{event.UAL: markAuditData + 1, event.Entra: markProperties + 1, event.Defender: markProperties + 1,
	event.Graph: markSignInEnd, event.Trace: markEvent + 1, event.Security: markAlerts + 1,
	event.Other: markAction + 1}

// hunting begins the category of Defender XDR's tables.
const hunting = "AdvancedHunting-"

// settle reads the record b[from:to], or one that lies inside it, as the record at hand. The shape is guessed, by the record's
// first key and the record before; where the record does not bear the guess out, all marks are looked at. The shape is a function
// of the record alone.
func (r *Reader) settle(b []byte, from, to int) error {
	l := &r.layers[r.depth]
	l.unfolded.in = nil
	r.rec = b[from:to]
	if err := r.find(b, from, to); err != nil {
		return err
	}
	if table := r.tableOf(); table != "" {
		r.envelop(table, b, from, to)
	}
	shape := r.view.shape
	if r.open() || shape == event.Defender || !r.unfold(b, from, to) {
		return nil
	}
	err := r.find(l.whole, 0, len(l.whole)-Slack)
	if s := r.view.shape; err == nil && s != shape && r.as(s, b, from, to) == nil && r.unfold(b, from, to) { // other texts are wanted now
		err = r.find(l.whole, 0, len(l.whole)-Slack)
	}
	if err != nil { // it nests too deep now
		return r.find(b, from, to) // as it did before
	}
	r.open() // what was text may hold a record
	return nil
}

// find reads the record for the shape that its marks tell: where the guess is right, once. Else all marks are looked at, and it is
// read once more for the shape that they tell.
func (r *Reader) find(b []byte, from, to int) error {
	l := &r.layers[r.depth]
	if err := r.as(guess(b[from:to], l.shape), b, from, to); err != nil {
		return err
	}
	told := r.told()
	if told == event.Other && r.view.shape != event.Other {
		if err := r.as(event.Other, b, from, to); err != nil {
			return err
		}
		told = r.told()
	}
	l.shape = told
	if told == r.view.shape {
		return nil
	}
	return r.as(told, b, from, to)
}

// as reads the record for a shape.
func (r *Reader) as(s event.Shape, b []byte, from, to int) error {
	l := &r.layers[r.depth]
	if l.projectors[s] == nil {
		l.projectors[s] = projector.New(r.plan.views[s].paths)
	}
	r.x, r.view = l.projectors[s], &r.plan.views[s]
	err := r.x.Record(b, from, to)
	if err != nil && from == 0 {
		return r.legibly(err, b, to)
	}
	return err
}

// told is the shape that the marks tell which the shape at hand projects, Other where these tell none. The marks stand in the
// order in which they count, so that the first of them tell what all would, or nothing.
func (r *Reader) told() event.Shape {
	seen := marked[r.view.shape]
	switch {
	case r.audits():
		return event.UAL
	case seen <= markProperties:
		return event.Other
	case r.kind(markCategory) == projector.Text && r.kind(markProperties) == projector.Object:
		if isHunting(r.scalar(markCategory)) {
			return event.Defender
		}
		return event.Entra
	case seen < markSignInEnd:
		return event.Other
	case r.present(markActivity) && r.present(markActivityName), r.detectsRisk(), r.tableCategory() != "", r.signsIn():
		return event.Graph
	case seen <= markEvent:
		return event.Other
	case r.present(markSender) && r.present(markRecipient) && r.kind(markStatus) == projector.Text,
		r.present(markTrace) && r.kind(markEvent) == projector.Text:
		return event.Trace
	case seen <= markAlerts && r.view.shape != event.Security:
		return event.Other
	case r.security() != "":
		return event.Security
	}
	return event.Other
}

// audits reports whether the record at hand is one of the unified audit log, or a row of Purview or an auditLogRecord of
// Microsoft Graph, which has one inside.
func (r *Reader) audits() bool {
	switch {
	case r.kind(markOperation) == projector.Text && (r.present(markCreationTime) || r.present(markRecordType)):
		return true
	case r.kind(markAuditType) == projector.Text:
		return true
	}
	return r.kind(markAuditData) != projector.None && (r.present(markRecordType) || r.present(markAuditSearch))
}

// isHunting reports whether a category is that of a table of Defender XDR.
func isHunting(category string) bool {
	return len(category) >= len(hunting) && strings.EqualFold(category[:len(hunting)], hunting)
}

// kind is of which kind a mark's value came. JSON in text is a text, whether or not somebody wants something inside; of the
// properties alone, which every view opens, it is what the text stands for.
func (r *Reader) kind(mark int32) projector.Kind {
	v := r.x.Values[mark]
	if (v.Kind == projector.Object || v.Kind == projector.Array) && mark != markProperties && r.folded(v.From) != "" {
		return projector.Text
	}
	return v.Kind
}

func (r *Reader) present(mark int32) bool {
	k := r.kind(mark)
	return k != projector.None && k != projector.Null
}

// guess is the likely shape: by the first key, else that of the record before.
func guess(rec []byte, before event.Shape) event.Shape {
	rest, ok := bytes.CutPrefix(rec, []byte(`{"`))
	if !ok {
		return before
	}
	end := bytes.IndexByte(rest[:min(len(rest), 24)], '"')
	if end < 0 {
		return before
	}
	switch key := rest[:end]; {
	case string(key) == "CreationTime", string(key) == "Operation", string(key) == "Id", string(key) == "RecordType":
		return event.UAL
	case strings.EqualFold(string(key), "time"), strings.EqualFold(string(key), "category"):
		if bytes.Contains(rec[:min(len(rec), 320)], []byte(hunting)) {
			return event.Defender
		}
		return event.Entra
	case string(key) == "Tenant":
		return event.Defender
	case string(key) == "id":
		return event.Graph
	}
	return before
}
