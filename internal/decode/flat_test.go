package decode

import (
	"strings"
	"testing"
	"time"
)

// flattened are what PowerShell writes in the place of objects and lists that lie too deep.
var flattened = []string{
	`"@{Name=MoveToFolder; Value=RSS Feeds}"`, `["@{Name=Name; Value=..}","@{Name=MoveToFolder; Value=RSS Feeds}"]`, `[null,"@{Name=x; Value=y}"]`,
	`"System.Object[]"`, `["System.Collections.Hashtable"]`, `"Microsoft.Graph.PowerShell.Models.MicrosoftGraphTargetResource[]"`,
	`["Microsoft.Graph.PowerShell.Models.MicrosoftGraphModifiedProperty1", "Microsoft.Graph.PowerShell.Models.MicrosoftGraphModifiedProperty1"]`,
	"\"System.Collections.Generic.Dictionary`2[System.String,System.Object]\"", `"Deserialized.System.Object[]"`,
}

// TestWhatPowerShellLeavesOfAnObjectIsTold: the record is read, and the member that is lost is named.
func TestWhatPowerShellLeavesOfAnObjectIsTold(t *testing.T) {
	const audit = `{"id":"a","activityDateTime":"2026-01-02T03:04:05Z","activityDisplayName":"Add member to role","category":"RoleManagement","result":"success",`
	r := reader()
	for _, one := range []struct{ around, member string }{
		{admin(`"Operation":"New-InboxRule","Parameters":%s`), "Parameters"},
		{admin(`"Operation":"Update user.","ModifiedProperties": %s`), "ModifiedProperties"},
		{admin(`"Operation":"UpdateInboxRules","OperationProperties":%s`), "OperationProperties"},
		{`{"RecordType":"ExchangeAdmin","Operations":"New-InboxRule","AuditData":` + admin(`"Operation":"New-InboxRule","Parameters":%s`) + `}`, "Parameters"},
		{audit + `"TargetResources":%s}`, "TargetResources"},
		{audit + `"InitiatedBy":%s}`, "InitiatedBy"},
		{audit + `"TargetResources":[{"Type":"User","Id":"u","ModifiedProperties":%s}]}`, "ModifiedProperties"},
		{`{"id":"s","createdDateTime":"2026-01-02T03:04:05Z","userPrincipalName":"aoi@contoso.example","appDisplayName":"O","Status":%s}`, "Status"},
		{entraEnvelope("AuditLogs", `"targetResources":%s`), "targetResources"},
	} {
		for _, value := range flattened {
			text := strings.Replace(one.around, "%s", value, 1)
			if err := r.ReadAlone([]byte(text), time.Time{}); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			if got := r.Partial(); !strings.HasPrefix(got, one.member+" holds ") || !strings.Contains(got, "ConvertTo-Json -Depth 20") {
				t.Errorf("%s tells %q", text, got)
			}
		}
		for _, value := range []string{`[]`, `null`, `{}`, `[{"Name":"x","Value":"@{a=b}"}]`, `[{"Name":"x","Value":"System.Object[]"}]`} {
			text := strings.Replace(one.around, "%s", value, 1)
			if err := r.ReadAlone([]byte(text), time.Time{}); err != nil || r.Partial() != "" {
				t.Errorf("%s tells %q, %v", text, r.Partial(), err)
			}
		}
	}
	if r := read(t, `{"id":"s","createdDateTime":"2026-01-02T03:04:05Z","userPrincipalName":"aoi@contoso.example","appDisplayName":"O","Status":"@{ErrorCode=50126; FailureReason=x}"}`); r.Partial() != "" {
		t.Errorf("a status whose code can be read tells %q", r.Partial())
	}
}

// TestAListOfOneMayComeWithoutItsBrackets: and the elements of a list as JSON in text.
func TestAListOfOneMayComeWithoutItsBrackets(t *testing.T) {
	const user = `{"Id":"u-1","Type":"User","UserPrincipalName":"hanako@contoso.example","ModifiedProperties":[{"DisplayName":"Role.DisplayName","OldValue":null,"NewValue":"\"Global Administrator\""}]}`
	const audit = `{"id":"a","activityDateTime":"2026-01-02T03:04:05Z","activityDisplayName":"Add member to role","category":"RoleManagement","result":"success","TargetResources":`
	want := said(read(t, audit+"["+user+"]}"))
	if !strings.Contains(strings.ToLower(want), "hanako") || !strings.Contains(want, "Global Administrator") {
		t.Fatal(want)
	}
	for _, form := range []string{user, quoted(user), quoted("[" + user + "]"), "[" + quoted(user) + "]"} {
		if got := said(read(t, audit+form+"}")); got != want {
			t.Errorf("%s is %s, want %s", form, got, want)
		}
	}
	const name, value = `{"Name":"Name","Value":".."}`, `{"Name":"MoveToFolder","Value":"RSS Feeds"}`
	want = said(read(t, admin(`"Operation":"New-InboxRule","Parameters":[`+name+","+value+"]")))
	for _, form := range []string{"[" + quoted(name) + "," + quoted(value) + "]", "[" + name + "," + quoted(value) + "]"} {
		if got := said(read(t, admin(`"Operation":"New-InboxRule","Parameters":`+form))); got != want {
			t.Errorf("%s is %s, want %s", form, got, want)
		}
	}
}
