package roadstest

import "strings"

// HuntingRoads are the roads of rows of Defender XDR other than CloudAppEvents, which hold a record of the unified audit log.
var HuntingRoads = []Road{
	{"streaming", Hunting, func(rec string) string { return rec }},
	{"streaming, names in lower case", Hunting, func(rec string) string { return Renamed(rec, strings.ToLower) }},
	{"streaming, `properties` as text", Hunting, func(rec string) string {
		m := object(rec)
		m["properties"] = written(m["properties"])
		return written(m)
	}},
	{"table of Log Analytics", Hunting, func(rec string) string { return written(texts(huntingRow(rec))) }},
	{"table of Log Analytics, exported", Hunting, func(rec string) string { return written(cells(huntingRow(rec))) }},
}

// huntingRow is the row that a table of Log Analytics has of a streamed one.
func huntingRow(rec string) map[string]any {
	m := object(rec)
	row, _ := m["properties"].(map[string]any)
	row["Type"] = strings.TrimPrefix(textOf(m["category"]), "AdvancedHunting-")
	row["TimeGenerated"], row["TenantId"] = row["Timestamp"], "99990000-aaaa-bbbb-cccc-ddddeeeeffff"
	return row
}

// FamilyOf is the family of a record, 0 where it is of none.
func FamilyOf(rec string) Family {
	m := object(rec)
	category := textOf(m["category"])
	switch {
	case m["Operation"] != nil && m["RecordType"] != nil:
		return Audit
	case strings.HasPrefix(category, "AdvancedHunting-") && category != "AdvancedHunting-CloudAppEvents":
		return Hunting
	case workspaceTables[category] != "":
		return Entra
	}
	return 0
}
