package rules

import (
	"fmt"
	"testing"

	"noroshi/internal/diag"
)

// TestPathsThatAddMembersAreDoubted: a member that is near to one that is there, or lies elsewhere in the record, is told; what some
// record has there and what is near to nothing is added without a word.
func TestPathsThatAddMembersAreDoubted(t *testing.T) {
	for _, one := range []struct{ like, path, name, meant string }{
		{"new-inbox-rule", "UserID", "", ""}, // it is there, whatever its case
		{"new-inbox-rule", "ClientIPs", "ClientIPs", "ClientIP"},
		{"new-inbox-rule", "Parameters[MoveToFoldr]", "MoveToFoldr", "MoveToFolder"},
		{"new-inbox-rule", "Parameters[ForwardTo]", "", ""},
		{"new-inbox-rule", "Parameters[StopProcessingRules]", "", ""},
		{"new-inbox-rule", "Parameters[Entirely New]", "", ""},
		{"new-inbox-rule", "SessionId", "", ""},
		{"new-inbox-rule", "NewFromMicrosoft", "", ""},
		{"signin", "ipAddress", "ipAddress", "properties.ipAddress"},
		{"signin", "userPrincipalName", "userPrincipalName", "properties.userPrincipalName"},
		{"signin", "properties.errorCode", "errorCode", "properties.status.errorCode"},
		{"signin", "properties.ipAdress", "ipAdress", "ipAddress"},
		{"signin", "properties.status.erorCode", "erorCode", "errorCode"},
		{"signin", "properties.userPrincipalName", "", ""},
		{"signin", "properties.autonomousSystemNumber", "", ""},
		{"signin", "properties.brandNew", "", ""},
		{"cloud-app-event", "properties.RawEventData.ResultStatu", "ResultStatu", "ResultStatus"},
	} {
		for _, key := range []string{"set", "times: 2, each"} {
			text := fmt.Sprintf("id: a\ntitle: A\nseverity: low\nwhen: event.action == \"Send\"\ntests:\n  - {name: x, events: [{like: %s, %s: {%q: \"x{n}\"}}], want: []}\n", one.like, key, one.path)
			set, ps := Load(Options{Paths: []string{put(t, map[string]string{"r.yaml": text})}, Now: now})
			switch {
			case set.Find("a") == nil || diag.Errors(ps) > 0:
				t.Errorf("%s %s: it does not load: %v", one.like, one.path, ps)
			case one.name == "" && len(ps) == 0:
			case len(ps) != 1 || ps[0].Message != fmt.Sprintf("the record has no %q here, and this adds it", one.name) || ps[0].Suggestion != one.meant || ps[0].Code != "path":
				t.Errorf("%s %s: got %+v", one.like, one.path, ps)
			}
		}
	}
}
