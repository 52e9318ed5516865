package decode

import (
	"fmt"
	"testing"
)

// alertRecord is an alert of Microsoft's own with Data and other members.
func alertRecord(data, more string) string {
	return fmt.Sprintf(`{"CreationTime":"2026-01-02T03:04:05","Id":"8b0c0000-0000-0000-0000-000000000001","Operation":"AlertTriggered","RecordType":40,"UserType":4,"UserId":"SecurityComplianceAlerts","UserKey":"SecurityComplianceAlerts","Workload":"SecurityComplianceCenter","Name":"User restricted from sending email","AlertId":"6ee30000-0000-0000-0000-000000000002"%s,"Data":%s}`, more, data)
}

// TestAnAlertIsAboutTheAccountItNames: the first place that names somebody, of several people the first, and never the service
// that wrote the record.
func TestAnAlertIsAboutTheAccountItNames(t *testing.T) {
	const aoi = "aoi@contoso.example"
	for _, row := range []struct{ name, data, more, want string }{
		{"an address", `"{\"f3u\":\"Aoi@contoso.example\",\"sip\":\"\"}"`, "", aoi},
		{"an object", `{"f3u":"aoi@contoso.example"}`, "", aoi},
		{"cut off in the address", `"{\"f3u\":\"aoi@contoso.exam"`, "", ""},
		{"cut off behind the address", `"{\"f3u\":\"aoi@contoso.example\",\"ts\":\"2026-01"`, "", aoi},
		{"cut off, another member", `"{\"f3u\":\"aoi@contoso.exam"`, `,"AlertEntityId":"aoi@contoso.example"`, aoi},
		{"two people", `"{\"f3u\":\"aoi@contoso.example;ren@contoso.example\"}"`, "", aoi},
		{"two people, comma", `"{\"f3u\":\"aoi@contoso.example,ren@contoso.example\"}"`, "", aoi},
		{"a list", `"{\"f3u\":[\"aoi@contoso.example\",\"ren@contoso.example\"]}"`, "", aoi},
		{"a list with nobody first", `"{\"f3u\":[null,\"\",\"aoi@contoso.example\"]}"`, "", aoi},
		{"a display name", `"{\"f3u\":\"Aoi Abe <aoi@contoso.example>\"}"`, "", aoi},
		{"upper case member", `"{\"F3U\":\"aoi@contoso.example\"}"`, "", aoi},
		{"null, then the entity", `"{\"f3u\":null}"`, `,"AlertEntityId":"aoi@contoso.example"`, aoi},
		{"empty, then the object", `"{\"f3u\":\"\"}"`, `,"AlertEntityId":"","ObjectId":"aoi@contoso.example"`, aoi},
		{"the object is the alert's id", `"{\"eid\":\"aoi@contoso.example\"}"`, `,"ObjectId":"6ee30000-0000-0000-0000-000000000002"`, aoi},
		{"ids of records alone", `"{\"f3u\":\"11110000-0000-0000-0000-000000000003\",\"eid\":\"8b0c0000-0000-0000-0000-000000000001\"}"`, `,"ObjectId":"6ee30000-0000-0000-0000-000000000002"`, ""},
		{"suid last", `"{\"eid\":[],\"suid\":\"aoi@contoso.example\"}"`, "", aoi},
		{"the service is nobody", `"{\"f3u\":\"SecurityComplianceAlerts\",\"suid\":\"NT AUTHORITY\\\\SYSTEM\"}"`, "", ""},
		{"an alias", `"{\"f3u\":\"aoi\"}"`, "", "aoi"},
		{"a family of malware", `"{}"`, `,"EntityType":"MalwareFamily","AlertEntityId":"Malware/Evil.Malware.B"`, ""},
		{"a message's id looks like an address", `"{\"eid\":\"x@mail.example\"}"`, `,"EntityType":"MailMessage","AlertEntityId":"<x@mail.example>"`, ""},
		{"its type in the data", `"{\"etype\":\"MessageId\",\"eid\":\"x@mail.example\"}"`, "", ""},
		{"a user by the data", `"{\"etype\":\"User\",\"eid\":\"aoi@contoso.example\"}"`, "", aoi},
		{"a message's id of no type", `"{\"eid\":\"<x@mail.example>\"}"`, "", ""},
		{"a message's id beside the sender", `"{\"etype\":\"MessageId\",\"eid\":\"<x@mail.example>\",\"suid\":\"aoi@contoso.example\"}"`, "", aoi},
		{"two addresses in one name", `"{\"f3u\":\"ceo@contoso.example (aoi@contoso.example)\"}"`, "", ""},
		{"an address and a name", `"{\"f3u\":\"aoi@contoso.example (Aoi Abe)\"}"`, "", aoi},
		{"no data", `null`, "", ""},
		{"data that are no JSON", `"aoi@contoso.example"`, "", ""},
		{"a tenant", `"{\"f3u\":\"\",\"tid\":\"t-1\"}"`, "", ""},
	} {
		r := read(t, alertRecord(row.data, row.more))
		if got := r.field("account"); got != row.want {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
		if got := r.field("alert.entity"); got != row.want {
			t.Errorf("%s: entity %q, want %q", row.name, got, row.want)
		}
	}
}

// TestEvidenceThatIsMerelyRelatedAccusesNobody: the account of a row of evidence is the one that is concerned.
func TestEvidenceThatIsMerelyRelatedAccusesNobody(t *testing.T) {
	for role, want := range map[string]string{"Impacted": "aoi@contoso.example", "": "aoi@contoso.example", "Related": "", "related": ""} {
		rec := fmt.Sprintf(`{"time":"2026-01-02T03:04:05Z","category":"AdvancedHunting-AlertEvidence","properties":{"Timestamp":"2026-01-02T03:04:05Z","AlertId":"fa-1","EntityType":"User","EvidenceRole":%q,"AccountUpn":"Aoi@contoso.example"}}`, role)
		if r := read(t, rec); r.field("account") != want || r.field("alert.entity") != want {
			t.Errorf("%s: %q, %q", role, r.field("account"), r.field("alert.entity"))
		}
	}
}
