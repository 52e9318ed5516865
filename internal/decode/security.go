package decode

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
)

// Alerts and incidents of Microsoft Defender XDR as Microsoft Graph's security API returns them. An incident may hold its alerts.
// Source: Microsoft Graph, alert resource type (alerts_v2), incident resource type, alertEvidence resource type.

// The operations of alerts and incidents, which carry none.
const (
	alertTriggered   = "AlertTriggered"
	incidentReported = "IncidentReported"
)

// security is the operation of an alert or an incident, "" of other records.
func (r *Reader) security() string {
	if !r.present(markCreated) {
		return ""
	}
	switch t := r.scalar(markSecurityType); {
	case strings.EqualFold(t, "#microsoft.graph.security.alert"):
		return alertTriggered
	case strings.EqualFold(t, "#microsoft.graph.security.incident"):
		return incidentReported
	case r.kind(markSeverity) == 0:
		return ""
	}
	switch {
	case r.present(markTitle) && (r.present(markService) || r.present(markEvidenceList) || r.present(markAlertURL)):
		return alertTriggered
	case r.present(markDisplayName) && (r.present(markIncidentURL) || r.present(markAlerts)):
		return incidentReported
	}
	return ""
}

// oneOrMore is a list, or the one thing in the place of a list.
type oneOrMore[T any] []T

// UnmarshalJSON implements json.Unmarshaler. What is neither is an empty list.
func (l *oneOrMore[T]) UnmarshalJSON(b []byte) error {
	var raw []json.RawMessage
	if b = bytes.TrimSpace(b); json.Unmarshal(b, &raw) != nil {
		raw = []json.RawMessage{b}
	}
	for _, one := range raw {
		var t T
		var odd *json.UnmarshalTypeError // of one member; the others are read
		if err := json.Unmarshal(one, &t); err == nil || errors.As(err, &odd) {
			*l = append(*l, t)
		}
	}
	return nil
}

// evidence is a piece of evidence, with what names an account. PowerShell has the members of each type in AdditionalProperties.
type evidence struct {
	Type                  string      `json:"@odata.type"`
	UserAccount           userAccount `json:"userAccount"`
	UPN                   string      `json:"upn"`
	PrimaryAddress        string      `json:"primaryAddress"`
	MailboxPrimaryAddress string      `json:"mailboxPrimaryAddress"`
	AdditionalProperties  *evidence   `json:"additionalProperties"`
}

type userAccount struct {
	UserPrincipalName string `json:"userPrincipalName"`
	AzureADUserID     string `json:"azureAdUserId"`
	AccountName       string `json:"accountName"`
}

// about reports whether the evidence is a user or a mailbox. Others name whoever was signed in to a device or ran a process.
func (e *evidence) about() bool {
	t := strings.ToLower(e.Type)
	t = strings.TrimSuffix(t[strings.LastIndexByte(t, '.')+1:], "evidence")
	return t == "" || t == "user" || t == "mailbox" || t == "mailboxconfiguration"
}

// address is the account's address; id what else names it. A display name does not.
func (e *evidence) address() string {
	return firstName(e.UserAccount.UserPrincipalName, e.UPN, e.PrimaryAddress, e.MailboxPrimaryAddress)
}

func (e *evidence) id() string {
	return firstName(e.UserAccount.AzureADUserID, e.UserAccount.AccountName)
}

// securityEntity is the account that the evidence of an alert, or of an incident's alerts, names: the first address, else the first id.
func (r *Reader) securityEntity() string {
	var all oneOrMore[evidence]
	if raw := r.span("evidence"); raw != nil {
		_ = json.Unmarshal(raw, &all)
	}
	if r.security() == incidentReported {
		var alerts oneOrMore[struct{ Evidence oneOrMore[evidence] }]
		if raw := r.span("alerts"); raw != nil {
			_ = json.Unmarshal(raw, &alerts)
		}
		for _, a := range alerts {
			all = append(all, a.Evidence...)
		}
	}
	for _, named := range [...]func(*evidence) string{(*evidence).address, (*evidence).id} {
		for _, e := range all {
			for e := &e; e != nil; e = e.AdditionalProperties {
				if name := named(e); name != "" && e.about() {
					return name
				}
			}
		}
	}
	return ""
}

// securityDataset is the dataset of an alert or an incident.
func (r *Reader) securityDataset() string {
	if r.security() == incidentReported {
		return "graph.security_incident"
	}
	return "graph.security_alert"
}
