package decode

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
)

// policyText is a policy of Conditional Access as audit records hold it.
func policyText(state, conditions, grant string) string {
	return fmt.Sprintf(`{"id":"7d0c1c2e-1111-4c5e-8e6d-0a1b2c3d4e5f","displayName":"MFA","state":%q,"conditions":{%s},"grantControls":%s}`, state, conditions, grant)
}

// TestAPolicyIsWeakenedByWhatItNoLongerStops: by each road, and never by a change that makes it stricter or that of a policy which was
// not in force.
func TestAPolicyIsWeakenedByWhatItNoLongerStops(t *testing.T) {
	const (
		everybody = `"users":{"includeUsers":["All"],"excludeUsers":["a"],"excludeGuestsOrExternalUsers":null},"applications":{"includeApplications":["All"],"excludeApplications":[]}`
		mfa       = `{"operator":"OR","builtInControls":["mfa"]}`
		update    = "Update conditional access policy"
	)
	in := func(users string) string {
		return `"users":{` + users + `},"applications":{"includeApplications":["All"],"excludeApplications":[]}`
	}
	before := policyText("enabled", everybody, mfa)
	for name, row := range map[string]struct {
		action, before, after string
		want                  []string
	}{
		"switched off":             {update, before, policyText("disabled", everybody, mfa), []string{"disabled"}},
		"only reports":             {update, before, policyText("enabledForReportingButNotEnforced", everybody, mfa), []string{"report_only"}},
		"leaves out one more":      {update, before, policyText("enabled", in(`"includeUsers":["All"],"excludeUsers":["a","b"]`), mfa), []string{"exclusion_added"}},
		"leaves out one instead":   {update, before, policyText("enabled", in(`"includeUsers":["All"],"excludeUsers":["b"]`), mfa), []string{"exclusion_added"}},
		"for one instead of all":   {update, before, policyText("enabled", in(`"includeUsers":["b"],"excludeUsers":["a"]`), mfa), []string{"scope_narrowed"}},
		"asks for nothing":         {update, before, policyText("enabled", everybody, `null`), []string{"grant_dropped"}},
		"asks for a device":        {update, before, policyText("enabled", everybody, `{"operator":"OR","builtInControls":["compliantDevice"]}`), []string{"grant_dropped"}},
		"one of two":               {update, policyText("enabled", everybody, `{"operator":"AND","builtInControls":["mfa","compliantDevice"]}`), policyText("enabled", everybody, `{"operator":"OR","builtInControls":["mfa","compliantDevice"]}`), []string{"grant_dropped"}},
		"no strength":              {update, policyText("enabled", everybody, `{"operator":"OR","builtInControls":[],"authenticationStrength":{"id":"s"}}`), policyText("enabled", everybody, `{"operator":"OR","builtInControls":["compliantDevice"],"authenticationStrength":null}`), []string{"grant_dropped"}},
		"a strength instead":       {update, before, policyText("enabled", everybody, `{"operator":"OR","builtInControls":[],"authenticationStrength":{"id":"s"}}`), nil},
		"the second factor again":  {update, policyText("enabled", everybody, `{"operator":"OR","builtInControls":[],"authenticationStrength":{"id":"s"}}`), before, nil},
		"blocks instead":           {update, before, policyText("enabled", everybody, `{"operator":"OR","builtInControls":["block"]}`), nil},
		"several at once":          {update, before, policyText("disabled", in(`"includeUsers":["b"],"excludeUsers":["a","b"]`), `null`), []string{"disabled", "exclusion_added", "scope_narrowed", "grant_dropped"}},
		"leaves out fewer":         {update, before, policyText("enabled", in(`"includeUsers":["All"],"excludeUsers":[]`), mfa), nil},
		"for all instead of one":   {update, policyText("enabled", in(`"includeUsers":["b"],"excludeUsers":["a"]`), mfa), before, nil},
		"switched on":              {update, policyText("disabled", everybody, mfa), before, nil},
		"never in force":           {update, policyText("disabled", everybody, mfa), policyText("disabled", everybody, `null`), nil},
		"another name":             {update, before, policyText("enabled", everybody, mfa), nil},
		"deleted":                  {"Delete conditional access policy", before, "", []string{"deleted"}},
		"deleted, spelt otherwise": {"Delete Conditional Access policy", before, "", []string{"deleted"}},
		"deleted unseen":           {"Delete conditional access policy", "", "", []string{"deleted"}},
		"deleted while off":        {"Delete conditional access policy", policyText("disabled", everybody, mfa), "", nil},
		"no policy":                {update, "mfa", before, nil},
		"another operation":        {"Update policy", before, policyText("disabled", everybody, mfa), nil},
	} {
		properties := fmt.Sprintf(`"activityDisplayName":%q,"activityDateTime":"2026-01-02T03:04:05Z","result":"success","targetResources":[{"type":"Policy","modifiedProperties":[{"displayName":"ConditionalAccessPolicy","oldValue":%q,"newValue":%q}]}]`, row.action, row.before, row.after)
		for road, rec := range map[string]string{
			"diagnostic": `{"time":"2026-01-02T03:04:05Z","category":"AuditLogs","operationName":"x","properties":{"id":"1",` + properties + `}}`,
			"graph":      `{"id":"1","category":"Policy","loggedByService":"Conditional Access",` + properties + `}`,
			"audit log": fmt.Sprintf(`{"CreationTime":"2026-01-02T03:04:05","Id":"1","RecordType":8,"Operation":%q,"Workload":"AzureActiveDirectory","ModifiedProperties":[{"Name":"ConditionalAccessPolicy","OldValue":%s,"NewValue":%s}]}`,
				row.action+".", quotedList(row.before), quotedList(row.after)),
		} {
			if got := read(t, rec).fieldList("policy.weakened"); !slices.Equal(got, row.want) {
				t.Errorf("%s, %s: %q, want %q", name, road, got, row.want)
			}
		}
	}
}

// quotedList is a text in a list, as JSON in text.
func quotedList(s string) string {
	list, _ := json.Marshal([]string{s})
	text, _ := json.Marshal(string(list))
	return string(text)
}

// TestWaysOfAttackersToTokens: by the protocol, by the first transfer of a token that is refreshed, and by the request type.
func TestWaysOfAttackersToTokens(t *testing.T) {
	entra := func(members string) string {
		return `{"time":"2026-01-02T03:04:05Z","category":"SignInLogs","properties":{"id":"1","userPrincipalName":"a@contoso.example","status":{"errorCode":0},` + members + `}}`
	}
	ual := func(request string) string {
		return `{"CreationTime":"2026-01-02T03:04:05","Id":"1","RecordType":15,"Operation":"UserLoggedIn","ErrorNumber":"0","UserId":"a@contoso.example","ExtendedProperties":[{"Name":"RequestType","Value":"` + request + `"}]}`
	}
	for rec, want := range map[string]string{
		entra(`"authenticationProtocol":"deviceCode","originalTransferMethod":"none"`):               "device_code",
		entra(`"authenticationProtocol":"none","originalTransferMethod":"deviceCodeFlow"`):           "device_code",
		entra(`"authenticationProtocol":"ropc"`):                                                     "password_grant",
		entra(`"authenticationProtocol":"none","originalTransferMethod":"none"`):                     "",
		entra(`"authenticationProtocol":"oAuth2","originalTransferMethod":"authenticationTransfer"`): "",
		`{"id":"1","createdDateTime":"2026-01-02T03:04:05Z","userPrincipalName":"a@contoso.example","appDisplayName":"x","status":{"errorCode":0},"authenticationProtocol":"deviceCode"}`: "device_code",
		ual("Cmsi:Cmsi"): "device_code", ual("OAuth2:Token"): "", ual(""): "",
	} {
		if got := read(t, rec).field("auth.flow"); got != want {
			t.Errorf("%s: %q, want %q", rec, got, want)
		}
	}
}

// TestWhatIsKnownOfAnAddress: named locations that are trusted, proxies, and the higher of two levels of risk.
func TestWhatIsKnownOfAnAddress(t *testing.T) {
	entra := func(members string) string {
		return `{"time":"2026-01-02T03:04:05Z","category":"SignInLogs","properties":{"id":"1","userPrincipalName":"a@contoso.example","status":{"errorCode":0},` + members + `}}`
	}
	for _, row := range []struct{ field, rec, want string }{
		{"source.trusted", entra(`"networkLocationDetails":[{"networkType":"trustedNamedLocation","networkNames":["HQ"]}]`), "true"},
		{"source.trusted", entra(`"networkLocationDetails":[{"networkType":"namedNetwork","networkNames":["HQ"]}]`), "false"},
		{"source.trusted", entra(`"networkLocationDetails":[]`), ""},
		{"source.anonymous", `{"time":"2026-01-02T03:04:05Z","category":"AdvancedHunting-CloudAppEvents","properties":{"Timestamp":"2026-01-02T03:04:05Z","ActionType":"FileDownloaded","IsAnonymousProxy":true}}`, "true"},
		{"source.anonymous", `{"time":"2026-01-02T03:04:05Z","category":"AdvancedHunting-CloudAppEvents","properties":{"Timestamp":"2026-01-02T03:04:05Z","ActionType":"Send","IsAnonymousProxy":true,"RawEventData":{"CreationTime":"2026-01-02T03:04:05","Id":"1","RecordType":2,"Operation":"Send","UserId":"a@contoso.example"}}}`, "true"},
		{"auth.risk", entra(`"riskLevelDuringSignIn":"none","riskLevelAggregated":"high"`), "high"},
		{"auth.risk", entra(`"riskLevelDuringSignIn":"medium","riskLevelAggregated":"low"`), "medium"},
		{"auth.risk", entra(`"riskLevelDuringSignIn":"low","riskLevelAggregated":"medium"`), "medium"},
		{"auth.risk", entra(`"riskLevelDuringSignIn":"hidden","riskLevelAggregated":"hidden"`), "hidden"},
		{"auth.token", entra(`"incomingTokenType":"primaryRefreshToken"`), "primaryRefreshToken"},
	} {
		if got := read(t, row.rec).field(row.field); got != row.want {
			t.Errorf("%s of %s: %q, want %q", row.field, row.rec, got, row.want)
		}
	}
}

// TestWhomAConsentIsFor: the same application, whatever the operation.
func TestWhomAConsentIsFor(t *testing.T) {
	const id = "55556666-7777-8888-9999-0000aaaabbbb"
	for action, changed := range map[string]string{
		"Consent to application":                       `{"displayName":"ConsentAction.Permissions","newValue":"\"[] => [[Id: x, ClientId: 55556666-7777-8888-9999-0000AAAABBBB, PrincipalId: p, ConsentType: Principal, Scope: Mail.Read]];\""}`,
		"Add delegated permission grant":               `{"displayName":"ServicePrincipal.ObjectID","newValue":"\"` + id + `\""}`,
		"Add app role assignment to service principal": `{"displayName":"ServicePrincipal.ObjectID","newValue":"\"` + id + `\""}`,
	} {
		rec := `{"time":"2026-01-02T03:04:05Z","category":"AuditLogs","properties":{"id":"1","activityDisplayName":"` + action + `","activityDateTime":"2026-01-02T03:04:05Z","targetResources":[{"type":"ServicePrincipal","modifiedProperties":[` + changed + `]}]}}`
		if got := read(t, rec).field("consent.app"); got != id {
			t.Errorf("%s: %q, want %q", action, got, id)
		}
	}
}

// TestATrusteeIsNamedAsTheActorIs: by a path, an alias, in other letters. Others keep their names.
func TestATrusteeIsNamedAsTheActorIs(t *testing.T) {
	for named, want := range map[string]string{
		"EURPR01A001.PROD.OUTLOOK.COM/Microsoft Exchange Hosted Organizations/contoso.onmicrosoft.com/Taro":   "taro@contoso.example",
		"EURPR01A001.PROD.OUTLOOK.COM/Microsoft Exchange Hosted Organizations/contoso.onmicrosoft.com/hanako": "hanako",
		"Taro": "taro@contoso.example", "Taro@contoso.example": "taro@contoso.example", "hanako@contoso.example": "hanako@contoso.example",
		`NT AUTHORITY\SELF`: `nt authority\self`, "Discovery Management": "discovery management",
	} {
		rec := fmt.Sprintf(`{"CreationTime":"2026-01-02T03:04:05","Id":"1","RecordType":1,"Operation":"Add-MailboxPermission","UserId":"taro@contoso.example","UserType":2,"OrganizationName":"contoso.onmicrosoft.com","Parameters":[{"Name":"User","Value":%q}]}`, named)
		if got := read(t, rec).field("grant.trustee"); got != want {
			t.Errorf("%s: %q, want %q", named, got, want)
		}
	}
}
