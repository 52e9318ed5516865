package decode

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"noroshi/internal/event"
)

// admin is a command's record around what a test is about.
func admin(rest string) string {
	return `{"CreationTime":"2026-01-02T03:04:05","Id":"1","RecordType":1,"OrganizationId":"t-1","UserType":0,"UserId":"Taro@contoso.example","Workload":"Exchange",` + rest + `}`
}

// TestWhatARuleDoesIsKnownIfAllOfItWasRead: elements that are no entries, and values that lie deeper, leave the body unknown.
func TestWhatARuleDoesIsKnownIfAllOfItWasRead(t *testing.T) {
	for parameters, want := range map[string]string{ // whether the body is known, whether the rule deletes
		`[{"Name":"Name","Value":".."},{"Name":"DeleteMessage","Value":"True"}]`: "true true",
		`[{"Name":"DeleteMessage","Value":"True "}]`:                             "true true",
		`[{"Name":".."},{"DeleteMessage":"True"}]`:                               "false false",
		`[{"Name":"Name","Value":".."},{"DeleteMessage":"True"}]`:                "false false",
		`"[{\"Name\":\"Name\",\"Value\":\"..\"},{\"DeleteMessage\":\"True\"}]"`:  "false false",
		`{"value":[{"Name":"DeleteMessage","Value":"True"}]}`:                    "false false",
		`{"AdditionalProperties":{"DeleteMessage":"True"}}`:                      "false false",
		`{"DeleteMessage":["True"]}`:                                             "true true",
		`{"DeleteMessage":true,"Name":".."}`:                                     "true true",
		`{"Name":"{x","DeleteMessage":"False"}`:                                  "true false",
	} {
		r := read(t, admin(`"Operation":"New-InboxRule","Parameters":`+parameters))
		if got := r.field("inbox_rule.body_known") + " " + r.field("inbox_rule.deletes"); got != want {
			t.Errorf("%s: %s, want %s", parameters, got, want)
		}
	}
}

// TestWhatLiesInAFolderIsOfItsClass: any part of the path decides, the last first.
func TestWhatLiesInAFolderIsOfItsClass(t *testing.T) {
	for path, want := range map[string]string{`RSS Feeds\x`: "rss", `Sync Issues\Conflicts`: "sync", `Inbox\RSS Feeds\x`: "rss", `Deleted Items/a/b`: "deleted", `x@contoso.example:\Archive\2026`: "archive",
		`Inbox\Projects`: "custom", `Inbox`: "inbox", `Projects\Inbox`: "inbox", `Sent Items\x`: "custom", `Projects\`: "custom", `\`: "", `RSS Feeds\Notes`: "notes"} {
		if got := FolderClass(path); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

// entraEnvelope is a diagnostic record around properties.
func entraEnvelope(category, properties string) string {
	return `{"time":"2026-01-02T03:05:00Z","category":"` + category + `","operationName":"Sign-in activity","tenantId":"t-1","callerIpAddress":"203.0.113.9","properties":{"id":"p-1","createdDateTime":"2026-01-02T03:04:05Z",` + properties + `}}`
}

// TestFacts are what real records do and the decoder must get right.
func TestFacts(t *testing.T) {
	rows := []struct {
		name   string
		record string
		want   map[string]string
	}{
		{"operations lose trailing dots and blanks", admin(`"Operation":"Add user. "`), map[string]string{"event.action": "Add user"}},
		{"operations have a hyphen for the en dash", admin(`"Operation":"Update application – Certificates"`), map[string]string{"event.action": "Update application - Certificates"}},
		{"user names are lower case", admin(`"Operation":"x"`), map[string]string{"user.name": "taro@contoso.example", "account": "taro@contoso.example"}},
		{"Name/Value lists are read by name, value first or last", admin(`"Operation":"New-InboxRule","Parameters":[{"Value":"True","Name":"DeleteMessage"},{"Name":"Name","Value":"x"}]`), map[string]string{"inbox_rule.deletes": "true", "inbox_rule.name": "x"}},
		{"parameter names are read without regard to case", admin(`"Operation":"Set-Mailbox","Parameters":[{"Name":"forwardingsmtpaddress","Value":"smtp:a@mail.example.net"}]`), map[string]string{"forward.set": "true"}},
		{"OperationProperties may be JSON in text", admin(`"Operation":"UpdateInboxRules","OperationProperties":"[{\"Name\":\"RuleOperation\",\"Value\":\"AddMailboxRule\"}]"`), map[string]string{"inbox_rule.op": "create"}},
		{"removal of forwarding is the same operation as setting it", admin(`"Operation":"Set-Mailbox","Parameters":[{"Name":"ForwardingSmtpAddress","Value":""}]`), map[string]string{"forward.set": "false", "forward.removed": "true"}},
		{"a command that says nothing of forwarding neither sets nor removes it", admin(`"Operation":"Set-Mailbox","Parameters":[{"Name":"Languages","Value":"ja"}]`), map[string]string{"forward.set": "false", "forward.removed": "false", "forward.scope": ""}},
		{"a change of a desktop rule without actions tells nothing", admin(`"Operation":"UpdateInboxRules","OperationProperties":[{"Name":"RuleOperation","Value":"ModifyMailboxRule"},{"Name":"RuleActions","Value":"[]"}]`), map[string]string{"inbox_rule.op": "change", "inbox_rule.body_known": "false"}},
		{"folder names follow the mailbox's language", admin(`"Operation":"New-InboxRule","Parameters":[{"Name":"MoveToFolder","Value":"迷惑メール"}]`), map[string]string{"inbox_rule.folder_class": "junk"}},
		{"mailbox updates list their properties as texts", `{"CreationTime":"2026-01-02T03:04:05","Id":"1","Operation":"Update","RecordType":2,"UserId":"taro@contoso.example","UserType":0,"ModifiedProperties":["Subject"],"ResultStatus":"Succeeded"}`, map[string]string{"event.outcome": "success"}},
		{"the first of three address keys that has a text counts", admin(`"Operation":"x","ClientIP":"","ClientIPAddress":"203.0.113.7:99","ActorIpAddress":"203.0.113.8"`), map[string]string{"source.ip": "203.0.113.7", "source.port": "99"}},
		{"loopback is no client", admin(`"Operation":"x","ClientIP":"::1"`), map[string]string{"source.ip": "", "source.kind": "none"}},
		{"a directory value is JSON in text over several lines", `{"CreationTime":"2026-01-02T03:04:05","Id":"1","Operation":"Add member to role.","RecordType":8,"UserId":"taro@contoso.example","UserType":0,"ObjectId":"Eve@contoso.example","ModifiedProperties":[{"Name":"Role.TemplateId","NewValue":"[\r\n  \"62E90394-69f5-4237-9190-012177145e10\"\r\n]","OldValue":""}]}`,
			map[string]string{"role.template_id": "62e90394-69f5-4237-9190-012177145e10", "role.privileged": "true", "role.member": "eve@contoso.example", "user.target.name": "eve@contoso.example", "account": "taro@contoso.example"}},
		{"a directory change tells its target's name among ids", `{"CreationTime":"2026-01-02T03:04:05","Id":"1","Operation":"Consent to application.","RecordType":8,"UserId":"taro@contoso.example","UserType":0,"ObjectId":"44445555-6666-7777-8888-99990000aaaa","Target":[{"ID":"ServicePrincipal","Type":2},{"ID":"Mail reader","Type":1},{"ID":"x","Type":4}]}`,
			map[string]string{"target.name": "Mail reader"}},
		{"a directory change without a name has an object", `{"CreationTime":"2026-01-02T03:04:05","Id":"1","Operation":"Add device.","RecordType":8,"UserId":"taro@contoso.example","UserType":0,"ObjectId":"Device_9b91","Target":[{"ID":"Device","Type":2},{"ID":" ","Type":"1"}]}`,
			map[string]string{"target.name": "Device_9b91"}},
		{"a click that was allowed led to the page", `{"Type":"UrlClickEvents","Timestamp":"2026-01-02T03:04:05Z","ActionType":"ClickAllowed","IsClickedThrough":"False","Url":"https://x.example","AccountUpn":"taro@contoso.example","ReportId":"1"}`, map[string]string{"url.clicked_through": "true"}},
		{"a click that was blocked did not", `{"Type":"UrlClickEvents","Timestamp":"2026-01-02T03:04:05Z","ActionType":"ClickBlocked","IsClickedThrough":false,"Url":"https://x.example","AccountUpn":"taro@contoso.example","ReportId":"1"}`, map[string]string{"url.clicked_through": "false"}},
		{"somebody went on past the warning", `{"Type":"UrlClickEvents","Timestamp":"2026-01-02T03:04:05Z","ActionType":"ClickBlocked","IsClickedThrough":1,"Url":"https://x.example","AccountUpn":"taro@contoso.example","ReportId":"1"}`, map[string]string{"url.clicked_through": "true"}},
		{"the same in the audit log", `{"CreationTime":"2026-01-02T03:04:05","Id":"1","Operation":"TIUrlClickData","RecordType":41,"UserId":"taro@contoso.example","UserType":4,"UserIp":"203.0.113.7","Url":"https://x.example","UrlClickAction":4}`, map[string]string{"url.clicked_through": "true", "url.full": "https://x.example", "source.ip": "203.0.113.7", "event.dataset": "ual.threat_intelligence_url"}},
		{"a warning that was heeded", `{"CreationTime":"2026-01-02T03:04:05","Id":"1","Operation":"TIUrlClickData","RecordType":41,"UserId":"taro@contoso.example","UserType":4,"Url":"https://x.example","UrlClickAction":"Blockpage"}`, map[string]string{"url.clicked_through": "false"}},
		{"a device that was registered, in the audit log", `{"CreationTime":"2026-01-02T03:04:05","Id":"1","Operation":"Add registered owner to device.","RecordType":8,"UserId":"x","UserType":4,"ObjectId":"taro@contoso.example","ModifiedProperties":[{"Name":"Device.DisplayName","NewValue":"DESKTOP-7Q2"}]}`, map[string]string{"device.name": "DESKTOP-7Q2"}},
		{"a device that was added, in the audit log", `{"CreationTime":"2026-01-02T03:04:05","Id":"1","Operation":"Add device.","RecordType":8,"UserId":"x","UserType":4,"ModifiedProperties":[{"Name":"CloudDisplayName","NewValue":"[\"DESKTOP-7Q2\"]"}]}`, map[string]string{"device.name": "DESKTOP-7Q2"}},
		{"another change tells of no device", `{"CreationTime":"2026-01-02T03:04:05","Id":"1","Operation":"Update device.","RecordType":8,"UserId":"x","UserType":4,"ModifiedProperties":[{"Name":"Device.DisplayName","NewValue":"x"}]}`, map[string]string{"device.name": ""}},
		{"a device that was registered", entraEnvelope("AuditLogs", `"activityDisplayName":"Register device","activityDateTime":"2026-01-02T03:04:04Z","targetResources":[{"type":"User","userPrincipalName":"taro@contoso.example"},{"type":"Device","displayName":"DESKTOP-7Q2"}]`), map[string]string{"device.name": "DESKTOP-7Q2"}},
		{"a sign-in of the audit log names the resource as its object", `{"CreationTime":"2026-01-02T03:04:05","Id":"1","Operation":"UserLoggedIn","RecordType":15,"UserId":"taro@contoso.example","ObjectId":"00000003-0000-0000-C000-000000000000"}`, map[string]string{"resource.id": "00000003-0000-0000-c000-000000000000"}},
		{"a resource that is unknown is none", `{"CreationTime":"2026-01-02T03:04:05","Id":"1","Operation":"UserLoggedIn","RecordType":15,"UserId":"taro@contoso.example","ObjectId":"Unknown"}`, map[string]string{"resource.id": ""}},
		{"the object of another record is no resource", admin(`"Operation":"x","ObjectId":"00000003-0000-0000-c000-000000000000"`), map[string]string{"resource.id": ""}},
		{"one's own OneDrive", `{"CreationTime":"2026-01-02T03:04:05","Id":"1","Operation":"x","RecordType":14,"UserId":"Taro.O-1@contoso.example","ObjectId":"https://contoso-my.sharepoint.example/Personal/taro_o_1_contoso_example/Documents/a.docx"}`, map[string]string{"url.own_site": "true"}},
		{"the OneDrive of another", `{"CreationTime":"2026-01-02T03:04:05","Id":"1","Operation":"x","RecordType":14,"UserId":"taro@contoso.example","ObjectId":"https://contoso-my.sharepoint.example/personal/hanako_contoso_example"}`, map[string]string{"url.own_site": "false"}},
		{"a site of a team is nobody's", `{"CreationTime":"2026-01-02T03:04:05","Id":"1","Operation":"x","RecordType":14,"UserId":"taro@contoso.example","ObjectId":"https://contoso.sharepoint.example/sites/a"}`, map[string]string{"url.own_site": ""}},
		{"a role in the diagnostic log has its values in quotes", entraEnvelope("AuditLogs", `"activityDisplayName":"Add member to role","activityDateTime":"2026-01-02T03:04:04Z","initiatedBy":{"user":{"userPrincipalName":"Taro@contoso.example","ipAddress":"203.0.113.7"}},"targetResources":[{"type":"User","userPrincipalName":"Eve@contoso.example","modifiedProperties":[{"displayName":"Role.DisplayName","newValue":"\"Company Administrator\""}]}]`),
			map[string]string{"role.name": "Company Administrator", "role.privileged": "true", "role.member": "eve@contoso.example", "account": "taro@contoso.example", "source.ip": "203.0.113.7", "event.dataset": "entra.audit"}},
		{"sign-ins go by error code and not by ResultStatus", `{"CreationTime":"2026-01-02T03:04:05","Id":"1","Operation":"UserLoginFailed","RecordType":15,"ResultStatus":"Success","UserId":"taro@contoso.example","UserType":0,"ErrorNumber":"50126"}`, map[string]string{"event.outcome": "failure", "auth.result": "wrong_credential", "auth.password_ok": "false"}},
		{"a right password that was stopped is no success", entraEnvelope("SignInLogs", `"userPrincipalName":"Taro@contoso.example","status":{"errorCode":50076}`), map[string]string{"event.action": "UserLoginFailed", "event.outcome": "failure", "auth.result": "password_ok_stopped", "auth.password_ok": "true"}},
		{"the error code of the status goes before resultType", `{"time":"2026-01-02T03:05:00Z","category":"SignInLogs","resultType":"Failure","tenantId":"t-1","properties":{"id":"p","userPrincipalName":"a@contoso.example","status":{"errorCode":0}}}`, map[string]string{"event.action": "UserLoggedIn", "event.outcome": "success"}},
		{"non-interactive sign-ins are a dataset of their own", entraEnvelope("NonInteractiveUserSignInLogs", `"userPrincipalName":"a@contoso.example","status":{"errorCode":0}`), map[string]string{"event.dataset": "entra.signin_noninteractive", "auth.interactive": "false"}},
		{"envelope keys may begin with a capital", `{"Time":"2026-01-02T03:05:00Z","Category":"SignInLogs","TenantId":"T-1","Properties":{"id":"p","userPrincipalName":"a@contoso.example","status":{"errorCode":0}}}`, map[string]string{"event.dataset": "entra.signin", "organization.id": "t-1", "event.time_from": "envelope"}},
		{"a record of Microsoft Graph has no envelope", `{"id":"g-1","createdDateTime":"2026-01-02T03:04:05Z","userPrincipalName":"A@contoso.example","appDisplayName":"x","status":{"errorCode":0},"ipAddress":"203.0.113.7"}`, map[string]string{"event.dataset": "entra.signin", "user.name": "a@contoso.example", "event.action": "UserLoggedIn"}},
		{"record type names are numbers too", admin(`"Operation":"x","RecordType":"ExchangeItem"`), map[string]string{"event.code": "2", "event.dataset": "ual.exchange_item"}},
		{"unknown record types are events", admin(`"Operation":"x","RecordType":9999`), map[string]string{"event.dataset": "ual.record_type_9999", "event.action": "x"}},
		{"unknown records are events with the common fields", `{"timestamp":"2026-01-02T03:04:05Z","id":"z","operation":"Thing"}`, map[string]string{"event.dataset": "unknown", "event.id": "z", "event.action": "Thing"}},
		{"a record without an id is known by its bytes", `{"timestamp":"2026-01-02T03:04:05Z"}`, map[string]string{"event.id": "sha256:" + hashOf(`{"timestamp":"2026-01-02T03:04:05Z"}`)}},
		{"Microsoft's data centre is a service", admin(`"Operation":"x","UserType":3`), map[string]string{"user.kind": "service"}},
		{"Windows services are services", admin(`"Operation":"x","UserId":"NT AUTHORITY\\SYSTEM (w3wp)"`), map[string]string{"user.kind": "service"}},
		{"self-service password reset is a service", admin(`"Operation":"x","UserId":"fim_password_service@support.onmicrosoft.com"`), map[string]string{"user.kind": "service"}},
		{"the operator of SharePoint is a service", admin(`"Operation":"x","UserId":"Microsoft\\ServiceOperator"`), map[string]string{"user.kind": "service"}},
		{"SharePoint itself is a service", admin(`"Operation":"x","UserId":"SHAREPOINT\\system"`), map[string]string{"user.kind": "service"}},
		{"applications of SharePoint are applications", admin(`"Operation":"x","UserId":"app@sharepoint"`), map[string]string{"user.kind": "app"}},
		{"applications are no services", admin(`"Operation":"x","UserType":5,"UserId":"app-1"`), map[string]string{"user.kind": "app"}},
		{"guests are guests", admin(`"Operation":"x","UserId":"eve_mail.example.net#EXT#@contoso.example"`), map[string]string{"user.kind": "guest"}},
		{"an application that reads a mailbox is about its owner", `{"CreationTime":"2026-01-02T03:04:05","Id":"1","Operation":"MailItemsAccessed","RecordType":50,"UserId":"app","UserType":5,"MailboxOwnerUPN":"Hanako@contoso.example"}`, map[string]string{"account": "hanako@contoso.example"}},
		{"a person in somebody's mailbox is about the person", `{"CreationTime":"2026-01-02T03:04:05","Id":"1","Operation":"Create","RecordType":2,"UserId":"taro@contoso.example","UserType":0,"MailboxOwnerUPN":"hanako@contoso.example"}`, map[string]string{"account": "taro@contoso.example", "user.target.name": "hanako@contoso.example"}},
		{"an alert is about the account in its data", `{"CreationTime":"2026-01-02T03:04:05","Id":"1","Operation":"AlertTriggered","RecordType":40,"UserId":"SecurityComplianceAlerts","UserType":4,"Name":"n","ObjectId":"o","Data":"{\"f3u\":\"Taro@contoso.example\",\"reid\":\"r-1\"}"}`, map[string]string{"account": "taro@contoso.example", "alert.trigger_id": "r-1", "alert.name": "n"}},
		{"a member named Name of another record is no alert's", admin(`"Operation":"x","Name":"n"`), map[string]string{"alert.name": ""}},
		{"an alert without data is about its object", `{"CreationTime":"2026-01-02T03:04:05","Id":"1","Operation":"AlertEntityGenerated","RecordType":40,"UserId":"SecurityComplianceAlerts","UserType":4,"AlertEntityId":"Eve@contoso.example"}`, map[string]string{"account": "eve@contoso.example"}},
		{"message ids lose their brackets", `{"CreationTime":"2026-01-02T03:04:05","Id":"1","Operation":"Create","RecordType":2,"UserId":"a@contoso.example","Item":{"InternetMessageId":"\u003cx@mail.example\u003e"}}`, map[string]string{"email.message_id": "x@mail.example"}},
		{"a consent's scopes lie in text", `{"CreationTime":"2026-01-02T03:04:05","Id":"1","Operation":"Consent to application.","RecordType":8,"UserId":"a@contoso.example","UserType":0,"ModifiedProperties":[{"Name":"ConsentContext.IsAdminConsent","NewValue":"True"},{"Name":"ConsentAction.Permissions","NewValue":"[] => [[Id: x, ConsentType: AllPrincipals, Scope:  Mail.Read Mail.Send]];"}]}`, map[string]string{"consent.admin": "true", "consent.all_principals": "true"}},
		{"numbers and truths come as text", admin(`"Operation":"x","UserType":"0","ExternalAccess":"false","FileSizeBytes":"10"`), map[string]string{"user.kind": "user", "mailbox.external": "false", "file.size": "10"}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			r := read(t, row.record)
			got := map[string]string{}
			for field := range row.want {
				got[field] = r.field(field)
			}
			if d := cmp.Diff(row.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func hashOf(s string) string {
	return strings.TrimPrefix(hashID([]byte(s)), "sha256:")
}

// TestTimesInElevenNotations: all are the same moment.
func TestTimesInElevenNotations(t *testing.T) {
	want := time.Date(2026, 8, 2, 18, 7, 16, 0, time.UTC)
	for _, s := range []string{"2026-08-02T18:07:16", "2026-08-02T18:07:16Z", "2026-08-02T18:07:16.000Z", "2026-08-02T18:07:16.0000000Z", "2026-08-02T18:07:16.000000+00:00", "2026-08-02 18:07:16.000", "2026-08-02 18:07:16.000000000", "2026-08-02 18:07:16",
		"2026-08-02T20:07:16+0200", "8/2/2026 6:07:16 PM", "8/2/2026 18:07:16", "2026-08-02T18:07:16.000 +0000 UTC", "/Date(1785694036000)/", "/Date(1785694036000+0200)/", "8/2/2026, 6:07:16.000 PM"} {
		if got, ok := Time(s); !ok || !got.Equal(want) {
			t.Errorf("%q is %v, %v", s, got, ok)
		}
	}
	for _, s := range []string{"", "2026-13-02T18:07:16Z", "2026-02-30T18:07:16Z", "2026-08-02T25:07:16Z", "2026-08-02T18:07:16X", "yesterday", "8/2/26 6:07 PM", "13/13/2026 6:07:16 PM", "2026-08-02", "/Date()/", "/Date(x)/", "/Date(9999999999999999)/", "/Date(1"} {
		if got, ok := Time(s); ok {
			t.Errorf("%q is read as %v", s, got)
		}
	}
}

// TestMomentsAreThoseOfTheStandardLibrary: every day from 1900 to 2199.
func TestMomentsAreThoseOfTheStandardLibrary(t *testing.T) {
	for d := time.Date(1900, 1, 1, 23, 59, 58, 7, time.UTC); d.Year() < 2200; d = d.AddDate(0, 0, 1) {
		if got, ok := Time(d.Format("2006-01-02T15:04:05.000000000Z")); !ok || !got.Equal(d) {
			t.Fatalf("%v is read as %v", d, got)
		}
	}
}

func TestFolderClassesInTheMailboxsLanguage(t *testing.T) {
	rows := map[string]string{"Inbox": "inbox", `\RSS Feeds`: "rss", "rss feeds": "rss", "ＲＳＳ フィード": "rss", `taro@contoso.example:\Inbox\Notes`: "notes", "Inbox/Archive": "archive", "Junk-E-Mail": "junk", "Éléments supprimés": "deleted", "": "", `\`: "", "Projects": "custom",
		"会話の履歴": "conversation_history", "同期の失敗": "sync", "下書き": "drafts", "送信済みアイテム": "sent"}
	for s, want := range rows {
		if got := FolderClass(s); got != want {
			t.Errorf("%q is %q, want %q", s, got, want)
		}
	}
}

// TestTheDirectoryResolvesAliases: accounts that records name by alias or object id get their names.
func TestTheDirectoryResolvesAliases(t *testing.T) {
	r := NewPlan(event.NewLayout(), Options{Directory: func(_, name string) (string, bool) {
		upn, ok := map[string]string{"taro": "Taro@contoso.example"}[name]
		return upn, ok
	}}).Reader()
	for rec, want := range map[string]string{
		`{"CreationTime":"2026-01-02T03:04:05","Operation":"x","RecordType":1,"UserId":"contoso.example/Users/taro","UserType":0}`: "taro@contoso.example",
		`{"CreationTime":"2026-01-02T03:04:05","Operation":"x","RecordType":1,"UserId":"CONTOSO\\taro","UserType":0}`:              "taro@contoso.example",
		`{"CreationTime":"2026-01-02T03:04:05","Operation":"x","RecordType":1,"UserId":"jiro","UserType":0}`:                       "jiro",
	} {
		if err := r.ReadAlone([]byte(rec), time.Time{}); err != nil {
			t.Fatal(err)
		}
		if got := r.Identity().Account; got != want {
			t.Errorf("%s is about %q, want %q", rec, got, want)
		}
	}
}

func TestARecordWithoutTimeTakesTheBrokers(t *testing.T) {
	r := NewPlan(event.NewLayout(), Options{}).Reader()
	var e *Error
	if err := r.ReadAlone([]byte(`{"Operation":"x","RecordType":1}`), time.Time{}); !errors.As(err, &e) || e.Reason != BadTime {
		t.Errorf("without any time: %v", err)
	}
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	if err := r.ReadAlone([]byte(`{"Operation":"x","RecordType":1}`), at); err != nil || r.Identity().TimeFrom != "enqueued" || !r.Time().Equal(at) {
		t.Errorf("with the broker's time: %v, %+v", err, r.Identity())
	}
}

// TestALongListIsCutAndCounted: a condition never walks more than a bounded list.
func TestALongListIsCutAndCounted(t *testing.T) {
	r := read(t, admin(`"Operation":"New-InboxRule","Parameters":[{"Name":"ForwardTo","Value":"`+strings.Repeat("a@mail.example;", MaxList+5)+`"}]`))
	if got := len(r.fieldList("inbox_rule.sends_to")); got != MaxList || r.Cut != 1 {
		t.Errorf("%d texts, %d lists cut", got, r.Cut)
	}
}

// TestDuplicatesShareTheirBits: the same record by any road; another time or action is another record.
func TestDuplicatesShareTheirBits(t *testing.T) {
	r := NewPlan(event.NewLayout(), Options{}).Reader()
	bits := func(rec string) uint64 {
		if err := r.ReadAlone([]byte(rec), time.Time{}); err != nil {
			t.Fatal(err)
		}
		return r.Duplicate()
	}
	one := bits(admin(`"Operation":"Add user."`))
	if bits(admin(`"Operation":"Add user","Extra":1`)) != one {
		t.Error("a spelling makes it another record")
	}
	if bits(admin(`"Operation":"Add group."`)) == one || bits(strings.Replace(admin(`"Operation":"Add user."`), "03:04:05", "03:04:06", 1)) == one {
		t.Error("another action or time is the same record")
	}
}

// TestASignInIsKnownByItsOutcomeToo: one id comes as interrupted and then as a success, and other records do not say how they ended.
func TestASignInIsKnownByItsOutcomeToo(t *testing.T) {
	graph := `{"id":"s-1","createdDateTime":"2026-01-02T03:04:05Z","userPrincipalName":"taro@contoso.example","appDisplayName":"Outlook"%s}`
	audit := `{"CreationTime":"2026-01-02T03:04:05","Id":"s-1","RecordType":%s,"Operation":%q,"UserId":"taro@contoso.example"%s}`
	logon := `{"category":"AdvancedHunting-IdentityLogonEvents","time":"2026-01-02T03:04:05Z","properties":{"Timestamp":"2026-01-02T03:04:05Z",` +
		`"ReportId":"s-1","LogonType":"Interactive","Application":"AD","ActionType":%q}}`
	rows := []struct {
		name, one, other string
		same             bool
	}{
		{"two outcomes", fmt.Sprintf(graph, `,"status":{"errorCode":0}`), fmt.Sprintf(graph, `,"status":{"errorCode":50140}`), false},
		{"with and without one", fmt.Sprintf(graph, `,"status":{"errorCode":0}`), fmt.Sprintf(graph, ""), false},
		{"other members", fmt.Sprintf(graph, `,"status":{"errorCode":0}`), fmt.Sprintf(graph, `,"status":{"errorCode":0},"userId":"u-1"`), true},
		{"an audit of a sign-in", fmt.Sprintf(audit, "15", "Sign-in", `,"ErrorNumber":"0"`), fmt.Sprintf(audit, "15", "Sign-in", `,"ErrorNumber":"50126"`), false},
		{"an audit of something else", fmt.Sprintf(audit, "1", "Set-Mailbox", `,"ResultStatus":"True"`), fmt.Sprintf(audit, "1", "Set-Mailbox", `,"ResultStatus":"False"`), true},
		{"a logon", fmt.Sprintf(logon, "LogonSuccess"), fmt.Sprintf(logon, "LogonFailed"), false},
	}
	for _, x := range rows {
		one, other := read(t, x.one), read(t, x.other)
		if same := one.Same() == other.Same(); same != x.same || (one.Duplicate() == other.Duplicate()) != same {
			t.Errorf("%s: %+v and %+v", x.name, one.Same(), other.Same())
		}
	}
}

// TestDerivedFieldsNeedTheirActions: rules are looked up by the operations of a field, so a field that appears for others
// would make them miss records.
func TestDerivedFieldsNeedTheirActions(t *testing.T) {
	r := read(t, admin(`"Operation":"Other","Name":"n","Severity":"s","Data":"{\"f3u\":\"x\",\"reid\":\"y\"}","AlertId":"a","Category":"c","AlertEntityId":"e","ObjectId":"o","Parameters":[{"Name":"ForwardTo","Value":"a@b.example"},{"Name":"DeleteMessage","Value":"True"},{"Name":"MoveToFolder","Value":"Junk"},{"Name":"AccessRights","Value":"FullAccess"},{"Name":"User","Value":"u"},{"Name":"ForwardingSmtpAddress","Value":"a@b.example"},{"Name":"Member","Value":"m"},{"Name":"Identity","Value":"i"}],"ModifiedProperties":[{"Name":"Role.DisplayName","NewValue":"Global Administrator"},{"Name":"ConsentAction.Permissions","NewValue":"Scope: Mail.Read]"}],"OperationProperties":[{"Name":"RuleActions","Value":"[{\"ActionType\":\"Delete\"}]"}]`))
	for _, f := range event.Fields() {
		if len(f.Actions) == 0 {
			continue
		}
		if f.Type == event.List {
			if got := r.fieldList(f.Name); len(got) > 0 {
				t.Errorf("%s is %v without its operations", f.Name, got)
			}
		} else if got := r.field(f.Name); got != "" {
			t.Errorf("%s is %q without its operations", f.Name, got)
		}
	}
}

// TestEveryDerivedFieldIsInTheSchema: and every enumeration's values are told.
func TestEveryDerivedFieldIsInTheSchema(t *testing.T) {
	for _, n := range Names() {
		if _, ok := event.Lookup(n); !ok {
			t.Errorf("%s is derived and in no schema", n)
		}
	}
	for _, f := range event.Fields() {
		if f.Meaning == "" || f.Example == "" {
			t.Errorf("%s has no meaning or no example", f.Name)
		}
	}
}

// FuzzReader: whatever the bytes, reading them ends, and every field of what is an event can be asked for.
func FuzzReader(f *testing.F) {
	f.Add([]byte(admin(`"Operation":"New-InboxRule","Parameters":[{"Name":"ForwardTo","Value":"a@b.example"}]`)))
	f.Add([]byte(admin(`"Operation":"UpdateInboxRules","OperationProperties":"[{\"Name\":\"RuleActions\",\"Value\":\"[{}]\"}]"`)))
	f.Add([]byte(entraEnvelope("AuditLogs", `"activityDisplayName":"Consent to application","targetResources":[{"modifiedProperties":[{"displayName":"x","newValue":"[\"y\"]"}]}]`)))
	f.Add([]byte(`{"CreationTime":"2026-01-02T03:04:05","Operation":"AlertTriggered","RecordType":40,"Data":"{"}`))
	for _, file := range fixtures(f) {
		rec, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(rec)
	}
	f.Add([]byte(around(`"{\"Operation\":\"x\",\"RecordType\":{}}"`)))
	l := event.NewLayout()
	for _, field := range event.Fields() {
		l.Slot(field.Name)
	}
	r := NewPlan(l, Options{}).Reader()
	f.Fuzz(func(t *testing.T, rec []byte) {
		if r.ReadAlone(rec, time.Unix(1, 0)) != nil {
			return
		}
		for s := range l.Len() {
			slot := event.Slot(s)
			if l.Def(slot).Type == event.List {
				r.Event.List(slot)
			} else {
				r.Event.Text(slot)
			}
			r.Has(slot)
		}
		if id := r.Identity(); id.ID == "" || id.Dataset == "" {
			t.Fatalf("%s has no identity: %+v", rec, id)
		}
	})
}

// BenchmarkIdentity is what ingest asks of every record.
func BenchmarkIdentity(b *testing.B) {
	r := NewPlan(event.NewLayout(), Options{}).Reader()
	rec := append([]byte(admin(`"Operation":"New-InboxRule","ClientIP":"203.0.113.7:51234","Parameters":[{"Name":"ForwardTo","Value":"a@b.example"}]`)), slack[:]...)
	n := len(rec) - Slack
	b.ReportAllocs()
	for b.Loop() {
		if err := r.Read(rec, 0, n, time.Time{}); err != nil {
			b.Fatal(err)
		}
		r.Duplicate()
	}
}

// BenchmarkFamilies is the same for a record of each family, and for an audit record inside a row.
func BenchmarkFamilies(b *testing.B) {
	for _, file := range fixtures(b) {
		rec, err := os.ReadFile(file)
		if err != nil {
			b.Fatal(err)
		}
		n := len(rec) - 1
		rec = append(rec[:n], slack[:]...)
		r := NewPlan(event.NewLayout(), Options{}).Reader()
		b.Run(strings.TrimSuffix(strings.TrimPrefix(file, "testdata/"), ".json"), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := r.Read(rec, 0, n, time.Time{}); err != nil {
					b.Fatal(err)
				}
				r.Duplicate()
				r.Event.Text(event.Account)
				r.Event.Text(event.SourceCountry)
			}
		})
	}
}
