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
	markCategory
	markProperties
	markCreated
	markActivity
	markActivityName
	markUser
	markAccess
	markApp
	markRiskLevel
	markRiskState
	markType // the table of a row of Log Analytics
	markTrace
	markSender
	markRecipient
	markStatus
	markEvent
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

var marks = []string{"Operation", "CreationTime", "RecordType", "category", "properties",
	"createdDateTime", "activityDateTime", "activityDisplayName", "userPrincipalName", "conditionalAccessStatus", "appDisplayName", "riskLevel", "riskState", "Type",
	"MessageTraceId", "SenderAddress", "RecipientAddress", "Status", "Event",
	"Timestamp", "TimeGenerated", "RawEventData", "NetworkMessageId", "EmailDirection", "ActionTrigger", "IsClickedThrough", "AlertId", "EvidenceRole", "DetectionSource", "LogonType", "Application", "ActionType"}

// marked is how many of the marks a shape's view projects.
var marked = [event.Shapes]int32{event.UAL: markRecordType + 1, event.Entra: markProperties + 1, event.Defender: markProperties + 1, event.Graph: markType + 1, event.Trace: markEvent + 1, event.Other: markAction + 1}

// hunting begins the category of Defender XDR's tables.
const hunting = "AdvancedHunting-"

// project reads the record with the projector of its shape. The shape is guessed, by the record's first key and the record
// before; where the record does not bear the guess out, all marks are looked at. The shape is a function of the record alone.
func (r *Reader) project(b []byte, from, to int) error {
	if err := r.find(b, from, to); err != nil {
		return err
	}
	if table := r.tableOf(); table != "" && r.envelop(table, b, from, to) {
		r.openRow()
		return nil
	}
	if r.view.shape == event.Defender {
		r.openRow()
		return nil
	}
	if !r.unfold(b, from, to) {
		return nil
	}
	if r.find(r.whole, 0, len(r.whole)-Slack) != nil { // it nests too deep now
		return r.find(b, from, to) // as it did before
	}
	if r.view.shape == event.Defender { // its properties were text
		r.whole, r.enveloped = r.enveloped, r.whole // the audit record inside may hold text, too
		r.openRow()
	}
	return nil
}

// find reads the record for the shape that its marks tell: where the guess is right, once. Else all marks are looked at, and it is
// read once more for the shape that they tell; of the unified audit log the names are exact, which these do not know.
func (r *Reader) find(b []byte, from, to int) error {
	if err := r.as(guess(b[from:to], r.shape), b, from, to); err != nil {
		return err
	}
	told := r.told()
	if told == event.Other && r.view.shape != event.Other {
		if err := r.as(event.Other, b, from, to); err != nil {
			return err
		}
		told = r.told()
	}
	if told != r.view.shape {
		if err := r.as(told, b, from, to); err != nil {
			return err
		}
		if r.told() != told {
			told = event.Other
			if err := r.as(told, b, from, to); err != nil {
				return err
			}
		}
	}
	r.shape = told
	return nil
}

func (r *Reader) as(s event.Shape, b []byte, from, to int) error {
	r.x, r.view = r.projectors[s], &r.plan.views[s]
	return r.x.Record(b, from, to)
}

// told is the shape that the marks tell which the shape at hand projects, Other where these tell none. The marks stand in the
// order in which they count, so that the first of them tell what all would, or nothing.
func (r *Reader) told() event.Shape {
	seen := marked[r.view.shape]
	switch {
	case r.kind(markOperation) == projector.Text && (r.present(markCreationTime) || r.present(markRecordType)):
		return event.UAL
	case seen <= markProperties:
		return event.Other
	case r.kind(markCategory) == projector.Text && r.kind(markProperties) == projector.Object:
		if strings.HasPrefix(r.scalar(markCategory), hunting) {
			return event.Defender
		}
		return event.Entra
	case seen <= markType:
		return event.Other
	case r.present(markActivity) && r.present(markActivityName), r.present(markRiskLevel) && r.present(markRiskState), r.tableCategory() != "",
		r.present(markCreated) && (r.present(markUser) || r.present(markAccess) || r.present(markApp) || signInCategory(r.scalar(markCategory))):
		return event.Graph
	case seen <= markEvent:
		return event.Other
	case r.present(markSender) && r.present(markRecipient) && r.kind(markStatus) == projector.Text, r.present(markTrace) && r.kind(markEvent) == projector.Text:
		return event.Trace
	}
	return event.Other
}

func (r *Reader) kind(mark int32) projector.Kind { return r.x.Values[mark].Kind }

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
	case string(key) == "CreationTime", string(key) == "Operation", string(key) == "Id":
		return event.UAL
	case strings.EqualFold(string(key), "time"), strings.EqualFold(string(key), "category"):
		if bytes.Contains(rec[:min(len(rec), 320)], []byte(`"`+hunting)) {
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
