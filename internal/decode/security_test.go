package decode

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// piece is a piece of evidence.
func piece(kind, members string) string {
	return `{"@odata.type":"#microsoft.graph.security.` + kind + `Evidence","createdDateTime":"2026-01-02T03:04:06Z","verdict":"suspicious","roles":["compromised"],` + members + `}`
}

func userPiece(members string) string { return piece("user", `"userAccount":{`+members+`}`) }

// securityAlert is an alert of alerts_v2 with evidence.
func securityAlert(evidence ...string) string {
	return `{"id":"da-1","providerAlertId":"p-1","incidentId":"28","status":"new","severity":"high","serviceSource":"microsoftDefenderForOffice365","detectionSource":"microsoftDefenderForOffice365","tenantId":"T-1",
"title":"User restricted from sending email","category":"SuspiciousActivity","createdDateTime":"2026-01-02T03:04:05Z","lastUpdateDateTime":"2026-01-02T04:04:05Z","evidence":[` + strings.Join(evidence, ",") + `]}`
}

// securityIncident is an incident, with its alerts where they are asked for.
func securityIncident(alerts string) string {
	return `{"id":"28","tenantId":"T-1","status":"active","incidentWebUrl":"https://security.example/incidents/28","displayName":"User restricted from sending email involving one user","createdDateTime":"2026-01-02T03:04:05Z","lastUpdateDateTime":"2026-01-02T04:04:05Z","severity":"high","classification":"unknown","determination":"unknown"` + alerts + `}`
}

// alertFields are what an alert says, the same by all spellings.
func alertFields(r *Reader) map[string]string {
	got := map[string]string{}
	for _, f := range []string{"event.dataset", "event.action", "event.id", "event.time", "event.outcome", "organization.id", "account", "user.name", "user.kind", "alert.id", "alert.name", "alert.severity", "alert.category", "alert.entity"} {
		if text := r.field(f); text != "" {
			got[f] = text
		}
	}
	return got
}

// byPowerShell is an object as the SDK for PowerShell writes it: names with a capital, and what a derived type adds in
// AdditionalProperties, under Graph's names.
func byPowerShell(t *testing.T, rec string) string {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(rec), &v); err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(inPowerShell(v))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func inPowerShell(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = inPowerShell(v[i])
		}
	case map[string]any:
		to := map[string]any{}
		additional := map[string]any{}
		_, typed := v["@odata.type"]
		for name, value := range v {
			switch name {
			case "createdDateTime", "verdict", "roles":
				to[strings.ToUpper(name[:1])+name[1:]] = value
			default:
				if typed {
					additional[name] = value
				} else {
					to[strings.ToUpper(name[:1])+name[1:]] = inPowerShell(value)
				}
			}
		}
		to["AdditionalProperties"] = additional
		return to
	}
	return v
}

// TestAlertsOfTheSecurityAPI: by Microsoft Graph, in PowerShell's spelling, with the evidence as text, and inside an incident.
func TestAlertsOfTheSecurityAPI(t *testing.T) {
	const upn, id, sam = `"userPrincipalName":"Aoi@contoso.example"`, `"azureAdUserId":"u-21"`, `"accountName":"aoi"`
	ip, device := piece("ip", `"ipAddress":"203.0.113.7"`), piece("device", `"deviceDnsName":"pc","loggedOnUsers":[{"accountName":"ren"}]`)
	process := piece("process", `"userAccount":{"userPrincipalName":"ren@contoso.example"}`)
	message := piece("analyzedMessage", `"recipientEmailAddress":"ren@contoso.example","p1Sender":{"emailAddress":"x@mail.example.net"}`)
	rows := []struct {
		what     string
		evidence []string
		account  string
	}{
		{"a user", []string{ip, userPiece(upn + "," + id)}, "aoi@contoso.example"},
		{"a mailbox", []string{piece("mailbox", `"primaryAddress":"Aoi@contoso.example","displayName":"Aoi Abe"`)}, "aoi@contoso.example"},
		{"a mailbox by its principal name", []string{piece("mailbox", `"primaryAddress":null,"upn":"Aoi@contoso.example"`)}, "aoi@contoso.example"},
		{"a mailbox's rules", []string{piece("mailboxConfiguration", `"mailboxPrimaryAddress":"Aoi@contoso.example"`)}, "aoi@contoso.example"},
		{"the first of several", []string{userPiece(upn), userPiece(`"userPrincipalName":"ren@contoso.example"`)}, "aoi@contoso.example"},
		{"an address before an id", []string{userPiece(id), piece("mailbox", `"primaryAddress":"Aoi@contoso.example"`)}, "aoi@contoso.example"},
		{"an id", []string{userPiece(`"userPrincipalName":null,` + id + "," + sam)}, "u-21"},
		{"a short name", []string{userPiece(`"userPrincipalName":"","azureAdUserId":"00000000-0000-0000-0000-000000000000",` + sam)}, "aoi"},
		{"a placeholder before a name", []string{userPiece(`"userPrincipalName":"Unknown"`), userPiece(upn)}, "aoi@contoso.example"},
		{"a display name alone", []string{userPiece(`"displayName":"Aoi Abe"`)}, ""},
		{"who ran a process, had a device or got a message", []string{process, device, message, ip}, ""},
		{"no evidence", nil, ""},
	}
	for _, row := range rows {
		want := map[string]string{"event.dataset": "graph.security_alert", "event.action": "AlertTriggered", "event.id": "da-1", "event.time": "2026-01-02T03:04:05.000Z", "organization.id": "t-1", "user.kind": "service",
			"alert.id": "da-1", "alert.name": "User restricted from sending email", "alert.severity": "high", "alert.category": "SuspiciousActivity"}
		incident := map[string]string{"event.dataset": "graph.security_incident", "event.action": "IncidentReported", "event.id": "28", "event.time": "2026-01-02T03:04:05.000Z", "organization.id": "t-1", "user.kind": "service",
			"alert.id": "28", "alert.name": "User restricted from sending email involving one user", "alert.severity": "high"}
		for _, w := range []map[string]string{want, incident} {
			if row.account != "" {
				w["account"], w["alert.entity"] = row.account, row.account
			}
		}
		rec := securityAlert(row.evidence...)
		before, list, _ := strings.Cut(rec, `"evidence":`)
		for road, rec := range map[string]string{
			"Graph": rec, "PowerShell": byPowerShell(t, rec), "upper case": strings.Replace(strings.Replace(rec, `"evidence"`, `"EVIDENCE"`, 1), `"title"`, `"TITLE"`, 1),
			"evidence as text": before + `"evidence":` + quoted(strings.TrimSuffix(list, "}")) + "}", "with its type": strings.Replace(rec, `"serviceSource"`, `"@odata.type":"#microsoft.graph.security.alert","x"`, 1),
		} {
			if d := cmp.Diff(want, alertFields(read(t, rec))); d != "" {
				t.Errorf("%s, %s: %s", row.what, road, d)
			}
		}
		for road, rec := range map[string]string{
			"an incident with alerts": securityIncident(`,"alerts":[` + securityAlert() + `,` + rec + `]`), "an incident with one alert": securityIncident(`,"alerts":` + rec), "by PowerShell": byPowerShell(t, securityIncident(`,"alerts":[`+rec+`]`)),
		} {
			if d := cmp.Diff(incident, alertFields(read(t, rec))); d != "" {
				t.Errorf("%s, %s: %s", row.what, road, d)
			}
		}
	}
	r := read(t, securityIncident(""))
	if got := r.field("event.dataset") + r.field("account"); got != "graph.security_incident" {
		t.Errorf("an incident without its alerts is %s", said(r))
	}
}

// TestOddEvidenceLosesNothingElse: one piece, or one member, of a wrong type.
func TestOddEvidenceLosesNothingElse(t *testing.T) {
	for _, odd := range []string{`null`, `17`, `"x"`, `[]`, `{}`, `{"userAccount":"x"}`, `{"userAccount":null}`, `{"userAccount":{"userPrincipalName":17}}`, `{"AdditionalProperties":"System.Collections.Generic.Dictionary"}`, `{"AdditionalProperties":{}}`, `{"@odata.type":17,"upn":[]}`} {
		if got := read(t, securityAlert(odd, userPiece(`"userPrincipalName":"aoi@contoso.example"`))).field("account"); got != "aoi@contoso.example" {
			t.Errorf("beside %s the account is %q", odd, got)
		}
	}
}

// TestWhatIsNoAlert: a name and a severity alone tell none.
func TestWhatIsNoAlert(t *testing.T) {
	for _, rec := range []string{
		`{"createdDateTime":"2026-01-02T03:04:05Z","title":"x","severity":"high"}`, `{"createdDateTime":"2026-01-02T03:04:05Z","displayName":"x","severity":"high"}`,
		`{"title":"x","severity":"high","serviceSource":"y","time":"2026-01-02T03:04:05Z"}`, `{"createdDateTime":"2026-01-02T03:04:05Z","displayName":"x","incidentWebUrl":"y"}`,
	} {
		if got := read(t, rec).Dataset(); got != DatasetUnknown {
			t.Errorf("%s is %s", rec, got)
		}
	}
}

// TestRisksOfIdentityProtection: whichever members a query has kept, by Microsoft Graph and in PowerShell's spelling they are what
// the diagnostic settings give, and neither sign-ins nor audits.
func TestRisksOfIdentityProtection(t *testing.T) {
	const user, principal = `"userId":"u-21","userPrincipalName":"Aoi@contoso.example","userDisplayName":"Aoi Abe"`, `"servicePrincipalId":"sp-1","servicePrincipalDisplayName":"Deploy tool","appId":"a-1"`
	const common = `"id":"1","riskLevel":"high","riskState":"atRisk","riskDetail":"none",`
	type is struct{ dataset, action, account, kind string }
	detection, ofPrincipal := is{"entra.risk_detection", "User Risk Detection", "aoi@contoso.example", "user"}, is{"entra.risk_detection_serviceprincipal", "Service principal risk detection", "deploy tool", "app"}
	for rec, want := range map[string]is{
		common + user + `,"riskEventType":"leakedCredentials","activityDateTime":"2026-01-02T03:04:05Z","detectedDateTime":"2026-01-02T03:04:05Z","ipAddress":"203.0.113.7","activity":"signin"`: detection,
		common + user + `,"riskEventType":"leakedCredentials","activityDateTime":"2026-01-02T03:04:05Z"`:                                                                                         detection,
		common + user + `,"riskEventType":"leakedCredentials","detectedDateTime":"2026-01-02T03:04:05Z","ipAddress":"203.0.113.7"`:                                                               detection,
		common + user + `,"riskEventType":"leakedCredentials","createdDateTime":"2026-01-02T03:04:05Z","detectedDateTime":"2026-01-02T03:04:05Z","ipAddress":"203.0.113.7","location":{}`:        detection,
		`"id":"1",` + user + `,"riskEventType":"leakedCredentials","detectedDateTime":"2026-01-02T03:04:05Z"`:                                                                                    detection,
		common + principal + `,"riskEventType":"x","keyIds":[],"activityDateTime":"2026-01-02T03:04:05Z","detectedDateTime":"2026-01-02T03:04:05Z"`:                                              ofPrincipal,
		common + `"userPrincipalName":"Aoi@contoso.example","isDeleted":false,"riskLastUpdatedDateTime":"2026-01-02T03:04:05Z"`:                                                                  {"entra.risky_user", "Risky user", "aoi@contoso.example", "user"},
		common + `"appId":"a-1","displayName":"Deploy tool","servicePrincipalType":"Application","riskLastUpdatedDateTime":"2026-01-02T03:04:05Z"`:                                               {"entra.risky_serviceprincipal", "Risky service principal", "deploy tool", "app"},
	} {
		for road, rec := range map[string]string{"Graph": "{" + rec + "}", "PowerShell": "{" + capitals(rec) + "}"} {
			r := read(t, rec)
			if got := (is{r.field("event.dataset"), r.field("event.action"), r.field("account"), r.field("user.kind")}); got != want {
				t.Errorf("%s, %s: %+v, want %+v", road, rec, got, want)
			}
			if got := signInOf(r); got != [5]string{want.action} {
				t.Errorf("%s, %s: %q", road, rec, got)
			}
		}
	}
}
