package detector

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"noroshi/internal/decode"
	"noroshi/internal/event"
)

// naive is a record as encoding/json reads it.
type naive struct {
	m     map[string]any
	shape event.Shape
	row   *naive // of an audit record the row that it lay in
}

// tablesOfRows are Defender's tables, and columns by which a row without an envelope or Type is of one.
var tablesOfRows = []struct {
	name    string
	columns []string
}{
	{"CloudAppEvents", []string{"RawEventData"}}, {"EmailEvents", []string{"NetworkMessageId", "EmailDirection"}}, {"EmailPostDeliveryEvents", []string{"NetworkMessageId", "ActionTrigger"}},
	{"UrlClickEvents", []string{"IsClickedThrough"}}, {"AlertEvidence", []string{"AlertId", "EvidenceRole"}}, {"AlertInfo", []string{"AlertId", "DetectionSource"}},
	{"IdentityLogonEvents", []string{"LogonType", "Application", "ActionType"}}, {"IdentityQueryEvents", []string{"?"}}, {"IdentityDirectoryEvents", []string{"?"}},
}

// categoriesOfTables are those of Entra's tables in Log Analytics that the maker makes rows of.
var categoriesOfTables = map[string]string{"AuditLogs": "AuditLogs", "AADProvisioningLogs": "ProvisioningLogs", "MicrosoftGraphActivityLogs": "MicrosoftGraphActivityLogs"}

func newNaive(rec []byte) (n naive, ok bool) {
	d := json.NewDecoder(strings.NewReader(string(rec)))
	d.UseNumber()
	if d.Decode(&n.m) != nil || n.m == nil {
		return n, false
	}
	n.shape = shapeOf(n.m)
	if n.shape == event.Other {
		if table := tableOfRow(n.m); table != "" {
			n.m, n.shape = map[string]any{"category": hunting + table, "properties": n.m}, event.Defender
		}
	}
	if n.shape != event.Defender {
		return n, true
	}
	n.m["properties"] = opened(n.m["properties"])
	inner, _ := opened(at(n.m, "properties.RawEventData", 0)).(map[string]any)
	if n.m["category"] == hunting+"CloudAppEvents" && shapeOf(inner) == event.UAL {
		row := n
		return naive{m: inner, shape: event.UAL, row: &row}, true
	}
	return n, true
}

const hunting = "AdvancedHunting-"

func shapeOf(m map[string]any) event.Shape {
	_, operation := m["Operation"].(string)
	has := func(name string) bool { return member(m, name) != nil }
	category, envelope := member(m, "category").(string)
	_, properties := opened(member(m, "properties")).(map[string]any)
	table, _ := m["Type"].(string)
	_, status := member(m, "Status").(string)
	_, happened := member(m, "Event").(string)
	switch {
	case operation && (m["CreationTime"] != nil || m["RecordType"] != nil):
		return event.UAL
	case envelope && properties && strings.HasPrefix(category, hunting):
		return event.Defender
	case envelope && properties:
		return event.Entra
	case categoriesOfTables[table] != "", has("activityDateTime") && has("activityDisplayName"), has("createdDateTime") && (has("userPrincipalName") || has("appDisplayName") || has("conditionalAccessStatus")):
		return event.Graph
	case has("SenderAddress") && has("RecipientAddress") && status || has("MessageTraceId") && happened:
		return event.Trace
	}
	return event.Other
}

// tableOfRow is the table of a row of Defender's without its envelope.
func tableOfRow(m map[string]any) string {
	if m["Timestamp"] == nil && m["TimeGenerated"] == nil {
		return ""
	}
	for _, t := range tablesOfRows {
		if m["Type"] == t.name {
			return t.name
		}
	}
	if name := plainText(m["Type"]); name != "" { // of a table that is not read
		return ""
	}
	for _, t := range tablesOfRows {
		if !slices.ContainsFunc(t.columns, func(c string) bool { return m[c] == nil }) {
			return t.name
		}
	}
	return ""
}

// opened is what an object or a list in text stands for; other values stay.
func opened(v any) any {
	s, ok := v.(string)
	if t := strings.TrimLeft(s, " \n\r\t"); !ok || t == "" || t[0] != '{' && t[0] != '[' {
		return v
	}
	d := json.NewDecoder(strings.NewReader(s))
	d.UseNumber()
	var inner any
	if !json.Valid([]byte(s)) || d.Decode(&inner) != nil {
		return v
	}
	return inner
}

// at is the value of a path. On the way lies one text at most that stands for what is inside it. Names of members of other
// records than audits may be spelt in upper or lower case.
func (n naive) at(path string) any {
	texts := 1
	if n.shape == event.Defender {
		texts = 0
	}
	name := path
	if i := strings.IndexAny(path, ".["); i >= 0 {
		name = path[:i]
	}
	m := n.m
	if n.shape != event.UAL {
		m = map[string]any{name: member(m, name)}
	}
	return at(m, path, texts)
}

// member is a member of a record, however its name is spelt.
func member(m map[string]any, name string) any {
	for spelt, v := range m {
		if strings.EqualFold(spelt, name) && v != nil {
			return v
		}
	}
	return nil
}

// at, too, with so many texts on the way; see event.Field.Paths.
func at(v any, path string, texts int) any {
	if _, ok := v.(string); ok && texts > 0 {
		v, texts = opened(v), 0
	}
	name, rest := path, ""
	if i := strings.IndexAny(path, ".["); i >= 0 {
		name, rest = path[:i], path[i:]
	}
	m, _ := v.(map[string]any)
	v = m[name]
	switch {
	case rest == "":
		return v
	case strings.HasPrefix(rest, "."):
		return at(v, rest[1:], texts)
	case strings.HasPrefix(rest, "[*]."):
		if _, ok := v.(string); ok && texts > 0 {
			v, texts = opened(v), 0
		}
		list, _ := v.([]any)
		for _, x := range list {
			if got := at(x, rest[4:], texts); got != nil {
				return got
			}
		}
		return nil
	}
	if texts > 0 {
		v = opened(v)
	}
	i := strings.LastIndexByte(rest, ']')
	return entry(v, rest[1:i], strings.TrimPrefix(rest[i+1:], "."))
}

// entry is a member of the entry of a Name/Value list. The first entry of the name that has the member counts.
func entry(v any, name, member string) any {
	list, _ := v.([]any)
	for _, x := range list {
		m, _ := x.(map[string]any)
		for _, key := range []string{"Name", "key", "displayName"} {
			if n, _ := m[key].(string); n == name && n != "" {
				if member != "" && m[member] != nil {
					return m[member]
				}
				for _, value := range []string{"Value", "value"} {
					if member == "" && m[value] != nil {
						return m[value]
					}
				}
			}
		}
	}
	return nil
}

func plainText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

// text is a field's canonical text.
func (n naive) text(name string) (s string, has bool) {
	l := event.NewLayout()
	slot, ok := l.Slot(name)
	if !ok {
		panic(name)
	}
	d := l.Def(slot)
	for _, p := range d.Paths(n.shape) {
		v := n.at(p)
		has = has || v != nil
		if s == "" {
			s = canonical(d.Form(), plainText(v))
		}
	}
	if s == "" && n.row != nil && slices.Contains([]string{"organization.id", "source.geo.country_iso_code", "source.geo.city_name"}, name) {
		s, _ = n.row.text(name)
		return s, has || s != ""
	}
	if s == "" || n.shape == event.Trace || strings.HasPrefix(name, "alert.") {
		s = n.implied(name, s)
	}
	if slices.Contains(decode.Names(), name) { // what is worked out is there if it is not empty
		has = s != ""
	}
	if d.Form().Drops() {
		has = s != ""
	}
	return s, has
}

// canonical is a text as rules see it.
func canonical(f event.Form, s string) string {
	if s == "" {
		return ""
	}
	switch f {
	case event.LowerCase:
		return strings.ToLower(s)
	case event.Operation:
		return strings.ReplaceAll(strings.TrimRight(strings.TrimLeft(s, " "), ". "), "–", "-")
	case event.Country:
		if s = strings.ToUpper(s); len(s) != 2 || strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
			return ""
		}
	case event.Truth:
		if t := strings.ToLower(s); t == "true" || t == "false" {
			return t
		}
	case event.Address:
		s, _ = decode.Address(s)
	}
	return s
}

// implied is what records of a family need not say.
func (n naive) implied(name, s string) string {
	switch {
	case name == "event.provider" && s == "":
		return map[event.Shape]string{event.Entra: "Entra", event.Graph: "Entra", event.Defender: "Defender XDR", event.Trace: "Exchange"}[n.shape]
	case name == "event.code" && n.shape == event.Graph:
		return categoriesOfTables[fmt.Sprint(n.m["Type"])]
	case name == "event.action" && n.shape == event.Trace:
		return "MessageTrace"
	case name == "event.action" && n.shape == event.Graph:
		return map[any]string{"AADProvisioningLogs": "Provisioning activity", "MicrosoftGraphActivityLogs": "Microsoft Graph Activity"}[n.m["Type"]]
	case name == "event.action" && n.shape == event.Defender:
		if table := strings.TrimPrefix(n.m["category"].(string), hunting); table != "DeviceEvents" {
			return table
		}
		return "Publish" // the envelope's, of tables that are not read
	case strings.HasPrefix(name, "alert."): // those of Microsoft's alerts alone
		f, _ := event.Lookup(name)
		if action, _ := n.text("event.action"); !slices.Contains(f.Actions, action) {
			return ""
		}
	}
	return s
}
