package roadstest

import "strings"

var entraRoads = []Road{
	{"diagnostic setting", Entra, func(rec string) string { return rec }},
	{"diagnostic setting, names in lower case", Entra, func(rec string) string { return Renamed(rec, strings.ToLower) }},
	{"diagnostic setting, names in upper case", Entra, func(rec string) string { return Renamed(rec, strings.ToUpper) }},
	{"diagnostic setting, `properties` as text", Entra, func(rec string) string {
		m := object(rec)
		m["properties"] = written(m["properties"])
		return written(m)
	}},
	{"Microsoft Graph (Entra)", Entra, func(rec string) string { return written(byGraph(rec)) }},
	{"Microsoft Graph by PowerShell (Entra)", Entra, func(rec string) string { return Renamed(written(byGraph(rec)), capital) }},
	{"tables of Log Analytics (Entra)", Entra, func(rec string) string { return written(texts(workspaceRow(rec))) }},
	{"tables of Log Analytics (Entra), exported", Entra, func(rec string) string { return written(cells(workspaceRow(rec))) }},
}

// eventTypes are Microsoft Graph's words for the categories of sign-ins.
// Source: Microsoft Graph, signIn, signInEventTypes.
var eventTypes = map[string]string{"SignInLogs": "interactiveUser", "NonInteractiveUserSignInLogs": "nonInteractiveUser", "ServicePrincipalSignInLogs": "servicePrincipal", "ManagedIdentitySignInLogs": "managedIdentity"}

func byGraph(rec string) map[string]any {
	m := object(rec)
	properties, _ := m["properties"].(map[string]any)
	if kind := eventTypes[textOf(m["category"])]; kind != "" {
		properties["signInEventTypes"] = []any{kind}
	}
	for _, name := range []string{"tenantId", "homeTenantId", "resourceTenantId"} { // version 1.0 has none of them
		delete(properties, name)
	}
	return properties
}

var workspaceTables = map[string]string{"SignInLogs": "SigninLogs", "NonInteractiveUserSignInLogs": "AADNonInteractiveUserSignInLogs", "ServicePrincipalSignInLogs": "AADServicePrincipalSignInLogs",
	"ManagedIdentitySignInLogs": "AADManagedIdentitySignInLogs", "AuditLogs": "AuditLogs"}

// workspaceRow is the row that a table of Log Analytics has of a diagnostic record: columns with a capital, the workspace in
// TenantId, the tenant in a column of its own.
func workspaceRow(rec string) map[string]any {
	m := object(rec)
	properties, _ := m["properties"].(map[string]any)
	row := map[string]any{"Type": workspaceTables[textOf(m["category"])], "TimeGenerated": m["time"], "TenantId": "99990000-aaaa-bbbb-cccc-ddddeeeeffff", "AADTenantId": m["tenantId"], "SourceSystem": "Azure AD"}
	for _, from := range []map[string]any{m, properties} {
		for name, v := range from {
			switch name {
			case "time", "tenantId", "category", "callerIpAddress", "properties":
				continue
			case "location":
				if _, place := v.(map[string]any); place {
					name = "locationDetails"
				}
			}
			row[capital(name)] = v
		}
	}
	return row
}
