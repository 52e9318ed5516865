package event

import "testing"

func TestMembersOfRecordsHaveFields(t *testing.T) {
	for name, want := range map[string]string{
		"Operation": "event.action", "operation": "event.action", "ClientIP": "source.ip", "UserId": "user.name", "RecordType": "event.code", "ResultStatus": "event.outcome",
		"Workload": "event.provider", "ObjectId": "target.name", "userPrincipalName": "user.name", "properties.ipAddress": "source.ip", "ipAddress": "source.ip",
		"appDisplayName": "app.name", "MailboxOwnerUPN": "mailbox.owner", "CreationTime": "event.time", "errorCode": "auth.error", "UserAgent": "user_agent.original",
		"AppId": "app.id", "OrganizationId": "organization.id", "Subject": "email.subject", "properties.status.errorCode": "auth.error", "Severity": "alert.severity",
	} {
		if _, got, _ := Recorded(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if _, f, ok := Recorded("Nonsense"); ok {
		t.Errorf("Nonsense is %s", f)
	}
}
