package event

import (
	"slices"
	"testing"
)

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

func TestEntriesOfRecordsHaveFields(t *testing.T) {
	for name, want := range map[string][]string{
		"MoveToFolder": {"inbox_rule.moves_to"}, "movetofolder": {"inbox_rule.moves_to"}, "ForwardTo": {"inbox_rule.sends_to"},
		"BodyContainsWords": {"inbox_rule.words"}, "ForwardingSmtpAddress": {"forward.to"}, "AccessRights": {"grant.rights"},
		"Role.DisplayName": {"role.name"}, "RuleState": {"inbox_rule.stops"}, "Nonsense": nil, "operation": nil,
		"RuleActions": {"inbox_rule.sends_to", "inbox_rule.deletes", "inbox_rule.moves_to", "inbox_rule.marks_read"},
	} {
		if _, _, got := Entered(name); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}
