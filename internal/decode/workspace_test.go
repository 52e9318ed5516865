package decode

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"noroshi/internal/event"
)

// ofWorkspace is the row that a Log Analytics table has of a diagnostic record: columns with a capital, objects and lists as text,
// the workspace in TenantId. Columns that the table has not are left out by their names.
func ofWorkspace(envelope, properties map[string]any, table string, without ...string) map[string]any {
	row := map[string]any{"Type": table, "TimeGenerated": envelope["time"], "TenantId": "99990000-aaaa-bbbb-cccc-ddddeeeeffff", "AADTenantId": envelope["tenantId"], "SourceSystem": "Azure AD"}
	for _, from := range []map[string]any{envelope, properties} {
		for name, v := range from {
			column := strings.ToUpper(name[:1]) + name[1:]
			switch name {
			case "time", "tenantId", "category", "callerIpAddress", "properties":
				continue
			case "location":
				if _, place := v.(map[string]any); place && table != "AADUserRiskEvents" {
					column = "LocationDetails"
				}
			}
			if text, ok := inText(v); ok {
				v = text
			}
			row[column] = v
		}
	}
	for _, column := range without {
		delete(row, column)
	}
	return row
}

// lines drops what is said of fields.
func lines(said string, fields ...string) string {
	var kept []string
	for line := range strings.Lines(said) {
		name, _, _ := strings.Cut(line, ": ")
		if !slices.Contains(fields, name) {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}

// TestARowOfAWorkspaceIsTheDiagnosticRecord: the table in Type says of which family a row is, whatever columns a query has kept,
// and the event, its id and its account are those of the diagnostic settings' road. Only the envelope knows when it was written,
// and where a table has no column for the tenant, the workspace is not taken for one.
func TestARowOfAWorkspaceIsTheDiagnosticRecord(t *testing.T) {
	without := map[string][]string{ // columns that Azure Monitor's reference does not have
		"AADNonInteractiveUserSignInLogs": {"AADTenantId"}, "AADServicePrincipalSignInLogs": {"AADTenantId"}, "AADManagedIdentitySignInLogs": {"AADTenantId"}, "ADFSSignInLogs": {"AADTenantId"},
		"AADUserRiskEvents": {"AADTenantId"}, "AADRiskyUsers": {"AADTenantId"}, "AADServicePrincipalRiskEvents": {"AADTenantId"}, "AADRiskyServicePrincipals": {"AADTenantId"},
		"MicrosoftGraphActivityLogs": {"OperationName"},
	}
	tried := map[string]bool{}
	for _, file := range fixtures(t) {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var envelope map[string]any
		if err := json.Unmarshal(b, &envelope); err != nil {
			t.Fatal(err)
		}
		category, _ := envelope["category"].(string)
		properties, _ := envelope["properties"].(map[string]any)
		table := tableOfCategory(category)
		if table == "" || properties == nil {
			continue
		}
		tried[category] = true
		diagnostic := read(t, strings.TrimSpace(string(b)))
		apart := []string{"event.created"}
		if slices.Contains(without[table], "AADTenantId") {
			apart = append(apart, "organization.id")
		}
		row := ofWorkspace(envelope, properties, table, without[table]...)
		for _, c := range []any{nil, category, properties["category"]} {
			if row["Category"] = c; c == nil {
				delete(row, "Category")
			}
			text, err := json.Marshal(row)
			if err != nil {
				t.Fatal(err)
			}
			r := read(t, string(text))
			if d := cmp.Diff(lines(said(diagnostic), apart...), lines(said(r), "event.created")); d != "" {
				t.Errorf("%s as a row of %s: %s", file, table, d)
			}
			if r.Shape() != event.Graph {
				t.Errorf("%s as a row of %s is %s", file, table, r.Shape())
			}
		}
	}
	for category := range categories {
		if !tried[category] {
			t.Errorf("no record of %s was tried", category)
		}
	}
}

func tableOfCategory(category string) string {
	for table, c := range workspaceTables {
		if c == category {
			return table
		}
	}
	return ""
}

// TestARowOfOfficeActivityIsTheAuditRecord: OfficeActivity has columns and words of its own for what the audit record says.
func TestARowOfOfficeActivityIsTheAuditRecord(t *testing.T) {
	columns := map[string]string{"CreationTime": "TimeGenerated", "Id": "OfficeId", "Workload": "OfficeWorkload", "ObjectId": "OfficeObjectId", "ClientIPAddress": "Client_IPAddress", "LogonType": "Logon_Type"}
	words := map[string]string{"RecordType 1": "ExchangeAdmin", "RecordType 2": "ExchangeItem", "RecordType 6": "SharePointFileOperation", "RecordType 8": "AzureActiveDirectory", "RecordType 50": "ExchangeItemAggregated", "UserType 0": "Regular", "UserType 2": "Admin", "LogonType 0": "Owner", "LogonType 1": "Admin", "LogonType 2": "Delegated"}
	base := `"CreationTime":"2026-01-02T03:04:05","Id":"u-1","OrganizationId":"t-1","UserType":0,"UserKey":"k-1","UserId":"taro@contoso.example",`
	for _, rec := range []string{
		`"RecordType":1,"Workload":"Exchange","Operation":"New-InboxRule","ClientIP":"203.0.113.7:51234","ObjectId":"taro\\news","ResultStatus":"True","Parameters":[{"Name":"Name","Value":"news"},{"Name":"MoveToFolder","Value":"RSS Feeds"}]`,
		`"RecordType":1,"Workload":"Exchange","Operation":"Set-Mailbox","ObjectId":"Hanako@contoso.example","Parameters":[{"Name":"ForwardingSmtpAddress","Value":"smtp:drop@mail.example.net"}]`,
		`"RecordType":1,"Workload":"Exchange","Operation":"Add-RoleGroupMember","ObjectId":"Organization Management","Parameters":[{"Name":"Member","Value":"eve"}]`,
		`"RecordType":2,"Workload":"Exchange","Operation":"HardDelete","ClientIPAddress":"203.0.113.7","LogonType":2,"MailboxOwnerUPN":"hanako@contoso.example","Folder":{"Path":"\\Inbox"},"AffectedItems":[{"Subject":"a"},{"Subject":"b"}]`,
		`"RecordType":50,"Workload":"Exchange","Operation":"MailItemsAccessed","ClientIPAddress":"2001:db8::7","LogonType":0,"MailboxOwnerUPN":"taro@contoso.example","Folders":[{"Path":"\\Inbox","FolderItems":[{"InternetMessageId":"<a@mail.example.com>"}]}],"OperationProperties":[{"Name":"MailAccessType","Value":"Bind"}]`,
		`"RecordType":6,"Workload":"SharePoint","Operation":"FileDownloaded","ClientIP":"203.0.113.7","ObjectId":"https://contoso.sharepoint.example/sites/a/plan.docx","SourceFileName":"plan.docx","UserAgent":"Mozilla/5.0"`,
		`"RecordType":8,"Workload":"AzureActiveDirectory","Operation":"Add member to role.","UserType":2,"ObjectId":"eve@contoso.example","ModifiedProperties":[{"Name":"Role.DisplayName","NewValue":"Global Administrator","OldValue":""}]`,
	} {
		rec = "{" + base + rec + "}"
		alone := read(t, rec)
		d := json.NewDecoder(strings.NewReader(rec))
		d.UseNumber()
		var m map[string]any
		if err := d.Decode(&m); err != nil {
			t.Fatal(err)
		}
		row := map[string]any{"Type": "OfficeActivity", "TenantId": "99990000-aaaa-bbbb-cccc-ddddeeeeffff", "Start_Time": "2026-01-02T03:09:05Z", "SourceRecordId": m["Id"], "OfficeTenantId": "$RestApiTenantId$"}
		for name, v := range m {
			if n, ok := v.(json.Number); ok {
				v = first(words[name+" "+n.String()], n.String())
			}
			if text, ok := inText(v); ok {
				v = text
			}
			row[first(columns[name], name)] = v
		}
		text, err := json.Marshal(row)
		if err != nil {
			t.Fatal(err)
		}
		r := read(t, string(text))
		if d := cmp.Diff(lines(said(alone), "user.type"), lines(said(r), "user.type")); d != "" { // which is in the record's own words
			t.Errorf("%s: %s", rec, d)
		}
		if alone.Duplicate() != r.Duplicate() {
			t.Errorf("%s is another record", rec)
		}
	}
}

// TestPropertiesInTextHoldAnAuditRecord: a row of CloudAppEvents whose properties somebody has made text is the audit record in it.
func TestPropertiesInTextHoldAnAuditRecord(t *testing.T) {
	rec := admin(`"Operation":"New-InboxRule","ClientIP":"203.0.113.7:1","Parameters":[{"Name":"ForwardTo","Value":"a@b.example"}]`)
	want := read(t, around(rec))
	for _, raw := range []string{rec, quoted(rec), quoted(strings.Replace(rec, `[{"Name":"ForwardTo","Value":"a@b.example"}]`, quoted(`[{"Name":"ForwardTo","Value":"a@b.example"}]`), 1))} {
		before, properties, _ := strings.Cut(around(raw), `"properties":`)
		r := read(t, before+`"properties":`+quoted(strings.TrimSuffix(properties, "}"))+"}")
		if d := cmp.Diff(said(want), said(r)); d != "" {
			t.Errorf("%.80s: %s", raw, d)
		}
		if r.Duplicate() != want.Duplicate() {
			t.Errorf("%.80s is another record", raw)
		}
	}
}

// TestTextMayEscapeItsBracket: JSON may spell any character of a text by its number.
func TestTextMayEscapeItsBracket(t *testing.T) {
	for _, text := range []string{`\u007b\u0022city\u0022:\u0022Delft\u0022}`, `\u0020\u000A\u007B\"city\":\"Delft\"}`, `\u005b{\"city\":\"Gouda\"}]`} {
		r := reader()
		rec := `{"createdDateTime":"2026-01-02T03:04:05Z","userPrincipalName":"taro@contoso.example","appDisplayName":"Outlook","location":"` + text + `"}`
		if err := r.ReadAlone([]byte(rec), time.Time{}); err != nil {
			t.Fatal(err)
		}
		if got, list := r.field("source.geo.city_name"), strings.Contains(text, "Gouda"); (got == "Delft") == list {
			t.Errorf("%s is in %q", text, got)
		}
	}
}
