// Package alert is what a rule says when it fires.
package alert

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"encoding/json"
	"time"
)

// Schema is the name and version of the JSON form.
const Schema = "noroshi.alert/1"

// The bounds of an alert, so that it always fits a Kafka record. What is cut is marked and counted.
const (
	MaxEvidence     = 50      // entries: the first and the last 25
	MaxFacts        = 2 << 10 // bytes of facts an entry of evidence
	MaxDestinations = 50      // beside their total
	MaxAccounts     = 50
	MaxIndicators   = 50        // sessions, apps and networks each, of an alert about alerts
	MaxSize         = 128 << 10 // bytes of the JSON form
	MaxSummary      = 500       // characters
	MaxCommand      = 2000      // characters; a longer one is left out
)

// Status says what became of a finding.
type Status string

// The statuses of an alert.
const (
	Firing    Status = "firing"
	Updated   Status = "updated"
	Withdrawn Status = "withdrawn"
)

// Severities are how bad a finding can be, the worst last.
var Severities = []string{"info", "low", "medium", "high", "critical"}

// Classes are what findings are about.
var Classes = []string{"access", "hiding", "exfiltration", "abuse", "privilege", "defence", "verdict"}

// The tenants of alerts that are no findings. No real tenant has such an id: those of Entra ID are GUIDs. What is written into a log by
// those whom it is about cannot choose the tenant.
const (
	DrillTenant     = "noroshi-drill"
	HeartbeatTenant = "noroshi-heartbeat"
)

// IsDrill reports whether alerts of a tenant are of drills and heartbeats.
func IsDrill(tenant string) bool { return tenant == DrillTenant || tenant == HeartbeatTenant }

// Wall is the clock that stands in where no source tells how far it has come.
const Wall = "wall"

// Alert is one finding. It has the same ID whenever and wherever the same events are evaluated.
type Alert struct {
	Schema      string            `json:"schema"`
	Drill       bool              `json:"drill,omitempty"` // it is of a drill or a heartbeat, as the tenant says: nothing has happened
	ID          string            `json:"id"`
	Status      Status            `json:"status"`
	State       string            `json:"state,omitempty"` // of a rule that is not live: shadow or building; nobody is told
	Revision    int               `json:"revision"`
	Late        bool              `json:"late"`
	Partial     bool              `json:"partial,omitempty"` // what was told of the finding before may be forgotten: it adds to that, and does not take its place
	Rule        Rule              `json:"rule"`
	Severity    string            `json:"severity"`
	Tenant      string            `json:"tenant"`
	Account     string            `json:"account"`
	Actor       Actor             `json:"actor"`
	Target      string            `json:"target"`
	Summary     string            `json:"summary"`
	Time        time.Time         `json:"time"` // when the finding was complete: the time of its last event, UTC
	Window      Window            `json:"window"`
	Group       map[string]string `json:"group"`
	DedupKey    string            `json:"dedup_key"`
	Evidence    []Evidence        `json:"evidence"`
	Source      Source            `json:"source"`
	Sessions    []string          `json:"sessions"`
	Indicators  Indicators        `json:"indicators"`
	Modifiers   []string          `json:"modifiers"`
	Linked      []string          `json:"linked"`
	Enrichment  map[string]string `json:"enrichment"`
	Respond     []Remedy          `json:"respond"`
	Times       Times             `json:"times"`
	Clock       string            `json:"clock,omitempty"` // wall: the clock on the wall decided, because no source told how far it had come
	Traceparent string            `json:"traceparent,omitempty"`
	Cut         []string          `json:"cut,omitempty"` // what was too long and is told in part: evidence, facts, destinations, texts, …
}

// Rule is the part of an alert that its rule gives.
type Rule struct {
	ID       string   `json:"id"`
	Title    string   `json:"title"`
	Guide    []string `json:"guide"`
	Class    string   `json:"class"`
	Points   int      `json:"points"`
	Attack   []string `json:"attack"`
	Revision string   `json:"revision"` // of the rule's text: the first 12 hexadecimal digits of its SHA-256
}

// Actor is who acted.
type Actor struct {
	Name string `json:"name"`
	Kind string `json:"kind"` // user, guest, app, service
	ID   string `json:"id"`
}

// Window is the span of event time that the finding covers.
type Window struct {
	First time.Time `json:"first"`
	Last  time.Time `json:"last"`
	Count int       `json:"count"` // events, also those that Evidence leaves out
	// Of rules that count them: different values, and their sum.
	Distinct int     `json:"distinct,omitempty"`
	Sum      float64 `json:"sum,omitempty"`
}

// Shown is what an alert tells of its events, and what alerts about this one tell again.
type Shown struct {
	Rule       string            `json:"rule,omitempty"`
	Evidence   []Evidence        `json:"evidence,omitempty"`
	Sessions   []string          `json:"sessions,omitempty"`
	Indicators Indicators        `json:"indicators"`
	Enrichment map[string]string `json:"enrichment,omitempty"`
}

// Evidence is one event of the finding.
type Evidence struct {
	ID       string          `json:"id"` // the record's own id
	Time     time.Time       `json:"time"`
	Action   string          `json:"action"`
	Dataset  string          `json:"dataset"`
	SourceIP string          `json:"source_ip"`
	Facts    json.RawMessage `json:"facts"` // an object of the fields that the rule names, as far as the event has them
	Cut      bool            `json:"cut,omitempty"`
	Step     string          `json:"step,omitempty"` // of a sequence
}

// Source is where the actor came from.
type Source struct {
	IP      string `json:"ip"`
	Country string `json:"country"` // ISO 3166-1 alpha-2
	ASN     int    `json:"asn"`     // autonomous system number, 0 if unknown
}

// Indicators are what else to look for.
type Indicators struct {
	Destinations []string `json:"destinations"`                 // addresses that mail is forwarded to, the first 50
	Total        int      `json:"destinations_total,omitempty"` // how many there are, where not all are told
	Apps         []string `json:"apps"`
	Networks     []string `json:"networks"`
	Accounts     []string `json:"accounts"` // whom the evidence is about, the first 50
}

// Remedy is one step of remediation, with the account filled in.
type Remedy struct {
	ID      string `json:"id"`
	Text    string `json:"text"`
	Command string `json:"command"`
}

// Times tells how long the finding took on its way. Only Happened is known in a replay.
type Times struct {
	Happened  time.Time `json:"happened"`
	Enqueued  time.Time `json:"enqueued,omitzero"`
	Evaluated time.Time `json:"evaluated,omitzero"`
}

// ID makes an alert's id of what the finding is: tenant, rule, group values and anchor, each of which may hold any text.
// Rule revision, evidence and time of processing are not in it.
func ID(tenant, rule string, group []string, anchor ...string) string {
	return "alrt_" + digest([]string{tenant, rule}, group, anchor)
}

// DedupKey is the same for all findings of a rule about one group: what ID is made of, without the anchor.
func DedupKey(tenant, rule string, group []string) string {
	return "ddk_" + digest([]string{tenant, rule}, group)
}

// digest is a hash of lists of texts, each list behind the number of its texts and each text behind its length.
func digest(lists ...[]string) string {
	var b []byte
	for _, texts := range lists {
		b = binary.BigEndian.AppendUint32(b, uint32(len(texts)))
		for _, t := range texts {
			b = append(binary.BigEndian.AppendUint32(b, uint32(len(t))), t...)
		}
	}
	sum := sha256.Sum256(b)
	return base32.StdEncoding.EncodeToString(sum[:])[:26]
}
