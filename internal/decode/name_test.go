package decode

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSignInsWithoutAUserPrincipalName: in each category of people's sign-ins, by the diagnostic settings, as a row of Log Analytics
// and in PowerShell's spelling. A display name is never the account.
func TestSignInsWithoutAUserPrincipalName(t *testing.T) {
	type who struct{ account, name, full string }
	rows := []struct {
		what, identity, properties string
		want                       who
	}{
		{"the other name, an address", "Aoi Abe", `"alternateSignInName":"Aoi@contoso.example","userId":"u-21"`, who{"aoi@contoso.example", "aoi@contoso.example", "Aoi Abe"}},
		{"the identifier, an address", "Aoi Abe", `"alternateSignInName":"aoi","signInIdentifier":"Aoi@contoso.example","userId":"u-21"`, who{"aoi@contoso.example", "aoi@contoso.example", "Aoi Abe"}},
		{"neither is an address", "Aoi Abe", `"alternateSignInName":"CONTOSO\\aoi","signInIdentifier":"+41 00 000 00 00","userId":"u-21"`, who{"u-21", "", "Aoi Abe"}},
		{"the identity is an address", "Aoi@contoso.example", `"userId":"u-21"`, who{"aoi@contoso.example", "aoi@contoso.example", ""}},
		{"the id alone", "Aoi Abe", `"userId":"u-21"`, who{"u-21", "", "Aoi Abe"}},
		{"a display name alone", "Aoi Abe", `"appDisplayName":"Outlook"`, who{"", "", "Aoi Abe"}},
		{"placeholders", "Unknown", `"alternateSignInName":"-","signInIdentifier":"<null>","userId":"00000000-0000-0000-0000-000000000000","appDisplayName":"Outlook"`, who{}},
		{"the principal name goes first", "Aoi Abe", `"userPrincipalName":"Aoi@contoso.example","alternateSignInName":"x@contoso.example"`, who{"aoi@contoso.example", "aoi@contoso.example", "Aoi Abe"}},
		{"a placeholder hides no other name", "Aoi Abe", `"userPrincipalName":"Not Available","alternateSignInName":"Aoi@contoso.example"`, who{"aoi@contoso.example", "aoi@contoso.example", "Aoi Abe"}},
		{"its own display name", "Someone", `"userDisplayName":"Aoi Abe","userId":"u-21"`, who{"u-21", "", "Aoi Abe"}},
	}
	for _, category := range []string{signIns, nonInteractive, federated} {
		for _, row := range rows {
			properties := `"userPrincipalName":"",` + row.properties
			for road, rec := range map[string]string{
				"diagnostic settings": `{"time":"2026-01-02T03:04:05Z","category":"` + category + `","identity":"` + row.identity + `","properties":{"id":"1","status":{"errorCode":0},` + properties + `}}`,
				"Log Analytics":       `{"Type":"` + tableOfCategory(category) + `","TimeGenerated":"2026-01-02T03:04:05Z","Id":"1","ResultType":"0","Identity":"` + row.identity + `",` + capitals(properties) + `}`,
				"PowerShell":          `{"CreatedDateTime":"2026-01-02T03:04:05Z","Id":"1","IsInteractive":true,"Status":{"ErrorCode":0},"Identity":"` + row.identity + `",` + capitals(properties) + `}`,
			} {
				r := read(t, rec)
				got := who{r.field("account"), r.field("user.name"), r.field("user.full_name")}
				if d := cmp.Diff(row.want, got, cmp.AllowUnexported(who{})); d != "" {
					t.Errorf("%s, %s, %s: %s", category, road, row.what, d)
				}
				if got := r.field("user.kind"); got == "app" || got == "service" {
					t.Errorf("%s, %s, %s: it is a %s", category, road, row.what, got)
				}
			}
		}
	}
}

// capitals gives the names of members a capital letter.
func capitals(members string) string {
	var b strings.Builder
	for i, part := range strings.Split(members, `,"`) {
		if i > 0 {
			b.WriteString(`,"`)
		} else {
			part = strings.TrimPrefix(part, `"`)
			b.WriteString(`"`)
		}
		b.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return b.String()
}

// TestNoPersonIsNamedByWhatAnApplicationIsCalled: where both stand in a record, or a person has an id alone.
func TestNoPersonIsNamedByWhatAnApplicationIsCalled(t *testing.T) {
	for rec, want := range map[string][3]string{
		`"initiatedBy":{"user":{"id":"u-21","userPrincipalName":null,"displayName":"Aoi Abe"},"app":{"displayName":"Portal","appId":"a-1"}}`: {"user", "", "u-21"},
		`"initiatedBy":{"user":{"id":"u-21","userPrincipalName":"-"},"app":null}`:                                                            {"user", "", "u-21"},
		`"initiatedBy":{"user":{"id":"00000000-0000-0000-0000-000000000000","userPrincipalName":""},"app":{"displayName":"Deploy tool"}}`:    {"app", "deploy tool", "deploy tool"},
		`"initiatedBy":{"app":{"displayName":"Deploy tool","servicePrincipalId":"sp-1"}}`:                                                    {"app", "deploy tool", "deploy tool"},
	} {
		r := read(t, `{"id":"1","activityDateTime":"2026-01-02T03:04:05Z","activityDisplayName":"Update policy",`+rec+`}`)
		if got := [3]string{r.field("user.kind"), r.field("user.name"), r.field("account")}; got != want {
			t.Errorf("%s: %q, want %q", rec, got, want)
		}
	}
	for _, rec := range []string{
		`{"time":"2026-01-02T03:04:05Z","properties":{"AccountDisplayName":"Aoi Abe"}}`,
		`{"time":"2026-01-02T03:04:05Z","category":"AdvancedHunting-CloudAppEvents","properties":{"Timestamp":"2026-01-02T03:04:05Z","ActionType":"x","AccountDisplayName":"Aoi Abe","AccountId":"Aoi Abe @ home","Application":"Microsoft Exchange Online"}}`,
		`{"time":"2026-01-02T03:04:05Z","category":"AdvancedHunting-IdentityDirectoryEvents","properties":{"Timestamp":"2026-01-02T03:04:05Z","ActionType":"x","TargetAccountDisplayName":"Aoi Abe","AccountDisplayName":"Ren"}}`,
		`{"time":"2026-01-02T03:04:05Z","category":"ProvisioningLogs","properties":{"id":"1","activityDateTime":"2026-01-02T03:04:05Z","sourceIdentity":{"displayName":"Aoi Abe"}}}`,
	} {
		r := read(t, rec)
		if got := r.field("account") + r.field("user.name") + r.field("user.target.name"); strings.Contains(strings.ReplaceAll(got, "aoi abe @ home", ""), "aoi abe") {
			t.Errorf("%s is about %q", rec, got)
		}
	}
}

// TestAgentsHaveAnAccount: their own user account, else the application that the agent is; who lets an agent act stays who acts.
func TestAgentsHaveAnAccount(t *testing.T) {
	signIn := func(category, rest string) string {
		return `{"time":"2026-01-02T03:04:05Z","category":"` + category + `","properties":{"id":"1","status":{"errorCode":0},` + rest + `}}`
	}
	const itself, own, none = `"agent":{"agentType":"agenticAppInstance","parentAppId":"p-1"}`, `"agent":{"agentType":"agenticAppInstance","agentSubjectType":"agentIDuser","agentSubjectParentId":"p-2"}`, `"agent":{"agentType":"notAgentic","parentAppId":""}`
	for rec, want := range map[string][2]string{
		signIn(nonInteractive, `"userPrincipalName":"Agent@contoso.example","userId":"u-9","appDisplayName":"Helper",`+own):                                                                                                                {"user", "agent@contoso.example"},
		signIn(nonInteractive, `"userPrincipalName":null,"userId":"u-9","appDisplayName":"Helper",`+own):                                                                                                                                   {"user", "u-9"},
		signIn(nonInteractive, `"userPrincipalName":"","userId":"00000000-0000-0000-0000-000000000000","appDisplayName":"Helper",`+own):                                                                                                    {"app", "helper"},
		signIn(nonInteractive, `"userPrincipalName":"Aoi@contoso.example","userId":"u-1","appDisplayName":"Helper",`+itself):                                                                                                               {"user", "aoi@contoso.example"},
		signIn(servicePrincipals, `"userPrincipalName":"","servicePrincipalName":"Helper","servicePrincipalId":"sp-1","appId":"a-1",`+itself):                                                                                              {"app", "helper"},
		signIn(servicePrincipals, `"servicePrincipalName":"","servicePrincipalId":"sp-1","appId":"a-1",`+itself):                                                                                                                           {"app", "a-1"},
		signIn(nonInteractive, `"userPrincipalName":"","userId":"","appId":"a-1",`+itself):                                                                                                                                                 {"app", "a-1"},
		`{"id":"1","createdDateTime":"2026-01-02T03:04:05Z","isInteractive":false,"appId":"a-1","status":{"errorCode":0},` + itself + `}`:                                                                                                  {"app", "a-1"},
		`{"Id":"1","CreatedDateTime":"2026-01-02T03:04:05Z","IsInteractive":false,"AppId":"a-1","Status":{"ErrorCode":0},"Agent":{"AgentType":"agenticApp"}}`:                                                                              {"app", "a-1"},
		`{"id":"1","activityDateTime":"2026-01-02T03:04:05Z","activityDisplayName":"Add user","initiatedBy":{"user":{"id":"u-9","userPrincipalName":null,"agentType":"agentIDuser"}}}`:                                                     {"user", "u-9"},
		`{"id":"1","activityDateTime":"2026-01-02T03:04:05Z","activityDisplayName":"Add user","initiatedBy":{"app":{"displayName":null,"appId":null,"servicePrincipalId":"sp-1","agentType":"agenticAppInstance"}}}`:                       {"app", "sp-1"},
		`{"id":"1","activityDateTime":"2026-01-02T03:04:05Z","activityDisplayName":"Add user","initiatedBy":{"user":{"id":"u-9","userPrincipalName":"Agent@contoso.example","agentType":"agentIDuser"},"app":{"agentType":"agenticApp"}}}`: {"user", "agent@contoso.example"},
		signIn(signIns, `"userPrincipalName":"","userId":"","appId":"a-1",`+none):                                                                                                                                                          {"user", ""},
	} {
		r := read(t, rec)
		kind := r.field("user.kind")
		if want[1] == "" {
			kind = want[0] // of nobody there is none to tell
		}
		if got := [2]string{kind, r.field("account")}; got != want {
			t.Errorf("%s: %q, want %q", rec, got, want)
		}
	}
}
