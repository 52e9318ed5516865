package decode

import (
	"fmt"
	"strings"
	"testing"
)

// directoryAudit is a directory audit, as Microsoft Graph returns it, by an initiator.
func directoryAudit(activity, initiatedBy, more string) string {
	return fmt.Sprintf(`{"id":"1","activityDateTime":"2026-01-02T03:04:05Z","activityDisplayName":%q,"result":"success","loggedByService":"Core Directory","initiatedBy":%s,"targetResources":[{"id":"u-22","type":"User","userPrincipalName":"Ren@contoso.example","modifiedProperties":[%s]}]}`, activity, initiatedBy, more)
}

// TestSynchronisationAccountsAreServices: by name and domain, on both roads, in upper and lower case.
func TestSynchronisationAccountsAreServices(t *testing.T) {
	rows := map[string]string{
		"Sync_DC21_0a1b2c3d4e5f@contoso.onmicrosoft.com": "service", "SYNC_DC21@CONTOSO.ONMICROSOFT.COM": "service", "sync_@contoso.onmicrosoft.com": "service", "Sync_a-b.c_0@contoso.partner.onmschina.cn": "service",
		"ADToAADSyncServiceAccount@contoso.onmicrosoft.com": "service", "adtoaadsyncserviceaccount@contoso.onmicrosoft.us": "service",
		"Sync_DC21_0a1b2c3d4e5f@contoso.example": "user", "sync_x@evilonmicrosoft.com": "user", "sync_x@contoso.onmicrosoft.com.example": "user", "ADToAADSyncServiceAccount@contoso.example": "user",
		"sync_a_evil.example#EXT#@contoso.onmicrosoft.com": "guest", "syncing@contoso.onmicrosoft.com": "user", "Sync_DC21_0a1b2c3d4e5f": "user", "async_x@contoso.onmicrosoft.com": "user", "x.adtoaadsyncserviceaccount@contoso.onmicrosoft.com": "user",
	}
	for name, want := range rows {
		for road, rec := range map[string]string{
			"audit log": strings.Replace(admin(`"Operation":"Update user.","ObjectId":"ren@contoso.example"`), "Taro@contoso.example", name, 1),
			"directory": directoryAudit("Update user", fmt.Sprintf(`{"user":{"id":"u-21","userPrincipalName":%q}}`, name), ""),
		} {
			if got := read(t, rec).field("user.kind"); got != want {
				t.Errorf("%s, %s: %s, want %s", name, road, got, want)
			}
		}
	}
}

// TestASynchronisationAccountThatActsAsAPersonIsOne: the account is the actor's, and no rule leaves it out.
func TestASynchronisationAccountThatActsAsAPersonIsOne(t *testing.T) {
	const name = "sync_boss@contoso.onmicrosoft.com"
	for what, rec := range map[string]string{
		"gives a role":            directoryAudit("Add member to role", `{"user":{"id":"u-21","userPrincipalName":"`+name+`"}}`, ""),
		"gives a role, audit log": strings.Replace(admin(`"Operation":"Add member to role.","ObjectId":"ren@contoso.example"`), "Taro@contoso.example", name, 1),
		"resets a password":       directoryAudit("Reset user password", `{"user":{"id":"u-21","userPrincipalName":"`+name+`"}}`, ""),
		"consents":                directoryAudit("Consent to application", `{"user":{"id":"u-21","userPrincipalName":"`+name+`"}}`, ""),
		"forwards":                strings.Replace(admin(`"Operation":"Set-Mailbox","Parameters":[{"Name":"Identity","Value":"ren@contoso.example"},{"Name":"ForwardingSmtpAddress","Value":"box@example.net"}]`), "Taro@contoso.example", name, 1),
		"of another tenant":       strings.Replace(admin(`"Operation":"Update user.","OrganizationName":"fabrikam.onmicrosoft.com","ObjectId":"ren@contoso.example"`), "Taro@contoso.example", name, 1),
	} {
		r := read(t, rec)
		if kind, account := r.field("user.kind"), r.field("account"); kind != "user" || account != name {
			t.Errorf("%s: kind %q, account %q", what, kind, account)
		}
	}
	own := strings.Replace(admin(`"Operation":"Update user.","OrganizationName":"Contoso.onmicrosoft.com","ObjectId":"ren@contoso.example"`), "Taro@contoso.example", name, 1)
	if kind := read(t, own).field("user.kind"); kind != "service" {
		t.Errorf("of the tenant's own: %q", kind)
	}
}

// TestServicePrincipalsOfTheAuditLogAreApplications: unless an id is Microsoft's own; the names among the ids prove nothing.
func TestServicePrincipalsOfTheAuditLogAreApplications(t *testing.T) {
	const pim, strange = "01fc33a7-78ba-4d2f-a4b7-768e336e890e", "99990000-1111-2222-3333-444455556666"
	for actor, want := range map[string]string{
		`[{"ID":"MS-PIM","Type":1},{"ID":"` + pim + `","Type":2},{"ID":"ServicePrincipal","Type":2}]`: "service",
		`[{"ID":"` + pim + `","Type":1},{"ID":"` + strange + `","Type":2}]`:                           "app",
		`[]`: "app", `null`: "app",
	} {
		rec := strings.NewReplacer("Taro@contoso.example", "ServicePrincipal_"+strange, `"UserType":0`, `"UserType":4`).Replace(admin(`"Operation":"Add member to role.","ObjectId":"ren@contoso.example","Actor":` + actor))
		if got := read(t, rec).field("user.kind"); got != want {
			t.Errorf("%s: %q, want %q", actor, got, want)
		}
	}
}

// TestAnApplicationIsNeverToldAsAPerson: whatever its name, neither its account nor a person's name and id are another's.
func TestAnApplicationIsNeverToldAsAPerson(t *testing.T) {
	for by, want := range map[string][4]string{ // kind, account, name, id
		`{"app":{"displayName":"ceo@contoso.example","appId":"APP-1","servicePrincipalId":"sp-1"}}`:              {"app", "app-1", "ceo@contoso.example", "sp-1"},
		`{"app":{"displayName":"CEO@contoso.example","servicePrincipalId":"sp-1"}}`:                              {"app", "sp-1", "ceo@contoso.example", "sp-1"},
		`{"app":{"displayName":"Backup Tool","appId":"app-1"}}`:                                                  {"app", "backup tool", "backup tool", "app-1"},
		`{"user":{"id":"u-21"},"app":{"displayName":"X"}}`:                                                       {"user", "u-21", "", "u-21"},
		`{"user":{"id":"u-21"},"app":{"displayName":"ceo@contoso.example","servicePrincipalId":"sp-1"}}`:         {"user", "u-21", "", "u-21"},
		`{"user":{"userPrincipalName":"aoi@contoso.example"},"app":{"appId":"app-1","servicePrincipalId":"sp"}}`: {"user", "aoi@contoso.example", "aoi@contoso.example", ""},
	} {
		r := read(t, directoryAudit("Add member to role", by, ""))
		if got := [4]string{r.field("user.kind"), r.field("account"), r.field("user.name"), r.field("user.id")}; got != want {
			t.Errorf("%s: %q, want %q", by, got, want)
		}
	}
}

// TestOfTwoTargetsTheChangedOne: what did not change is no target.
func TestOfTwoTargetsTheChangedOne(t *testing.T) {
	const change = `[{"displayName":"Role.DisplayName","newValue":"\" Global Administrator \""}]`
	for targets, want := range map[string]string{
		`{"type":"User","id":"1","userPrincipalName":"ren@contoso.example","modifiedProperties":[]},{"type":"User","id":"2","userPrincipalName":"mio@contoso.example","modifiedProperties":` + change + `}`: "mio@contoso.example",
		`{"type":"User","id":"1","userPrincipalName":"ren@contoso.example","modifiedProperties":` + change + `},{"type":"User","id":"2","userPrincipalName":"mio@contoso.example","modifiedProperties":[]}`: "ren@contoso.example",
		`{"type":"User","id":"1","userPrincipalName":"ren@contoso.example"},{"type":"User","id":"2","userPrincipalName":"mio@contoso.example"}`:                                                             "ren@contoso.example",
		`{"type":"User","id":"1","userPrincipalName":"ren@contoso.example","modifiedProperties":[]},{"type":"Role","id":"2","modifiedProperties":` + change + `}`:                                           "ren@contoso.example",
	} {
		r := read(t, `{"id":"1","activityDateTime":"2026-01-02T03:04:05Z","activityDisplayName":"Add member to role","initiatedBy":{"user":{"userPrincipalName":"aoi@contoso.example"}},"targetResources":[`+targets+`]}`)
		if target, member := r.field("user.target.name"), r.field("role.member"); target != want || member != want {
			t.Errorf("%s: target %q, member %q", targets, target, member)
		}
		if strings.Contains(targets, "Global") && (r.field("role.privileged") != "true" || r.field("role.name") != "Global Administrator") {
			t.Errorf("%s: role %q", targets, r.field("role.name"))
		}
	}
}

// TestWordsOfFailure: whatever the case and the blanks around them.
func TestWordsOfFailure(t *testing.T) {
	for _, word := range []string{"False", " False", "Fail", "fail", "Failed", "Failure", "Error", "Denied", "0", "Timeout "} {
		if got := read(t, admin(`"Operation":"Set-Mailbox","ResultStatus":"`+word+`"`)).field("event.outcome"); got != "failure" {
			t.Errorf("%q is %q", word, got)
		}
	}
}

// TestWhoSignsInWithASynchronisationAccountIsAUser: its sign-ins are signs as any others, from addresses as any others.
func TestWhoSignsInWithASynchronisationAccountIsAUser(t *testing.T) {
	const name = "sync_dc21_0a1b2c3d4e5f@contoso.onmicrosoft.com"
	for _, rec := range []string{
		entraEnvelope("SignInLogs", `"userPrincipalName":"`+name+`","ipAddress":"203.0.113.7","status":{"errorCode":0}`),
		`{"CreationTime":"2026-01-02T03:04:05","Id":"1","Operation":"UserLoggedIn","RecordType":15,"UserId":"` + name + `","UserType":0,"ClientIP":"203.0.113.7","ErrorNumber":"0"}`,
	} {
		r := read(t, rec)
		if kind, account, from := r.field("user.kind"), r.field("account"), r.field("source.kind"); kind != "user" || account != name || from != "client" {
			t.Errorf("%s: %s, %s, %s", rec, kind, account, from)
		}
	}
	r := read(t, directoryAudit("Update user", `{"user":{"userPrincipalName":"`+name+`","ipAddress":"203.0.113.7"}}`, ""))
	if got := r.field("source.kind"); got != "client" {
		t.Errorf("what it writes comes from %s: the servers are the customer's", got)
	}
}

// TestApplicationsAreKnownByTheirIds: anyone can give an application a name.
func TestApplicationsAreKnownByTheirIds(t *testing.T) {
	const strange = "99990000-1111-2222-3333-444455556666"
	names := func(id string) string {
		return fmt.Sprintf(`{"displayName":"ActorId.ServicePrincipalNames","oldValue":null,"newValue":"\"%s\""}`, id)
	}
	strong := `{"displayName":"StrongAuthenticationPhoneAppDetail","newValue":"[]"},{"displayName":"Included Updated Properties","newValue":"\"StrongAuthenticationPhoneAppDetail\""}`
	renamed := `{"displayName":"DisplayName","newValue":"[\"x\"]"}`
	for _, row := range []struct{ name, id, activity, more, want string }{
		{"MS-PIM", "01fc33a7-78ba-4d2f-a4b7-768e336e890e", "Update user", "", "service"},
		{"whatever", "01FC33A7-78ba-4d2f-a4b7-768e336e890e", "Update user", "", "service"},
		{"MS-PIM", strange, "Add member to role", "", "app"},
		{"MS-PIM", "", "Add member to role", "", "service"},
		{"MS-PIM", "", "Add member to role", names(strange), "app"},
		{"MS-PIM", "", "Update user", renamed, "app"},
		{"MS-PIM", "", "Consent to application", "", "app"},
		{"Azure MFA StrongAuthenticationService", "", "Update user", strong, "service"},
		{"Azure MFA StrongAuthenticationService", "", "Update user", strong + "," + renamed, "app"},
		{"Azure MFA StrongAuthenticationService", "", "Update user", renamed, "app"},
		{"Azure MFA StrongAuthenticationService", "", "Update user", renamed + "," + names("b5a60e17-278b-4c92-a4e2-b9262e66bb28"), "service"},
		{"Microsoft.Azure.SyncFabric", "00000014-0000-0000-c000-000000000000", "Update user", renamed, "service"},
		{"Microsoft.Azure.SyncFabric", "", "Update user", renamed, "app"},
		{"Microsoft.Azure.SyncFabric", "", "Update user", renamed + "," + names("00000014-0000-0000-c000-000000000000;https://syncfabric.windowsazure.com"), "service"},
		{"Microsoft.Azure.SyncFabric", "", "Update user", renamed + "," + names("00000014-0000-0000-c000-000000000000;"+strange), "app"},
		{"Sync_DC21_0a1b2c3d4e5f@contoso.onmicrosoft.com", "", "Update user", renamed, "app"},
		{"ADToAADSyncServiceAccount@contoso.onmicrosoft.com", strange, "Update user", renamed, "app"},
		{`NT AUTHORITY\SYSTEM`, "", "Update user", renamed, "app"},
		{"SecurityComplianceAlerts", "", "Update user", renamed, "app"},
		{"x@eurprd04.prod.outlook.com", "", "Add member to role", "", "app"},
	} {
		rec := directoryAudit(row.activity, fmt.Sprintf(`{"user":null,"app":{"displayName":%q,"appId":%q,"servicePrincipalId":"sp-1"}}`, row.name, row.id), row.more)
		if got := read(t, rec).field("user.kind"); got != row.want {
			t.Errorf("%+v is %q", row, got)
		}
	}
}

// TestWhoActedIsNotMadeUp: where a record names nobody, there is no actor, and the account falls back to the target.
func TestWhoActedIsNotMadeUp(t *testing.T) {
	initiators := []string{`null`, `{}`, `{"user":null,"app":null}`, `{"user":{"id":null,"userPrincipalName":null},"app":null}`, `{"user":{},"app":{}}`, `{"user":{"id":"","userPrincipalName":""}}`, `"@{user=; app=}"`, `""`}
	const targets = `"targetResources":[{"id":"u-22","type":"User","userPrincipalName":"Ren@contoso.example"}]`
	for _, activity := range []string{"Add member to role", "Update user", "Consent to application"} {
		for _, by := range initiators {
			properties := fmt.Sprintf(`{"id":"1","activityDateTime":"2026-01-02T03:04:05Z","activityDisplayName":%q,"initiatedBy":%s,%s}`, activity, by, targets)
			for road, rec := range map[string]string{
				"graph":               properties,
				"missing":             fmt.Sprintf(`{"id":"1","activityDateTime":"2026-01-02T03:04:05Z","activityDisplayName":%q,%s}`, activity, targets),
				"envelope":            `{"time":"2026-01-02T03:04:05Z","category":"AuditLogs","properties":` + properties + `}`,
				"envelope, a display": `{"time":"2026-01-02T03:04:05Z","category":"AuditLogs","identity":"Ren Abe","properties":` + properties + `}`,
				"PowerShell":          strings.NewReplacer(`"id"`, `"Id"`, "activity", "Activity", "initiatedBy", "InitiatedBy", `"user"`, `"User"`, `"app"`, `"App"`, "targetResources", "TargetResources", "userPrincipalName", "UserPrincipalName").Replace(properties),
				"Log Analytics":       fmt.Sprintf(`{"Type":"AuditLogs","TimeGenerated":"2026-01-02T03:04:05Z","ActivityDateTime":"2026-01-02T03:04:05Z","ActivityDisplayName":%q,"OperationName":%q,"Id":"1","Identity":"Ren Abe","InitiatedBy":%q,"TargetResources":[{"id":"u-22","type":"User","userPrincipalName":"ren@contoso.example"}]}`, activity, activity, by),
			} {
				r := read(t, rec)
				if name, kind, account := r.field("user.name"), r.field("user.kind"), r.field("account"); name != "" || kind != "" || account != "ren@contoso.example" {
					t.Errorf("%s, %s: actor %q, kind %q, account %q", road, rec, name, kind, account)
				}
			}
		}
	}
	r := read(t, `{"time":"2026-01-02T03:04:05Z","category":"AuditLogs","identity":"Aoi@contoso.example","properties":{"id":"1","activityDateTime":"2026-01-02T03:04:05Z","activityDisplayName":"Add member to role","initiatedBy":null,`+targets+`}}`)
	if name, account := r.field("user.name"), r.field("account"); name != "aoi@contoso.example" || account != name {
		t.Errorf("the envelope names %q, account %q", name, account)
	}
}
