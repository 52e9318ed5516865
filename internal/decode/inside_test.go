package decode

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"noroshi/internal/event"
)

// wrappers are the ways in which records come inside others; %s stands for the record, as an object or as JSON in text.
var wrappers = []struct{ name, around string }{
	{"Vector", `{"file":"/var/log/o365.json","host":"h","message":%s,"source_type":"file","timestamp":"2026-02-02T00:00:00Z"}`},
	{"Logstash", `{"@timestamp":"2026-02-02T00:00:00.000Z","@version":"1","event":{"original":%s},"host":{"name":"h"}}`},
	{"Elastic, by its dotted name", `{"@timestamp":"2026-02-02T00:00:00.000Z","event.original":%s,"tags":["forwarded"]}`},
	{"Elastic, parsed", `{"@timestamp":"2026-02-02T00:00:00.000Z","event":{"kind":"event","category":["web"],"action":"x","original":%s},"message":"New rule","user":{"name":"x"}}`},
	{"Elasticsearch, a hit", `{"_index":"logs-o365","_id":"x","_score":1,"_source":%s}`},
	{"Elasticsearch, a hit of a message", `{"_index":"logs-o365","_id":"x","_source":{"@timestamp":"2026-02-02T00:00:00Z","message":%s}}`},
	{"Splunk, raw", `{"_time":"2026-02-02T00:00:00.000+00:00","_raw":%s,"sourcetype":"o365:management:activity"}`},
	{"Splunk, a search result", `{"preview":false,"offset":0,"result":{"_time":"x","_raw":%s}}`},
	{"Splunk, HTTP event collector", `{"time":1769990400.5,"host":"h","source":"s","sourcetype":"o365:management:activity","event":%s}`},
	{"Wazuh, archive", `{"integration":"office365","office365":%s}`},
	{"Wazuh, alert", `{"timestamp":"2026-02-02T00:00:00.000+0000","rule":{"level":3,"id":"91531"},"id":"1769990400.1","data":{"integration":"office365","office365":%s},"location":"office365"}`},
	{"Fluent Bit", `{"date":1769990400.5,"log":%s,"stream":"stdout"}`},
	{"Azure Monitor, text log", `{"TimeGenerated":"2026-02-02T00:00:00Z","RawData":%s,"Type":"Audit_CL","TenantId":"99990000-aaaa-bbbb-cccc-ddddeeeeffff"}`},
	{"Filebeat", `{"@timestamp":"2026-02-02T00:00:00.000Z","agent":{"type":"filebeat"},"json":%s}`},
	{"CloudEvents", `{"specversion":"1.0","id":"x","type":"t","source":"/s","time":"2026-02-02T00:00:00Z","data":%s}`},
	{"an envelope of one, in a message", `{"message":{"records":[%s]}}`},
	{"a list of one", `{"message":[%s]}`},
}

// inner are records of the known shapes.
var inner = []string{
	admin(`"Operation":"New-InboxRule","ClientIP":"203.0.113.7:1","Parameters":[{"Name":"Name","Value":"\"日本\" \u00e9"},{"Name":"ForwardTo","Value":"a@b.example"}]`),
	`{"CreationTime":"2026-01-02T03:04:05","OrganizationId":"t-1","Operation":"x","RecordType":1,"UserId":"a@contoso.example"}`, // no id
	entraEnvelope("SignInLogs", `"userPrincipalName":"taro@contoso.example","status":{"errorCode":50126}`),
	`{"id":"s-1","createdDateTime":"2026-01-02T03:04:05Z","userPrincipalName":"taro@contoso.example","ipAddress":"203.0.113.7","status":{"errorCode":0}}`,
	around(admin(`"Operation":"Set-Mailbox","Parameters":[{"Name":"ForwardingSmtpAddress","Value":"smtp:a@b.example"}]`)),
	`{"category":"AdvancedHunting-EmailEvents","time":"2026-01-02T03:09:00Z","properties":{"Timestamp":"2026-01-02T03:04:05Z","ReportId":"r","NetworkMessageId":"n","EmailDirection":"Outbound","SenderFromAddress":"taro@contoso.example"}}`,
	`{"Type":"SigninLogs","TimeGenerated":"2026-01-02T03:04:05Z","CreatedDateTime":"2026-01-02T03:04:05Z","Id":"s-2","UserPrincipalName":"taro@contoso.example","Status":"{\"errorCode\":50126}"}`,
	`{"MessageTraceId":"m","Received":"2026-01-02T03:04:05Z","SenderAddress":"taro@contoso.example","RecipientAddress":"b@b.example","Status":"Failed"}`,
	`{"id":"g-1","createdDateTime":"2026-01-02T03:04:05Z","auditLogRecordType":"exchangeAdmin","operation":"New-InboxRule","auditData":` + admin(`"Operation":"New-InboxRule"`) + `}`,
}

// TestARecordInsideAnotherIsReadAsItself: whoever has wrapped it, as an object or as JSON in text, with blanks around and escapes.
func TestARecordInsideAnotherIsReadAsItself(t *testing.T) {
	r := reader()
	for _, rec := range inner {
		alone := read(t, rec)
		want, id, bits := said(alone), alone.Identity(), alone.Duplicate()
		if alone.Shape() == event.Other {
			t.Fatalf("%s is of no known shape", rec)
		}
		for _, w := range wrappers {
			for _, form := range []string{rec, quoted(rec), quoted(" \r\n" + rec + "\n"), strings.ReplaceAll(quoted(rec), "{", `\u007b`)} {
				if form != rec && strings.Contains(w.around, "[%s]") { // the list is text, not what is in it
					form = ""
				}
				text := fmt.Sprintf(w.around, form)
				if form == "" {
					before, list, _ := strings.Cut(fmt.Sprintf(w.around, rec), `"message":`)
					text = before + `"message":` + quoted(strings.TrimSuffix(list, "}")) + "}"
				}
				if err := r.ReadAlone([]byte(text), time.Time{}); err != nil {
					t.Errorf("%s: %s: %v", w.name, text, err)
					continue
				}
				if d := cmp.Diff(want, said(r)); d != "" {
					t.Errorf("%s: %s: %s", w.name, text, d)
				}
				if d := cmp.Diff(id, r.Identity()); d != "" || r.Duplicate() != bits || r.Broken() != "" {
					t.Errorf("%s: %s is another record: %s", w.name, text, d)
				}
			}
		}
	}
}

// TestAWrapperTellsTheTimeAlone: and only of a record that has none.
func TestAWrapperTellsTheTimeAlone(t *testing.T) {
	r := read(t, `{"@timestamp":"2026-02-02T00:00:00Z","organizationId":"x","message":"{\"Operation\":\"x\",\"RecordType\":1,\"Id\":\"1\"}"}`)
	if got := r.Identity(); got.TimeFrom != "envelope" || !got.Time.Equal(time.Date(2026, 2, 2, 0, 0, 0, 0, time.UTC)) || got.Tenant != "" {
		t.Errorf("%+v", got)
	}
}

// TestAnObjectThatHappensToHaveAMessageStaysWhatItWas: no record lies inside, or more than one, or the object is a record itself.
func TestAnObjectThatHappensToHaveAMessageStaysWhatItWas(t *testing.T) {
	rec := admin(`"Operation":"New-InboxRule"`)
	for _, value := range []string{`"Signed in"`, `""`, `null`, `17`, `true`, `{}`, `[]`, `"{}"`, `"{"`, `"{user} signed in"`, `{"text":"x"}`, `"[]"`, quoted(rec[:40]), quoted(quoted(rec)),
		"[" + rec + "," + rec + "]", quoted("[" + rec + "," + rec + "]"), quoted("[" + rec + ",{"), quoted(`{"records":[` + rec + "," + rec + "]}"), quoted(rec + rec), `["x"]`,
		quoted(strings.Repeat(`{"message":`, 6) + rec + strings.Repeat("}", 6)), quoted(`{"a":` + strings.Repeat("[", 80) + strings.Repeat("]", 80) + `}`)} {
		for _, w := range wrappers[:15] {
			text := fmt.Sprintf(strings.Replace(w.around, "{", `{"id":"own","createdDateTime":"2026-03-03T00:00:00Z",`, 1), value)
			r := read(t, text)
			if r.Shape() != event.Other || r.Dataset() != "unknown" || r.field("event.time") != "2026-03-03T00:00:00.000Z" || r.Broken() != "" {
				t.Errorf("%s is %s", text, said(r))
			}
		}
	}
	for _, own := range inner[:8] {
		for _, w := range wrappers[:15] {
			if strings.Contains(w.around, `"Type"`) || strings.Contains(w.around, `"timestamp"`) || strings.Contains(w.around, `"type"`) || strings.Contains(w.around, `"event"`) && strings.Contains(own, "MessageTraceId") {
				continue // which are members of the record, too
			}
			text := strings.TrimSuffix(own, "}") + "," + strings.TrimPrefix(fmt.Sprintf(w.around, quoted(rec)), "{")
			if want, r := read(t, own), read(t, text); r.Shape() != want.Shape() || r.Identity().Action != want.Identity().Action {
				t.Errorf("%s is %s", text, said(r))
			}
		}
	}
}

// auditRecord is what Microsoft Graph's audit search gives around an audit record.
func auditRecord(data string) string {
	return `{"id":"1","createdDateTime":"2026-01-02T03:04:05Z","auditLogRecordType":"exchangeAdmin","operation":"New-InboxRule","organizationId":"t-1","userType":"regular",` +
		`"userId":"taro@contoso.example","service":"Exchange","objectId":"taro\\x","userPrincipalName":"taro@contoso.example","clientIp":"203.0.113.7:1"` + data + `}`
}

// TestAnAuditRecordThatCannotBeReadIsToldByWhatIsAroundIt: Purview's rows and Microsoft Graph's auditLogRecord say much themselves.
// That the record itself is missing is told; nothing of it is claimed, and it is no sign-in.
func TestAnAuditRecordThatCannotBeReadIsToldByWhatIsAroundIt(t *testing.T) {
	purview := `{"RecordType":"ExchangeAdmin","CreationDate":"2026-01-02T03:04:05Z","UserIds":"taro@contoso.example","Operations":"New-InboxRule","ResultIndex":1,"AuditData":%s}`
	row := `{"RecordId":"1","CreationDate":"2026-01-02T03:04:05Z","RecordType":"1","Operation":"New-InboxRule","UserId":"taro@contoso.example","AuditData":%s}`
	values := []string{`null`, `""`, `{}`, `17`, `"{\"CreationTime\":\"2026-01-02T03"`, `"x"`, `[]`, `{"AdditionalProperties":{}}`}
	records := []string{auditRecord(""), strings.ToUpper(auditRecord("")[:5]) + auditRecord("")[5:]}
	for _, v := range values {
		records = append(records, auditRecord(`,"auditData":`+v), fmt.Sprintf(purview, v), fmt.Sprintf(row, v))
	}
	for _, rec := range records {
		r := read(t, rec)
		got := r.Identity()
		if got.Account != "taro@contoso.example" || got.Action != "New-InboxRule" || got.Dataset != "ual.exchange_admin" || got.TimeFrom != "record" || r.Broken() != "AuditData" {
			t.Errorf("%s: %+v, broken %q", rec, got, r.Broken())
		}
		if r.field("event.outcome") != "" {
			t.Errorf("%s: outcome %q", rec, r.field("event.outcome"))
		}
		if strings.Contains(rec, "clientIp") && (r.field("source.ip") != "203.0.113.7" || got.Tenant != "t-1" || got.ID != "1" || r.field("event.provider") != "Exchange") {
			t.Errorf("%s: %s", rec, said(r))
		}
	}
	if r := read(t, around(`"{\"CreationTime\":\"2026-01-02T03"`)); r.Broken() != "RawEventData" || r.Dataset() != "defender.cloud_app_events" {
		t.Errorf("broken %q, %s", r.Broken(), r.Dataset())
	}
	if r := read(t, around(`{"eventSource":"x"}`)); r.Broken() != "" {
		t.Errorf("another service's data are broken: %q", r.Broken())
	}
	if r := read(t, quotedInto(`{"message":%s}`, auditRecord(`,"auditData":null`))); r.Broken() != "AuditData" || r.Dataset() != "ual.exchange_admin" {
		t.Errorf("broken %q, %s", r.Broken(), r.Dataset())
	}
	if r := read(t, admin(`"Operation":"x"`)); r.Broken() != "" {
		t.Error("the record before is still told")
	}
}

// TestARecordInAuditDataNeedsNoTypeOfItsOwn: what lies around tells it, and the time.
func TestARecordInAuditDataNeedsNoTypeOfItsOwn(t *testing.T) {
	r := read(t, auditRecord(`,"auditData":{"Operation":"New-InboxRule","Id":"own","Parameters":[{"Name":"ForwardTo","Value":"a@b.example"}]}`))
	if got := r.Identity(); got.Dataset != "ual.exchange_admin" || r.field("event.code") != "1" || got.ID != "own" || r.Broken() != "" || len(r.fieldList("inbox_rule.sends_to")) != 1 {
		t.Errorf("%s", said(r))
	}
}

func quotedInto(around, rec string) string { return fmt.Sprintf(around, quoted(rec)) }

// TestWhatLiesAroundAnAuditRecordFillsOnlyWhatItLacks: tenant, user and address.
func TestWhatLiesAroundAnAuditRecordFillsOnlyWhatItLacks(t *testing.T) {
	for _, form := range []func(string) string{func(s string) string { return s }, quoted} {
		r := read(t, auditRecord(`,"auditData":`+form(`{"Operation":"Set-Mailbox","RecordType":1,"Id":"own"}`)))
		want := map[string]string{"organization.id": "t-1", "account": "taro@contoso.example", "source.ip": "203.0.113.7", "event.action": "Set-Mailbox", "event.id": "own", "event.time": "2026-01-02T03:04:05.000Z"}
		for field, want := range want {
			if got := r.field(field); got != want {
				t.Errorf("%s is %q, want %q", field, got, want)
			}
		}
		r = read(t, auditRecord(`,"auditData":`+form(`{"CreationTime":"2026-05-05T00:00:00","Operation":"Set-Mailbox","RecordType":1,"Id":"own","OrganizationId":"t-2","UserId":"hanako@contoso.example","ClientIP":"198.51.100.1"}`)))
		for field, want := range map[string]string{"organization.id": "t-2", "account": "hanako@contoso.example", "source.ip": "198.51.100.1", "event.time": "2026-05-05T00:00:00.000Z"} {
			if got := r.field(field); got != want {
				t.Errorf("%s is %q, want %q", field, got, want)
			}
		}
	}
}

// TestObjectsOfTheDirectoryAreNoSignIns: a time of creation and a name make none. Tables may have few of a sign-in's columns.
func TestObjectsOfTheDirectoryAreNoSignIns(t *testing.T) {
	const upn = `"userPrincipalName":"taro@contoso.example"`
	for rec, is := range map[string]bool{
		upn + `,"displayName":"Taro","accountEnabled":true,"userType":"Member"`:                         false, // user
		upn + `,"displayName":"Taro","Status":"Active"`:                                                 false,
		upn + `,"status":"","ipAddress":null`:                                                           false,
		`"deviceId":"d","displayName":"PC","operatingSystem":"Windows"`:                                 false, // device
		`"appId":"a","appDisplayName":"App","servicePrincipalType":"Application"`:                       false, // servicePrincipal
		`"principalDisplayName":"Taro","principalType":"User","resourceDisplayName":"App"`:              false, // appRoleAssignment
		`"status":"new","severity":"high","title":"x","category":"InitialAccess","serviceSource":"mdo"`: false, // alert
		`"riskEventType":"leakedCredentials","riskLevel":"high","riskState":"atRisk",` + upn:            false, // riskDetection
		upn + `,"appDisplayName":"Outlook"`:                                                             true,
		upn + `,"ipAddress":"203.0.113.7"`:                                                              true,
		upn + `,"status":{"errorCode":0}`:                                                               true,
		upn + `,"status":{}`:                                                                            true,
		upn + `,"Status":"{\"errorCode\":0}"`:                                                           true,
		upn + `,"Status":"Success"`:                                                                     true,
		upn + `,"Status":"50126"`:                                                                       true,
		upn + `,"Status":0`:                                                                             true,
		upn + `,"Status":"@{ErrorCode=0; FailureReason=Other.}"`:                                        true,
		upn + `,"Status":"Microsoft.Graph.PowerShell.Models.MicrosoftGraphSignInStatus"`:                true,
		upn + `,"Status.ErrorCode":"0"`:                                                                 true,
		upn + `,"ResultType":"50126"`:                                                                   true,
		upn + `,"isInteractive":false`:                                                                  true,
		`"conditionalAccessStatus":"success"`:                                                           true,
		`"signInEventTypes":["servicePrincipal"],"servicePrincipalName":"App"`:                          true,
		`"appDisplayName":"App","servicePrincipalId":"s","ipAddress":"203.0.113.7"`:                     true,
		`"Category":"signinlogs"`:                                                                       true,
	} {
		for _, created := range []string{"createdDateTime", "CreatedDateTime", "CREATEDDATETIME"} {
			r := read(t, `{"`+created+`":"2026-01-02T03:04:05Z","id":"1",`+rec+`}`)
			if got := r.signIn(); got != is || !is && strings.HasPrefix(r.Identity().Action, "UserLog") {
				t.Errorf("%s is a sign-in: %v; %s", rec, got, said(r))
			}
		}
	}
	if r := read(t, `{"createdDateTime":"2026-01-02T03:04:05Z","riskEventType":"leakedCredentials","riskLevel":"high","riskState":"atRisk","ipAddress":"203.0.113.7",`+upn+`}`); r.Dataset() != "entra.risk_detection" {
		t.Errorf("a risk detection is %s", said(r))
	}
}
