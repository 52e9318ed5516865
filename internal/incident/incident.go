// Package incident is one account's story: what its alerts mean together, what happened around them, and what is left to do.
package incident

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"time"
)

// Schema is the name and version of the JSON form. The form only grows.
const Schema = "noroshi.incident/1"

// The bounds of an incident, so that it always fits a Kafka record. What goes beyond them is counted.
const (
	MaxAlerts   = 1_000 // ids that are listed
	MaxTimeline = 500   // entries: signs and closings are kept before context
	MaxPlaces   = 32
	MaxThings   = 32        // of each kind
	MaxMembers  = 200       // of a campaign
	MaxSize     = 512 << 10 // bytes of the JSON form
)

// Level is how sure it is that the account was taken over.
type Level string

// The levels of an incident. A level never falls.
const (
	Noticed    Level = ""           // points below the first level: nobody is told
	Suspicious Level = "suspicious" // for a SIEM
	Likely     Level = "likely"     // a page in business hours
	Confirmed  Level = "confirmed"  // a page at once
)

// Levels are the levels, the gravest last.
var Levels = []Level{Noticed, Suspicious, Likely, Confirmed}

// Status is how far an incident is dealt with.
type Status string

// The statuses of an incident. One that is opened again is open.
const (
	Open      Status = "open"
	Contained Status = "contained" // the events show that all that contains it was done
	Closed    Status = "closed"    // no sign came for a time
)

// Incident is what happened to one account of a tenant. It is the same wherever the same alerts and activities are read. Times are UTC.
type Incident struct {
	Schema      string    `json:"schema"`
	Drill       bool      `json:"drill,omitempty"` // of a drill: nothing has happened
	ID          string    `json:"id"`
	Number      int       `json:"number"`   // of the account: 1, 2, …
	Revision    int       `json:"revision"` // it grows with each change that is told, often by more than one
	Tenant      string    `json:"tenant"`
	Account     string    `json:"account"`
	Status      Status    `json:"status"`
	Level       Level     `json:"level"`        // the highest reached
	Score       int       `json:"score"`        // the highest reached, 0 to 100
	ScoreNow    int       `json:"score_now"`    // after decay
	ConfirmedBy string    `json:"confirmed_by"` // the combination that confirms it whatever its score; "" where the score does
	Why         []string  `json:"why"`          // sentences, the gravest first
	Severity    string    `json:"severity"`     // the highest of its alerts
	Opened      time.Time `json:"opened"`       // the time of its first sign
	Updated     time.Time `json:"updated"`      // the time of its last entry
	Contained   time.Time `json:"contained,omitzero"`
	Closed      time.Time `json:"closed,omitzero"`
	Reopened    int       `json:"reopened,omitempty"` // how often
	Manual      string    `json:"manual,omitempty"`   // who opened it by hand, and why
	Merged      string    `json:"merged,omitempty"`   // the id of the incident that has taken in the signs of this one, since a sign that came late or was withdrawn has divided them otherwise

	Alerts      []string `json:"alerts"` // ids, in order of time
	AlertsTotal int      `json:"alerts_total"`
	Parent      string   `json:"parent"`  // the id of the campaign that it belongs to
	Members     []string `json:"members"` // of a campaign: ids of its incidents

	SignIns    SignIns `json:"sign_ins"`
	InboxRules []Thing `json:"inbox_rules"`
	Forwarding []Thing `json:"forwarding"`
	Roles      []Thing `json:"roles"`
	Consents   []Thing `json:"consents"`
	Apps       []Thing `json:"applications"`
	Delegates  []Thing `json:"delegates"`
	MFAChanges []Thing `json:"mfa_changes"`
	Devices    []Thing `json:"devices"`
	Audit      []Thing `json:"audit_switches,omitempty"` // what was switched off, and on again
	Hybrid     bool    `json:"hybrid,omitempty"`         // the account comes from an own directory by synchronisation

	Timeline      []Entry  `json:"timeline"` // in order of time
	TimelineTotal int      `json:"timeline_total"`
	Containment   []Demand `json:"containment"` // what must be done, and what the events show as done
	Remediation   []Step   `json:"remediation"` // in the guide's order: preserve, contain, by sign, prevent

	Rules map[string]int `json:"rules"` // alerts by rule
	Cut   []string       `json:"cut,omitempty"`
}

// SignIns are where an account signed in from.
type SignIns struct {
	Succeeded int     `json:"succeeded"`
	Failed    int     `json:"failed"`
	Places    []Place `json:"places"` // the newest first
	Left      int     `json:"places_left_out,omitempty"`
}

// Place is an address that sign-ins came from.
type Place struct {
	IP        string    `json:"ip"`
	Country   string    `json:"country"` // ISO 3166-1 alpha-2
	ASN       int       `json:"asn"`     // autonomous system number, 0 if unknown
	Succeeded int       `json:"succeeded"`
	Failed    int       `json:"failed"`
	First     time.Time `json:"first"`
	Last      time.Time `json:"last"`
	Days      []Day     `json:"days,omitempty"` // those with sign-ins, in order of time
	Marked    bool      `json:"marked,omitempty"`
}

// Day is the sign-ins of a day of UTC.
type Day struct {
	Date      string `json:"date"` // 2026-01-02
	Succeeded int    `json:"succeeded"`
	Failed    int    `json:"failed"`
}

// The kinds of things.
const (
	InboxRule   = "inbox_rule"
	Forwarding  = "forwarding"
	Delegate    = "delegate"
	Role        = "role"
	Method      = "mfa_method"
	Consent     = "consent"
	Application = "application"
	Device      = "device"
	Client      = "client"       // that signed in
	UsedDevice  = "used_device"  // that signed in, while a device was registered
	AuditSwitch = "audit_switch" // what records are kept: of the tenant, or of a mailbox
)

// OfTenant is whose a thing is that is about the whole tenant.
const OfTenant = "tenant"

// What steps are for that kinds of things do not tell apart.
const (
	TenantForwarding = "tenant_forwarding"    // a forwarding of the tenant's mail flow
	MailboxAudit     = "mailbox_audit_switch" // of a mailbox
)

// Thing is what an account has, or gave: an inbox rule, a forwarding, a role, a consent, a delegate, a method, a device.
type Thing struct {
	Kind    string    `json:"kind"`
	Name    string    `json:"name"`         // of a forwarding its destination, of a delegate who may, of a role the role
	ID      string    `json:"id,omitempty"` // of the source, where it has one
	Of      string    `json:"of,omitempty"` // whose it is, where it is not the account's own: a mailbox, a user, the tenant
	Detail  string    `json:"detail,omitempty"`
	By      string    `json:"by,omitempty"` // who made it, where that is somebody else
	Since   time.Time `json:"since,omitzero"`
	Gone    time.Time `json:"gone,omitzero"` // when it was removed
	AsOf    time.Time `json:"as_of,omitzero"`
	Seen    string    `json:"seen"` // event, or export: the state that an export shows at AsOf
	EventID string    `json:"event_id,omitempty"`
	Session string    `json:"session,omitempty"`
	During  bool      `json:"during,omitempty"` // it came since the incident was opened
}

// How a thing is known.
const (
	SeenEvent  = "event"
	SeenExport = "export"
)

// The kinds of entries.
const (
	Sign    = "alert"
	Context = "context"
	Closing = "closing"
)

// Entry is a line of the timeline.
type Entry struct {
	Time     time.Time `json:"time"`
	Kind     string    `json:"kind"` // alert, context, closing
	Text     string    `json:"text"` // one line
	EventID  string    `json:"event_id"`
	Rule     string    `json:"rule"`
	Session  string    `json:"session"`
	Alert    string    `json:"alert,omitempty"` // its id
	Severity string    `json:"severity,omitempty"`
	Points   int       `json:"points,omitempty"` // what it added to the score
	Dataset  string    `json:"dataset,omitempty"`
	Action   string    `json:"action,omitempty"`
	IP       string    `json:"ip,omitempty"`
	Country  string    `json:"country,omitempty"`
	ASN      int       `json:"asn,omitempty"`
	Client   string    `json:"client,omitempty"`
	Count    int       `json:"count,omitempty"` // events that the line stands for, where there are several
}

// Demand is something that must be done before the account is contained.
type Demand struct {
	ID      string    `json:"id"`              // password, sessions, or the kind of a thing
	Thing   string    `json:"thing,omitempty"` // its name
	Text    string    `json:"text"`
	Done    time.Time `json:"done,omitzero"`
	EventID string    `json:"event_id,omitempty"` // which event shows it
}

// Step is a step of remediation, with the account and the object filled in.
type Step struct {
	ID      string   `json:"id"`
	Guide   []string `json:"guide"`
	Phase   string   `json:"phase"` // preserve, contain, sign, prevent
	Text    string   `json:"text"`
	Command string   `json:"command"`
	Connect string   `json:"connect,omitempty"` // the command that connects first
	Link    string   `json:"link,omitempty"`    // into the portal
	Tenant  bool     `json:"tenant,omitempty"`  // it changes the whole tenant
	Done    bool     `json:"done"`
	Known   bool     `json:"known,omitempty"`  // the events show whether it is done
	Needed  bool     `json:"needed,omitempty"` // the account is not contained without it
}

// ID is the id of the number-th incident of an account.
func ID(tenant, account string, number int) string {
	var b []byte
	for _, t := range []string{tenant, account} {
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(t))), t...)
	}
	sum := sha256.Sum256(binary.BigEndian.AppendUint64(b, uint64(number)))
	return "inc_" + base32.StdEncoding.EncodeToString(sum[:])[:26]
}
