package decode

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFolderNamesMayBeWrittenWithCombiningMarks(t *testing.T) {
	for name, want := range map[string]string{"Boi\u0302te de re\u0301ception": "inbox", "E\u0301le\u0301ments supprime\u0301s": "deleted", "ＲＳＳ Ｆｅｅｄｓ": "rss", "Boite": "custom"} {
		if got := FolderClass(name); got != want {
			t.Errorf("%q is %s, want %s", name, got, want)
		}
	}
}

func TestNothingInQuotesSeparatesDestinations(t *testing.T) {
	for list, want := range map[string][]string{
		`"Doe; Jo" <a@b.example>`:                       {"a@b.example"},
		`"Doe, Jo" <a@b.example>; smtp:C@d.example`:     {"a@b.example", "c@d.example"},
		`"Doe, Jo" <a@b.example>, "K" <c@d.example>`:    {"a@b.example", "c@d.example"},
		`inch" <a@b.example>;c@d.example`:               {"a@b.example", "c@d.example"},
		`"A" [SMTP:a@b.example];"C" [SMTP:c@d.example]`: {"a@b.example", "c@d.example"},
	} {
		if diff := cmp.Diff(want, Destinations(list)); diff != "" {
			t.Errorf("%s: %s", list, diff)
		}
	}
}

func TestAnAlertWithoutNamesIsAboutTheUserOfItsEvidence(t *testing.T) {
	r := read(t, `{"CreationTime":"2026-01-02T03:04:05","Id":"1","RecordType":40,"UserType":4,"UserId":"SecurityComplianceAlerts","Operation":"AlertEntityGenerated","Evidence":[{"Kind":"ip"},{"UserPrincipalName":"Eve@contoso.example"}]}`)
	if got := r.field("account"); got != "eve@contoso.example" {
		t.Errorf("the account is %q", got)
	}
}

func TestDesktopRuleOperationsIgnoreCase(t *testing.T) {
	r := read(t, admin(`"Operation":"UpdateInboxRules","OperationProperties":[{"Name":"ruleoperation","Value":"addmailboxrule"}]`))
	if got := r.field("inbox_rule.op"); got != "create" {
		t.Errorf("the operation is %q", got)
	}
}
