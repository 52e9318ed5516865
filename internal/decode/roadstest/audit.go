package roadstest

import (
	"encoding/json"
	"strings"
)

var auditRoads = []Road{
	{"Management Activity API", Audit, func(rec string) string { return rec }},
	{"names in lower case", Audit, func(rec string) string { return Renamed(rec, strings.ToLower) }},
	{"names in upper case", Audit, func(rec string) string { return Renamed(rec, strings.ToUpper) }},
	{"Purview, `AuditData` of the export", Audit, func(rec string) string { return portalRow(rec, Quote(rec)) }},
	{"`Search-UnifiedAuditLog`", Audit, func(rec string) string { return searchRow(rec, Quote(rec)) }},
	{"`Search-UnifiedAuditLog`, `AuditData` as an object", Audit, func(rec string) string { return searchRow(rec, rec) }},
	{"Microsoft Graph, `auditLogRecord`", Audit, func(rec string) string { return graphRecord(rec, rec) }},
	{"Microsoft Graph, `auditData` as text", Audit, func(rec string) string { return graphRecord(rec, Quote(rec)) }},
	{"Microsoft Graph by PowerShell", Audit, func(rec string) string {
		outer := Renamed(graphRecord(rec, "null"), capital)
		return strings.Replace(outer, `"AuditData":null`, `"AuditData":{"AdditionalProperties":`+rec+`}`, 1)
	}},
	{"`CloudAppEvents`", Audit, func(rec string) string { return appEvent(rec, rec) }},
	{"`CloudAppEvents`, `RawEventData` as text", Audit, func(rec string) string { return appEvent(rec, Quote(rec)) }},
	{"`CloudAppEvents` of Log Analytics", Audit, appRow},
	{"`OfficeActivity` of Log Analytics", Audit, officeRow},
}

// typeNames are the names of record types.
// Source: Office 365 Management Activity API schema, AuditLogRecordType.
var typeNames = map[string]string{"1": "ExchangeAdmin", "2": "ExchangeItem", "6": "SharePointFileOperation", "8": "AzureActiveDirectory", "15": "AzureActiveDirectoryStsLogon",
	"40": "SecurityComplianceAlerts", "50": "ExchangeItemAggregated", "3": "ExchangeItemGroup", "4": "SharePoint", "14": "SharePointSharingOperation", "18": "SecurityComplianceCenterEOPCmdlet",
	"24": "Discovery", "25": "MicrosoftTeams", "28": "ThreatIntelligence", "41": "ThreatIntelligenceUrl", "57": "MicrosoftTeamsAdmin", "68": "ComplianceSupervisionExchange", "98": "SecurityComplianceUserChange"}

// userTypes are the names of user types, and logonTypes those of logon types.
var (
	userTypes  = map[string]string{"0": "Regular", "1": "Reserved", "2": "Admin", "3": "DcAdmin", "4": "System", "5": "Application", "6": "ServicePrincipal"}
	logonTypes = map[string]string{"0": "Owner", "1": "Admin", "2": "Delegated"}
)

func textOf(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return ""
}

func portalRow(rec, data string) string {
	m := object(rec)
	return `{"RecordId":` + written(m["Id"]) + `,"CreationDate":"2026-02-03T01:02:03.0000000Z","RecordType":` + Quote(textOf(m["RecordType"])) + `,"Operation":` + written(m["Operation"]) +
		`,"UserId":` + written(m["UserId"]) + `,"AuditData":` + data + `,"AssociatedAdminUnits":"","AssociatedAdminUnitsNames":""}`
}

func searchRow(rec, data string) string {
	m := object(rec)
	return `{"RecordType":` + Quote(typeNames[textOf(m["RecordType"])]) + `,"CreationDate":"/Date(1770080523000)/","UserIds":` + written(m["UserId"]) + `,"Operations":` + written(m["Operation"]) +
		`,"AuditData":` + data + `,"ResultIndex":1,"ResultCount":1,"Identity":` + written(m["Id"]) + `,"IsValid":true,"ObjectState":"Unchanged"}`
}

func graphRecord(rec, data string) string {
	m := object(rec)
	name := typeNames[textOf(m["RecordType"])]
	return `{"id":` + written(m["Id"]) + `,"createdDateTime":"2026-02-03T01:02:03Z","auditLogRecordType":` + Quote(strings.ToLower(name[:1])+name[1:]) + `,"operation":` + written(m["Operation"]) +
		`,"organizationId":` + written(m["OrganizationId"]) + `,"userType":` + Quote(strings.ToLower(userTypes[textOf(m["UserType"])])) + `,"userId":` + written(m["UserId"]) +
		`,"service":` + written(m["Workload"]) + `,"objectId":` + written(m["ObjectId"]) + `,"userPrincipalName":` + written(m["UserId"]) + `,"clientIp":` + written(m["ClientIP"]) +
		`,"administrativeUnits":[""],"auditData":` + data + `}`
}

func appEvent(rec, data string) string {
	m := object(rec)
	return `{"time":"2026-02-03T01:09:00Z","tenantId":` + written(m["OrganizationId"]) + `,"operationName":"Publish","category":"AdvancedHunting-CloudAppEvents","properties":` +
		`{"Timestamp":"2026-02-03T01:02:03Z","ActionType":` + written(m["Operation"]) + `,"Application":"Microsoft Exchange Online","AccountObjectId":"11112222-3333-4444-5555-666677778888",` +
		`"CountryCode":"NL","City":"Amsterdam","ISP":"Example Telecom","ReportId":"r-1","RawEventData":` + data + `}}`
}

func appRow(rec string) string {
	row, _ := object(appEvent(rec, Quote(rec)))["properties"].(map[string]any)
	row["Type"], row["TimeGenerated"], row["TenantId"] = "CloudAppEvents", "2026-02-03T01:02:03Z", "99990000-aaaa-bbbb-cccc-ddddeeeeffff"
	return written(texts(row))
}

// officeColumns are the columns of OfficeActivity for members of other names.
// Source: Azure Monitor Logs, reference of OfficeActivity.
var officeColumns = map[string]string{"CreationTime": "TimeGenerated", "Id": "OfficeId", "Workload": "OfficeWorkload", "ObjectId": "OfficeObjectId", "ClientIPAddress": "Client_IPAddress", "LogonType": "Logon_Type"}

func officeRow(rec string) string {
	row := map[string]any{"Type": "OfficeActivity", "TenantId": "99990000-aaaa-bbbb-cccc-ddddeeeeffff", "Start_Time": "2026-02-03T01:09:00Z", "OfficeTenantId": "x"}
	for name, v := range object(rec) {
		code := textOf(v)
		switch name {
		case "RecordType":
			v = typeNames[code]
		case "UserType":
			v = userTypes[code]
		case "LogonType":
			v = logonTypes[code]
		default:
			if n, ok := v.(json.Number); ok {
				v = n.String()
			}
		}
		if column, ok := officeColumns[name]; ok {
			name = column
		}
		row[name] = v
	}
	return written(texts(row))
}
