package sentinel

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"noroshi/internal/alert"
)

// The types of columns. The interface of tables writes datetime as dateTime.
const (
	text     = "string"
	number   = "int"
	fraction = "real"
	truth    = "boolean"
	moment   = "datetime"
	dynamic  = "dynamic"
)

// column is one of the table, of the stream and of each row. All three are made of it.
type column struct {
	name  string
	kind  string
	of    string // the alert's member that it holds, as its JSON names it
	about string
	value func(a *alert.Alert) any
}

// columns are those of the table. A name has at most 45 letters and digits, and is none that Azure keeps for itself.
var columns = []column{
	{"TimeGenerated", moment, "time", "When the finding was complete. Azure replaces what is older than two days by the time of arrival", func(a *alert.Alert) any { return a.Time }},
	{"AlertTime", moment, "time", "When the finding was complete, however old", func(a *alert.Alert) any { return a.Time }},
	{"AlertId", text, "id", "The same in all revisions of an alert, however often it comes", func(a *alert.Alert) any { return a.ID }},
	{"AlertRevision", number, "revision", "1, and more for each change", func(a *alert.Alert) any { return a.Revision }},
	{"AlertStatus", text, "status", "firing, updated or withdrawn", func(a *alert.Alert) any { return string(a.Status) }},
	{"AlertState", text, "state", "shadow or building for a rule that is not live", func(a *alert.Alert) any { return a.State }},
	{"AlertSeverity", text, "severity", "info, low, medium, high or critical", func(a *alert.Alert) any { return a.Severity }},
	{"AlertTitle", text, "rule", "What the rule finds", func(a *alert.Alert) any { return a.Rule.Title }},
	{"AlertSummary", text, "summary", "What has happened, in a sentence", func(a *alert.Alert) any { return a.Summary }},
	{"AlertSchema", text, "schema", "The form of the alert", func(a *alert.Alert) any { return a.Schema }},
	{"Drill", truth, "drill", "true: of a drill or a heartbeat, nothing has happened", func(a *alert.Alert) any { return a.Drill }},
	{"Late", truth, "late", "The records came late", func(a *alert.Alert) any { return a.Late }},
	{"Partial", truth, "partial", "true: adds to the revisions before it, which it does not take the place of", func(a *alert.Alert) any { return a.Partial }},
	{"RuleId", text, "rule", "The rule", func(a *alert.Alert) any { return a.Rule.ID }},
	{"RuleClass", text, "rule", "access, hiding, exfiltration, abuse, privilege, defence or verdict", func(a *alert.Alert) any { return a.Rule.Class }},
	{"RuleRevision", text, "rule", "Changes with the text of the rule", func(a *alert.Alert) any { return a.Rule.Revision }},
	{"RulePoints", number, "rule", "How much the rule counts", func(a *alert.Alert) any { return a.Rule.Points }},
	{"RuleGuide", dynamic, "rule", "Signs of the guide that the rule is for", func(a *alert.Alert) any { return list(a.Rule.Guide) }},
	{"Attack", dynamic, "rule", "Techniques of MITRE ATT&CK", func(a *alert.Alert) any { return list(a.Rule.Attack) }},
	{"SourceTenantId", text, "tenant", "The tenant of the account", func(a *alert.Alert) any { return a.Tenant }},
	{"Account", text, "account", "Whom the alert is about", func(a *alert.Alert) any { return a.Account }},
	{"ActorName", text, "actor", "Who acted", func(a *alert.Alert) any { return a.Actor.Name }},
	{"ActorKind", text, "actor", "user, guest, app or service", func(a *alert.Alert) any { return a.Actor.Kind }},
	{"ActorId", text, "actor", "The id of who acted", func(a *alert.Alert) any { return a.Actor.ID }},
	{"Target", text, "target", "Whom or what it was done to", func(a *alert.Alert) any { return a.Target }},
	{"FirstSeen", moment, "window", "The first event", func(a *alert.Alert) any { return a.Window.First }},
	{"LastSeen", moment, "window", "The last event", func(a *alert.Alert) any { return a.Window.Last }},
	{"EventCount", number, "window", "How many events", func(a *alert.Alert) any { return a.Window.Count }},
	{"DistinctCount", number, "window", "How many different values, of rules that count them", func(a *alert.Alert) any { return a.Window.Distinct }},
	{"EventSum", fraction, "window", "The sum, of rules that add up", func(a *alert.Alert) any { return a.Window.Sum }},
	{"SourceIp", text, "source", "The address that it came from", func(a *alert.Alert) any { return a.Source.IP }},
	{"SourceCountry", text, "source", "Its country", func(a *alert.Alert) any { return a.Source.Country }},
	{"SourceAsn", "long", "source", "Its autonomous system", func(a *alert.Alert) any { return a.Source.ASN }},
	{"GroupValues", dynamic, "group", "By what the rule counts", func(a *alert.Alert) any { return a.Group }},
	{"DedupKey", text, "dedup_key", "The same for all alerts of the rule about the same group", func(a *alert.Alert) any { return a.DedupKey }},
	{"Evidence", dynamic, "evidence", "The events, or some of them", func(a *alert.Alert) any { return list(a.Evidence) }},
	{"Sessions", dynamic, "sessions", "Sessions of the events", func(a *alert.Alert) any { return list(a.Sessions) }},
	{"Indicators", dynamic, "indicators", "What else to look for", func(a *alert.Alert) any { return a.Indicators }},
	{"Modifiers", dynamic, "modifiers", "What changed the severity", func(a *alert.Alert) any { return list(a.Modifiers) }},
	{"LinkedAlerts", dynamic, "linked", "Alerts that this one is about", func(a *alert.Alert) any { return list(a.Linked) }},
	{"Enrichment", dynamic, "enrichment", "What lists say of account and address", func(a *alert.Alert) any { return a.Enrichment }},
	{"Respond", dynamic, "respond", "What to do, with commands", func(a *alert.Alert) any { return list(a.Respond) }},
	{"Times", dynamic, "times", "When it happened, arrived and was evaluated", func(a *alert.Alert) any { return a.Times }},
	{"AlertClock", text, "clock", "wall where the clock on the wall decided", func(a *alert.Alert) any { return a.Clock }},
	{"TraceParent", text, "traceparent", "The trace that the alert belongs to", func(a *alert.Alert) any { return a.Traceparent }},
	{"AlertCut", dynamic, "cut", "What is told in part, because it was too long", func(a *alert.Alert) any { return list(a.Cut) }},
}

// maxField bounds a field in bytes: Azure cuts what is longer than 64 KiB without a word, and what is dynamic then is no JSON any more.
const maxField = 60_000

// elements are those of a column that holds a list, which may be told in part.
type elements []json.RawMessage

func list[T any](all []T) any {
	var out elements
	for i := range all {
		b, err := json.Marshal(all[i])
		if err != nil {
			continue // an alert's parts can always be written
		}
		out = append(out, b)
	}
	return out
}

// row appends an alert as a row. What is empty is left out, and what is too long is told in part, which its column AlertCut says.
func row(to []byte, a *alert.Alert) []byte {
	to = append(to, '{')
	from := len(to)
	for i := range columns {
		c := &columns[i]
		b, whole := c.field(a)
		if !whole && len(a.Cut) < len(columns) { // AlertCut is the last column
			a.Cut = append(a.Cut, c.of)
		}
		if b == nil {
			continue
		}
		if len(to) > from {
			to = append(to, ',')
		}
		to = append(append(append(append(to, '"'), c.name...), '"', ':'), b...)
	}
	return append(to, '}')
}

// field is a column's value as JSON, nil where there is none.
func (c *column) field(a *alert.Alert) (b []byte, whole bool) {
	switch v := c.value(a).(type) {
	case string:
		return quoted(v)
	case int:
		return nonzero(strconv.Itoa(v)), true
	case bool:
		return nonzero(strconv.FormatBool(v)), true
	case time.Time:
		if v.IsZero() {
			return nil, true
		}
		return v.UTC().AppendFormat(nil, `"2006-01-02T15:04:05.000Z"`), true
	case elements:
		return v.json()
	default: // a small structure, or a map
		b, err := json.Marshal(v)
		if err != nil || len(b) > maxField {
			return nil, false
		}
		return nonzero(string(b)), true
	}
}

// nonzero is a value, nil where it says nothing.
func nonzero(s string) []byte {
	if s == "0" || s == "false" || s == "null" || s == "{}" {
		return nil
	}
	return []byte(s)
}

// quoted is a text as JSON.
func quoted(s string) (b []byte, whole bool) {
	if s == "" {
		return nil, true
	}
	if b = alert.AppendQuoted(nil, s); len(b) <= maxField {
		return b, true
	}
	s = s[:maxField/6] // an escape has six bytes for one
	for len(s) > 0 && !utf8.ValidString(s) {
		s = s[:len(s)-1]
	}
	return alert.AppendQuoted(nil, s+"…"), false
}

// json is a list as JSON, with as many elements as there is room for.
func (e elements) json() (b []byte, whole bool) {
	if len(e) == 0 {
		return nil, true
	}
	size := 0
	var parts []string
	for _, one := range e {
		if size += len(one) + 1; size >= maxField {
			break
		}
		parts = append(parts, string(one))
	}
	return []byte("[" + strings.Join(parts, ",") + "]"), len(parts) == len(e)
}
