package detector

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"noroshi/internal/decode"
	"noroshi/internal/event"
)

// object is a JSON object: its members in their order, names without their case.
type object struct {
	names  []string
	values []any // text, json.Number, bool, nil, []any or *object
}

// get is the last member of a name; nil if the object has no such member, or its value is null.
func (o *object) get(name string) (v any) {
	if o != nil {
		for i, n := range o.names {
			if n == strings.ToLower(name) {
				v = o.values[i]
			}
		}
	}
	return v
}

// parse reads one JSON value.
func parse(text string) (v any, ok bool) {
	if !json.Valid([]byte(text)) {
		return nil, false
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	return next(d), true
}

// next is the next value of a decoder whose text is valid.
func next(d *json.Decoder) any {
	t, _ := d.Token()
	switch t {
	case json.Delim('['):
		list := []any{}
		for d.More() {
			list = append(list, next(d))
		}
		_, _ = d.Token()
		return list
	case json.Delim('{'):
		o := &object{}
		for d.More() {
			name, _ := d.Token()
			o.names = append(o.names, strings.ToLower(name.(string)))
			o.values = append(o.values, next(d))
		}
		_, _ = d.Token()
		return o
	}
	return t
}

// naive is a record as encoding/json reads it.
type naive struct {
	m     *object
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
	v, _ := parse(string(rec))
	if n.m, ok = v.(*object); !ok {
		return n, false
	}
	n.shape = shapeOf(n.m)
	if n.shape == event.Other {
		if table := tableOfRow(n.m); table != "" {
			n.m, n.shape = &object{[]string{"category", "properties"}, []any{hunting + table, n.m}}, event.Defender
		}
	}
	if n.shape != event.Defender {
		return n, true
	}
	n.m.names, n.m.values = append(n.m.names, "properties"), append(n.m.values, opened(n.m.get("properties")))
	inner, _ := opened(at(n.m, "properties.RawEventData", 0)).(*object)
	if n.m.get("category") == hunting+"CloudAppEvents" && shapeOf(inner) == event.UAL {
		row := n
		return naive{m: inner, shape: event.UAL, row: &row}, true
	}
	return n, true
}

const hunting = "AdvancedHunting-"

func shapeOf(m *object) event.Shape {
	has := func(name string) bool { return m.get(name) != nil }
	_, operation := m.get("Operation").(string)
	category, envelope := m.get("category").(string)
	_, properties := opened(m.get("properties")).(*object)
	table, _ := m.get("Type").(string)
	_, status := m.get("Status").(string)
	_, happened := m.get("Event").(string)
	switch {
	case operation && (has("CreationTime") || has("RecordType")):
		return event.UAL
	case envelope && properties && strings.HasPrefix(category, hunting):
		return event.Defender
	case envelope && properties:
		return event.Entra
	case categoriesOfTables[table] != "", m.get("Type") == nil && m.get("TimeGenerated") != nil && slices.Contains(slices.Collect(maps.Values(categoriesOfTables)), category), has("activityDateTime") && has("activityDisplayName"), signsIn(m):
		return event.Graph
	case has("SenderAddress") && has("RecipientAddress") && status || has("MessageTraceId") && happened:
		return event.Trace
	}
	return event.Other
}

// signsIn reports whether a record without an envelope is a sign-in; see decode.
func signsIn(m *object) bool {
	has := func(name string) bool { return m.get(name) != nil }
	if !has("createdDateTime") || has("riskEventType") {
		return false
	}
	if slices.ContainsFunc([]string{"conditionalAccessStatus", "clientAppUsed", "isInteractive", "signInEventTypes", "authenticationRequirement", "authenticationDetails",
		"appliedConditionalAccessPolicies", "riskLevelDuringSignIn"}, has) {
		return true
	}
	ended := has("status.errorCode") || has("resultType")
	switch status := m.get("status").(type) {
	case *object, json.Number:
		ended = true
	case string:
		status = strings.ToLower(strings.TrimSpace(status))
		ended = ended || strings.Contains(status, "signinstatus") || slices.Contains([]string{"success", "failure", "interrupted"}, status) || strings.IndexAny(status, "{@0123456789") == 0
	}
	user, app := has("userPrincipalName"), has("appDisplayName")
	return user && app || (user || app) && (has("ipAddress") || ended)
}

// tableOfRow is the table of a row of Defender's without its envelope.
func tableOfRow(m *object) string {
	if m.get("Timestamp") == nil && m.get("TimeGenerated") == nil {
		return ""
	}
	for _, t := range tablesOfRows {
		if m.get("Type") == t.name {
			return t.name
		}
	}
	if name := plainText(m.get("Type")); name != "" { // of a table that is not read
		return ""
	}
	for _, t := range tablesOfRows {
		if !slices.ContainsFunc(t.columns, func(c string) bool { return m.get(c) == nil }) {
			return t.name
		}
	}
	if slices.Contains(m.names, "raweventdata") && m.get("Application") != nil && m.get("ActionType") != nil {
		return "CloudAppEvents"
	}
	return ""
}

// opened is what an object or a list in text stands for; other values stay.
func opened(v any) any {
	s, ok := v.(string)
	if t := strings.TrimLeft(s, " \n\r\t"); !ok || t == "" || t[0] != '{' && t[0] != '[' {
		return v
	}
	if inner, ok := parse(s); ok {
		return inner
	}
	return v
}

// at is the value of a path. On the way lies one text at most that stands for what is inside it.
func (n naive) at(path string) any {
	texts := 1
	if n.shape == event.Defender {
		texts = 0
	}
	return at(n.m, path, texts)
}

// cutPath is the first name of a path, which may stand in brackets as a Go string, and the rest.
func cutPath(path string) (name, rest string) {
	path = strings.TrimPrefix(path, ".")
	if strings.HasPrefix(path, `["`) {
		quoted, _ := strconv.QuotedPrefix(path[1:])
		name, _ = strconv.Unquote(quoted)
		return name, path[len(quoted)+2:]
	}
	if i := strings.IndexAny(path, ".["); i >= 0 {
		return path[:i], path[i:]
	}
	return path, ""
}

// at, too, with so many texts on the way; see event.Field.Paths.
func at(v any, path string, texts int) any {
	if _, ok := v.(string); ok && texts > 0 {
		v, texts = opened(v), 0
	}
	name, rest := cutPath(path)
	o, _ := v.(*object)
	v = o.get(name)
	switch {
	case rest == "":
		return v
	case rest[0] == '.' || strings.HasPrefix(rest, `["`):
		return at(v, rest, texts)
	case strings.HasPrefix(rest, "[*]."):
		if _, ok := v.(string); ok && texts > 0 {
			v, texts = opened(v), 0
		}
		list, _ := v.([]any)
		if one, ok := v.(*object); ok {
			list = []any{one}
		}
		for _, x := range list {
			if _, ok := x.(string); ok && texts > 0 {
				x = opened(x)
			}
			if got := at(x, rest[3:], texts); got != nil {
				return got
			}
		}
		return nil
	}
	if texts > 0 {
		v = opened(v)
	}
	if list, ok := v.([]any); ok && texts > 0 {
		all := slices.Clone(list)
		for i := range all {
			all[i] = opened(all[i])
		}
		v = all
	}
	i := strings.LastIndexByte(rest, ']')
	return entry(v, rest[1:i], strings.TrimPrefix(rest[i+1:], "."))
}

// pair is an entry of a Name/Value list.
type pair struct {
	name            string
	value, old, new any
}

// pairOf reads an object as an entry.
func pairOf(o *object) (p pair, named, valued, others bool) {
	for i, n := range o.names {
		v := o.values[i]
		switch n {
		case "name", "key", "displayname":
			p.name, named = v.(string)
		case "value":
			p.value, valued = v, true
		case "oldvalue":
			p.old, valued = v, true
		case "newvalue":
			p.new, valued = v, true
		default:
			others = others || !strings.Contains(n, "@")
		}
	}
	return p, named, valued, others
}

// pairs are the entries of a Name/Value list: a list of them, one alone, or an object of names and values.
func pairs(v any) (all []pair) {
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			if o, ok := x.(*object); ok {
				if p, named, _, _ := pairOf(o); named {
					all = append(all, p)
				}
			}
		}
	case *object:
		if p, named, valued, others := pairOf(v); named && valued && !others {
			return []pair{p}
		}
		for i, n := range v.names {
			p := pair{n, v.values[i], nil, v.values[i]}
			if o, ok := v.values[i].(*object); ok && (slices.Contains(o.names, "oldvalue") || slices.Contains(o.names, "newvalue")) {
				change, _, _, _ := pairOf(o)
				p = pair{n, nil, change.old, change.new}
			}
			all = append(all, p)
		}
	}
	return all
}

// entry is a member of the entry of a Name/Value list. The first entry of the name that has the member counts.
func entry(v any, name, member string) any {
	for _, p := range pairs(v) {
		if low := strings.ToLower(name); strings.ToLower(p.name) != low {
			continue
		}
		got := p.value
		switch strings.ToLower(member) {
		case "oldvalue":
			got = p.old
		case "newvalue":
			got = p.new
		}
		if got != nil {
			return got
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
	if s == "" || n.shape == event.Trace || strings.HasPrefix(name, "alert.") || name == "event.outcome" {
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
	case event.Name:
		s = strings.ToLower(strings.TrimSpace(s))
		if inner := strings.Trim(s, "<>()[]{} "); strings.Trim(inner, "0-") == "" || slices.Contains([]string{"not available", "unknown", "null", "none", "n/a", "undefined"}, inner) {
			return ""
		}
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
	case event.Code:
		if s = strings.TrimSpace(s); strings.EqualFold(s, "success") {
			return "0"
		}
		if strings.Trim(s, "0123456789") != "" {
			return ""
		}
		if s = strings.TrimLeft(s, "0"); s == "" {
			return "0"
		}
	}
	return s
}

// implied is what records of a family need not say.
func (n naive) implied(name, s string) string {
	switch {
	case name == "event.provider" && s == "":
		return map[event.Shape]string{event.Entra: "Entra", event.Graph: "Entra", event.Defender: "Defender XDR", event.Trace: "Exchange"}[n.shape]
	case name == "event.code" && n.shape == event.Graph:
		if c := categoriesOfTables[fmt.Sprint(n.m.get("Type"))]; c != "" {
			return c
		}
		if n.m.get("activityDateTime") != nil {
			return "AuditLogs"
		}
		return "SignInLogs"
	case name == "event.action" && n.shape == event.Trace:
		return "MessageTrace"
	case name == "event.action" && n.shape == event.Graph:
		return map[any]string{"AADProvisioningLogs": "Provisioning activity", "MicrosoftGraphActivityLogs": "Microsoft Graph Activity"}[n.m.get("Type")]
	case name == "event.action" && n.shape == event.Defender:
		if table := strings.TrimPrefix(n.m.get("category").(string), hunting); table != "DeviceEvents" {
			return table
		}
		return "Publish" // the envelope's, of tables that are not read
	case name == "event.outcome": // of commands
		return map[string]string{"true": "success", "false": "failure", "failed": "failure"}[strings.ToLower(s)]
	case name == "alert.entity" && n.shape == event.Defender: // of rows that name the account by its address
		if role, _ := n.at("properties.EvidenceRole").(string); role == "Related" {
			return ""
		}
		return strings.ToLower(plainText(n.at("properties.AccountUpn")))
	case strings.HasPrefix(name, "alert."): // those of Microsoft's alerts alone
		f, _ := event.Lookup(name)
		if action, _ := n.text("event.action"); !slices.Contains(f.Actions, action) {
			return ""
		}
	}
	return s
}
