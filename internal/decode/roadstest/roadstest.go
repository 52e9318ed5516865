// Package roadstest gives a record as each road brings it, for tests that all of them are one event.
package roadstest

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// Family says of which records a road is.
type Family uint8

// The families: the unified audit log, as the Management Activity API gives it, and Entra, as diagnostic settings give it.
const (
	Audit Family = 1 << iota
	Entra
	Hunting // rows of Defender XDR's advanced hunting, as its streaming gives them
)

// Record is a record as its own service gives it.
type Record struct {
	Name   string
	Family Family
	JSON   string
}

// Road is a way by which records come.
type Road struct {
	Name   string
	Family Family // of the records that come by it; Audit|Entra of all
	// Wrap gives a record as the road brings it.
	Wrap func(rec string) string
}

// Roads are all roads of single records, each family's own first. The first two of them leave the records as they are.
func Roads() []Road {
	all := slices.Concat(auditRoads, entraRoads)
	for _, w := range wrappers {
		all = append(all, Road{w.name + ", as an object", Audit | Entra, func(rec string) string { return put(w.around, rec) }},
			Road{w.name + ", as text", Audit | Entra, func(rec string) string { return put(w.around, Quote(rec)) }})
	}
	return all
}

// Wrappers are the roads of other collectors, which any record may come by.
func Wrappers() (all []Road) {
	for _, r := range Roads() {
		if r.Family == Audit|Entra {
			all = append(all, r)
		}
	}
	return all
}

// wrappers are what other collectors put around a record, which stands for %.
var wrappers = []struct{ name, around string }{
	{"`message` (Vector, Logstash, Elastic)", `{"host":"h","message":%,"source_type":"file","timestamp":"2026-02-02T00:00:00Z"}`},
	{"`event.original` (Elastic)", `{"@timestamp":"2026-02-02T00:00:00.000Z","event":{"kind":"event","original":%},"message":"x","user":{"name":"x"}}`},
	{"`event.original`, one name", `{"@timestamp":"2026-02-02T00:00:00.000Z","event.original":%,"tags":["forwarded"]}`},
	{"`_source` (Elasticsearch)", `{"_index":"logs-o365","_id":"x","_score":1,"_source":%}`},
	{"`_source` and in it `message`", `{"_index":"logs-o365","_id":"x","_source":{"@timestamp":"2026-02-02T00:00:00Z","message":%}}`},
	{"`_raw` (Splunk)", `{"_time":"2026-02-02T00:00:00.000+00:00","_raw":%,"sourcetype":"o365:management:activity"}`},
	{"`result` and in it `_raw` (Splunk)", `{"preview":false,"offset":0,"result":{"_time":"x","_raw":%}}`},
	{"`event` (Splunk's HTTP event collector)", `{"time":1769990400.5,"host":"h","sourcetype":"o365:management:activity","event":%}`},
	{"`office365` (Wazuh, archives)", `{"integration":"office365","office365":%}`},
	{"`data.office365` (Wazuh, alerts)", `{"timestamp":"2026-02-02T00:00:00.000+0000","rule":{"level":3},"id":"1.1","data":{"integration":"office365","office365":%},"location":"office365"}`},
	{"`log` (Fluent Bit)", `{"date":1769990400.5,"log":%,"stream":"stdout"}`},
	{"`RawData` (Azure Monitor, text logs)", `{"TimeGenerated":"2026-02-02T00:00:00Z","RawData":%,"Type":"Audit_CL","TenantId":"99990000-aaaa-bbbb-cccc-ddddeeeeffff"}`},
	{"`message`, an envelope of one record", `{"message":{"records":[%]}}`},
}

func put(around, rec string) string {
	if before, after, list := strings.Cut(around, "{\"records\":[%]}"); list && strings.HasPrefix(rec, `"`) { // the envelope is text
		var s string
		_ = json.Unmarshal([]byte(rec), &s)
		return before + Quote(`{"records":[`+s+`]}`) + after
	}
	return strings.Replace(around, "%", rec, 1)
}

// Quote is a text as JSON.
func Quote(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s)
	return strings.TrimSpace(b.String())
}

// object reads a record; numbers stay as they are written.
func object(rec string) map[string]any {
	d := json.NewDecoder(strings.NewReader(rec))
	d.UseNumber()
	var m map[string]any
	if err := d.Decode(&m); err != nil {
		return nil
	}
	return m
}

func written(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v)
	return strings.TrimSpace(b.String())
}

// Renamed is a value with the names of all members, at every depth, as spell has them. Names and values of a Name/Value list
// are no names of members.
func Renamed(rec string, spell func(string) string) string {
	return written(renamed(any(object(rec)), spell))
}

func renamed(v any, spell func(string) string) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, inner := range v {
			out[spell(name)] = renamed(inner, spell)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, inner := range v {
			out[i] = renamed(inner, spell)
		}
		return out
	}
	return v
}

// capital is a name as PowerShell writes it.
func capital(name string) string {
	if name == "ipAddress" {
		return "IPAddress"
	}
	return strings.ToUpper(name[:1]) + name[1:]
}

// texts makes text of all objects and lists among the members of a row, and where numbers is set of numbers and truths, too.
func texts(row map[string]any) map[string]any {
	for name, v := range row {
		switch v.(type) {
		case map[string]any, []any:
			row[name] = written(v)
		}
	}
	return row
}

// cells are the members of a row as a table has them: text, and none that is null.
func cells(row map[string]any) map[string]any {
	out := map[string]any{}
	for name, v := range texts(row) {
		switch v := v.(type) {
		case nil:
		case string:
			out[name] = v
		default:
			out[name] = written(v)
		}
	}
	return out
}
