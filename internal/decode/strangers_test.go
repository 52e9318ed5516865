package decode

import (
	"strings"
	"testing"
	"time"
)

// TestARowOfCloudAppEventsWithoutItsAuditRecordIsTold: other applications have records of their own there.
func TestARowOfCloudAppEventsWithoutItsAuditRecordIsTold(t *testing.T) {
	const row = `{"Timestamp":"2026-01-02T03:04:05Z","ActionType":"New-InboxRule","Application":"Microsoft Exchange Online","ReportId":"r","RawEventData":`
	for text, told := range map[string]bool{
		row + `null}`: true, row + `""}`: true, row + `{}}`: true, row + `{"Id":"x","Workload":"Exchange"}}`: true, row + `"System.Collections.Hashtable"}`: true, row + `"{\"Id\":"}`: true,
		strings.Replace(row, "Microsoft Exchange Online", "GitHub", 1) + `{"action":"x"}}`: false,
		strings.Replace(row, "Microsoft Exchange Online", "GitHub", 1) + `null}`:           true,
		row + admin(`"Operation":"New-InboxRule"`) + `}`:                                   false,
		around(`null`): true,
	} {
		r := read(t, text)
		if !told && r.Partial() == "" {
			continue
		}
		if !told || r.Dataset() != "defender.cloud_app_events" || !strings.HasPrefix(r.Partial(), "the audit record in RawEventData is missing") {
			t.Errorf("%s of %s tells %q", text, r.Dataset(), r.Partial())
		}
	}
}

// TestARowOfASearchIsReadWithoutItsRecordType: where its record is missing or cut off, what lies around it is read.
func TestARowOfASearchIsReadWithoutItsRecordType(t *testing.T) {
	for _, inside := range []string{`""`, `null`, `"{\"CreationTime\":\"2026-01-02T03:04:05\",\"Operation\":\"New-Inb"`, `"x"`} {
		r := read(t, `{"CreationDate":"2026-01-02T03:04:05Z","UserIds":"taro@contoso.example","Operations":"New-InboxRule","AuditData":`+inside+`}`)
		if r.Identity().Action != "New-InboxRule" || r.field("account") != "taro@contoso.example" || !strings.HasPrefix(r.Partial(), "the audit record in AuditData ") {
			t.Errorf("%s is %s, %q", inside, said(r), r.Partial())
		}
	}
}

// TestACodeIsReadFromItsOwnMember: not from a reason that speaks of one.
func TestACodeIsReadFromItsOwnMember(t *testing.T) {
	for text, want := range map[string]string{
		"@{ErrorCode=50126; FailureReason=x}": "50126", "@{FailureReason=ErrorCode=0 ok; ErrorCode=50126}": "50126", "@{FailureReason=x; errorcode=0}": "0",
		"@{FailureReason=a; ErrorCode=1; b; ErrorCode=50126; AdditionalDetails=}": "50126", "@{FailureReason=ErrorCode=0}": "", "@{}": "", " @{ErrorCode=0050}": "50", "50126": "50126", "success": "0",
	} {
		if got := codeNumber(text); got != want {
			t.Errorf("%s is %q, want %q", text, got, want)
		}
	}
}

// TestTimesAsWindowsPowerShellWritesThem: an object with the time in it.
func TestTimesAsWindowsPowerShellWritesThem(t *testing.T) {
	const date = `{"value":"/Date(1767323045000)/","DisplayHint":2,"DateTime":"Friday, 2 January 2026 03:04:05"}`
	for _, text := range []string{
		`{"CreationTime":` + date + `,"Operation":"x","RecordType":1,"UserId":"taro@contoso.example"}`,
		`{"CreatedDateTime":` + date + `,"Id":"1","UserPrincipalName":"taro@contoso.example","AppDisplayName":"O"}`,
		`{"ActivityDateTime":` + date + `,"Id":"1","ActivityDisplayName":"Add member to role","Category":"RoleManagement"}`,
		`{"CreationDate":` + date + `,"UserIds":"taro@contoso.example","Operations":"x","RecordType":"ExchangeAdmin","AuditData":""}`,
	} {
		if r := read(t, text); !r.Time().Equal(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)) {
			t.Errorf("%s is at %v", text, r.Time())
		}
	}
}

// TestATimeThatCannotBeReadIsNamed: with its member and what it holds.
func TestATimeThatCannotBeReadIsNamed(t *testing.T) {
	for value, want := range map[string]string{
		"3.2.2026, 01:02:03.000":                   `TimeGenerated is "3.2.2026, 01:02:03.000", `,
		"? 3/2/2026, 10:02:03.000 AM [Local Time]": `TimeGenerated is "3/2/2026, 10:02:03.000 AM [Local Time]", `,
	} {
		err := reader().ReadAlone([]byte(`{"TimeGenerated":"`+value+`","Operation":"New-InboxRule","RecordType":"ExchangeAdmin","Type":"OfficeActivity"}`), time.Time{})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "export times in UTC") {
			t.Errorf("%s is %v", value, err)
		}
	}
}

// TestARowWithoutTypeIsOfTheTableThatItsCategoryNames: as its time of the workspace tells that it is a row.
func TestARowWithoutTypeIsOfTheTableThatItsCategoryNames(t *testing.T) {
	for category, want := range map[string]string{"SignInLogs": "entra.signin", "nonInteractiveUserSignInLogs": "entra.signin_noninteractive", "ADFSSignInLogs": "entra.signin_adfs", "RoleManagement": "unknown"} {
		if r := read(t, `{"TimeGenerated":"2026-01-02T03:04:05Z","Category":"`+category+`","Id":"1","UserPrincipalName":"taro@contoso.example","ResultType":"50126"}`); r.Dataset() != want {
			t.Errorf("%s is %s", category, r.Dataset())
		}
	}
}
