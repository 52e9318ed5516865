package decode

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// codes and what a sign-in with them is: action, outcome, error, result, whether the password was right.
var signInCodes = []struct {
	status string // what stands in the place of the code, "" where the member is missing
	want   [5]string
}{
	{`0`, [5]string{"UserLoggedIn", "success", "0", "success", "true"}},
	{`"0"`, [5]string{"UserLoggedIn", "success", "0", "success", "true"}},
	{`"0.0"`, [5]string{"UserLoggedIn", "success", "0", "success", "true"}},
	{`"Success"`, [5]string{"UserLoggedIn", "success", "0", "success", "true"}},
	{`50126`, [5]string{"UserLoginFailed", "failure", "50126", "wrong_credential", "false"}},
	{`"50126"`, [5]string{"UserLoginFailed", "failure", "50126", "wrong_credential", "false"}},
	{`" 50126\r\n"`, [5]string{"UserLoginFailed", "failure", "50126", "wrong_credential", "false"}},
	{`50076`, [5]string{"UserLoginFailed", "failure", "50076", "password_ok_stopped", "true"}},
	{`12345678`, [5]string{"UserLoginFailed", "failure", "12345678", "other", "false"}},
	{``, [5]string{"Sign-in activity"}},
	{`null`, [5]string{"Sign-in activity"}},
	{`""`, [5]string{"Sign-in activity"}},
	{`" "`, [5]string{"Sign-in activity"}},
	{`"N/A"`, [5]string{"Sign-in activity"}},
	{`"Microsoft.Graph.PowerShell.Models.MicrosoftGraphSignInStatus"`, [5]string{"Sign-in activity"}},
	{`{}`, [5]string{"Sign-in activity"}},
	{`[]`, [5]string{"Sign-in activity"}},
	{`true`, [5]string{"Sign-in activity"}},
	{`-1`, [5]string{"Sign-in activity"}},
}

func signInOf(r *Reader) [5]string {
	return [5]string{r.field("event.action"), r.field("event.outcome"), r.field("auth.error"), r.field("auth.result"), r.field("auth.password_ok")}
}

// TestASignInIsWhatItsCodeSays: in each category, by each road, wherever the code stands. Without a code nothing is claimed.
func TestASignInIsWhatItsCodeSays(t *testing.T) {
	optional := func(name, value string) string {
		if value == "" {
			return ""
		}
		return fmt.Sprintf(`,%q:%s`, name, value)
	}
	const reason = `"failureReason":"Other."`
	tried := 0
	for category := range categories {
		if !signInCategory(category) {
			continue
		}
		table := tableOfCategory(category)
		for _, c := range signInCodes {
			status := `{` + strings.TrimPrefix(optional("errorCode", c.status)+","+reason, ",") + `}`
			envelope := func(result, properties string) string {
				return `{"time":"2026-01-02T03:04:05Z","category":"` + category + `","operationName":"Sign-in activity"` + optional("resultType", result) + `,"properties":{"id":"1","userPrincipalName":"a@contoso.example","servicePrincipalId":"s"` + properties + `}}`
			}
			row := func(rest string) string {
				return `{"Type":"` + table + `","TimeGenerated":"2026-01-02T03:04:05Z","Id":"1","UserPrincipalName":"a@contoso.example","ServicePrincipalId":"s","OperationName":"Sign-in activity"` + rest + `}`
			}
			graph := func(rest string) string {
				return `{"id":"1","createdDateTime":"2026-01-02T03:04:05Z","category":"` + category + `","userPrincipalName":"a@contoso.example"` + rest + `}`
			}
			for _, rec := range []string{
				envelope("", optional("status", status)), envelope(c.status, ""), envelope(c.status, `,"status":{}`), envelope(c.status, `,"status":null`), envelope(c.status, `,"status":{"errorCode":"-"}`), envelope(c.status, `,"status":{`+reason+`}`),
				row(optional("ResultType", c.status)), row(`,"ResultType":""` + optional("Status", status)), row(`,"Status":` + quoted(status)), row(optional("status.errorcode", c.status)),
				graph(optional("status", status)), graph(optional("status.errorCode", c.status)), graph(`,"status":"Microsoft.Graph.PowerShell.Models.MicrosoftGraphSignInStatus"` + optional("Status.ErrorCode", c.status)), graph(optional("STATUS", strings.Replace(status, "errorCode", "ErrorCode", 1))),
			} {
				tried++
				if got := signInOf(read(t, rec)); got != c.want {
					t.Errorf("%s is %q, want %q", rec, got, c.want)
				}
			}
		}
	}
	if tried < 5*len(signInCodes)*10 {
		t.Errorf("only %d records", tried)
	}
}

// TestAResultThatSaysFailureIsOne: though it has no code.
func TestAResultThatSaysFailureIsOne(t *testing.T) {
	r := read(t, `{"time":"2026-01-02T03:04:05Z","category":"SignInLogs","resultType":"Failure","properties":{"id":"1","userPrincipalName":"a@contoso.example","status":{}}}`)
	if got, want := signInOf(r), [5]string{"UserLoginFailed", "failure"}; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestALogonThatDefenderSawIsWhatItsActionSays: FailureReason alone makes none.
func TestALogonThatDefenderSawIsWhatItsActionSays(t *testing.T) {
	for row, want := range map[string][5]string{
		`"ActionType":"LogonSuccess"`:                                 {"LogonSuccess", "success", "", "success", "true"},
		`"ActionType":"LogonFailed"`:                                  {"LogonFailed", "failure", "", "other", "false"},
		`"ActionType":"LogonFailed","FailureReason":"WrongPassword"`:  {"LogonFailed", "failure", "", "wrong_credential", "false"},
		`"ActionType":"LogonAttempted"`:                               {"LogonAttempted"},
		`"FailureReason":"WrongPassword"`:                             {"IdentityLogonEvents"},
		`"ActionType":null`:                                           {"IdentityLogonEvents"},
		`"ActionType":"","FailureReason":"WrongPassword"`:             {"IdentityLogonEvents"},
		`"ActionType":"LogonSuccess","ErrorCode":"50126","Status":""`: {"LogonSuccess", "success", "", "success", "true"},
	} {
		for _, rec := range []string{
			`{"time":"2026-01-02T03:04:05Z","category":"AdvancedHunting-IdentityLogonEvents","properties":{"Timestamp":"2026-01-02T03:04:05Z","AccountUpn":"a@contoso.example",` + row + `}}`,
			`{"Type":"IdentityLogonEvents","TimeGenerated":"2026-01-02T03:04:05Z","AccountUpn":"a@contoso.example",` + row + `}`,
		} {
			if got := signInOf(read(t, rec)); got != want {
				t.Errorf("%s is %q, want %q", rec, got, want)
			}
		}
	}
}

// TestDottedColumnsAreTheMembersInside: in any case; where both stand, the member counts.
func TestDottedColumnsAreTheMembersInside(t *testing.T) {
	r := read(t, `{"CreatedDateTime":"2026-01-02T03:04:05Z","Id":"1","UserPrincipalName":"a@contoso.example","Status.ErrorCode":"50126","LOCATION.COUNTRYORREGION":"CH","Location.City":"Zurich","deviceDetail.browser":"Firefox","DeviceDetail":{"Browser":"Edge"}}`)
	for field, want := range map[string]string{"auth.error": "50126", "source.geo.country_iso_code": "CH", "source.geo.city_name": "Zurich", "device.browser": "Edge"} {
		if got := r.field(field); got != want {
			t.Errorf("%s is %q, want %q", field, got, want)
		}
	}
}

// TestImpossibleYearsAreUnreadable: the record's own place for its time decides; another of its own may stand in, neither its
// envelope nor the broker's time does.
func TestImpossibleYearsAreUnreadable(t *testing.T) {
	const good = "2026-01-02T03:04:05Z"
	diagnostic := func(own string) string {
		return `{"time":"` + good + `","category":"SignInLogs","properties":{"id":"1","createdDateTime":"` + own + `"}}`
	}
	audit := func(own string) string {
		return `{"Id":"1","Operation":"x","RecordType":1,"CreationTime":"` + own + `"}`
	}
	rows := map[string]string{
		audit("0001-01-01T00:00:00"): "CreationTime is in the year 0001; expected 1678 to 2261", audit("9999-12-31T23:59:59.9999999Z"): "CreationTime is in the year 9999; expected 1678 to 2261",
		audit("0000-01-01T00:00:00"): "CreationTime is in the year 0000; expected 1678 to 2261", audit("1677-12-31T23:59:59"): "CreationTime is in the year 1677; expected 1678 to 2261", audit("2262-01-01T00:00:00"): "CreationTime is in the year 2262; expected 1678 to 2261",
		audit("1/1/0001 12:00:00 AM"): "CreationTime is in the year 0001; expected 1678 to 2261", audit(`\/Date(-62135596800000)\/`): "CreationTime is in the year 0001; expected 1678 to 2261", audit("/Date(253402300799999)/"): "CreationTime is in the year 9999; expected 1678 to 2261",
		diagnostic("0001-01-01T00:00:00Z"):                                                "createdDateTime is in the year 0001; expected 1678 to 2261",
		`{"time":"0001-01-01T00:00:00Z","category":"SignInLogs","properties":{"id":"1"}}`: "time is in the year 0001; expected 1678 to 2261",
		around(audit("0001-01-01T00:00:00")):                                              "CreationTime is in the year 0001; expected 1678 to 2261",
		audit("1678-01-01T00:00:00"):                                                      "", audit("2261-12-31T23:59:59.999999999Z"): "", diagnostic("yesterday"): "",
		`{"time":"` + good + `","category":"AuditLogs","properties":{"id":"1","createdDateTime":"0001-01-01T00:00:00Z","activityDateTime":"` + good + `"}}`: "",
	}
	r := reader()
	for rec, want := range rows {
		err := r.ReadAlone([]byte(rec), time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
		if want == "" {
			if err != nil {
				t.Errorf("%s: %v", rec, err)
			} else if at := time.Unix(0, r.Time().UnixNano()); !at.Equal(r.Time()) {
				t.Errorf("%s is at %v, in nanoseconds %v", rec, r.Time(), at)
			}
			continue
		}
		var bad *Error
		if !errors.As(err, &bad) || bad.Reason != BadTime || bad.Cause.Error() != want {
			t.Errorf("%s: %v, want %s", rec, err, want)
		}
	}
}

// FuzzTime: what is read is a time that nanoseconds hold, and reads as itself when it is written.
func FuzzTime(f *testing.F) {
	for _, s := range []string{"2026-08-02T18:07:16", "2026-08-02 18:07:16.000000000", "2026-08-02T20:07:16+0200", "8/2/2026 6:07:16 PM", "8/2/2026, 6:07:16.000 PM", "/Date(1785694036000+0200)/", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "0000-02-29T00:00:00Z", "/Date(-62135596800000)/", "1/1/0001 12:00:00 AM", "1678-01-01T00:00:00+23:59"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		at, ok := Time(s)
		if !ok {
			return
		}
		if back := time.Unix(0, at.UnixNano()); !back.Equal(at) {
			t.Fatalf("%q is %v, in nanoseconds %v", s, at, back)
		}
		if again, ok := Time(FormatTime(at)); !ok || !again.Equal(at) {
			t.Fatalf("%q is %v, written %s, read %v", s, at, FormatTime(at), again)
		}
	})
}

// TestAStatusInACellIsRead: as tables have it, and as PowerShell writes objects into cells.
func TestAStatusInACellIsRead(t *testing.T) {
	for cell, want := range map[string]string{
		`"@{ErrorCode=0; FailureReason=Other.; AdditionalDetails=}"`: "UserLoggedIn", `"@{errorCode=50126; failureReason=x}"`: "UserLoginFailed", `"@{failureReason=Other.; errorCode=0}"`: "UserLoggedIn", `"@{FailureReason=Other.}"`: "Sign-in activity", `"@{ErrorCode=; FailureReason=Other.}"`: "Sign-in activity",
		`"50126"`: "UserLoginFailed", `0`: "UserLoggedIn", `"Success"`: "UserLoggedIn", `"Failure"`: "UserLoginFailed", `"Interrupted"`: "Sign-in activity", `"{\"errorCode\":50126}"`: "UserLoginFailed",
	} {
		rec := `{"CreatedDateTime":"2026-01-02T03:04:05Z","Id":"1","UserPrincipalName":"a@contoso.example","AppDisplayName":"Outlook","Status":` + cell + `}`
		if got := read(t, rec).field("event.action"); got != want {
			t.Errorf("%s is %s, want %s", rec, got, want)
		}
	}
}

// TestMethodsOfASignIn: those of the steps that succeeded, each once, by each road.
func TestMethodsOfASignIn(t *testing.T) {
	for _, row := range []struct {
		steps string
		want  []string
	}{
		{`[{"authenticationMethod":"Password","succeeded":true},{"authenticationMethod":"Text message","succeeded":false},{"authenticationMethod":"Mobile app notification","succeeded":"true"},{"authenticationMethod":"Password","succeeded":true}]`, []string{"Password", "Mobile app notification"}},
		{`[{"authenticationMethod":" ","succeeded":true},{"succeeded":true}]`, nil},
		{`[]`, nil},
		{`"x"`, nil},
	} {
		sign := `"id":"1","createdDateTime":"2026-01-02T03:04:05Z","userPrincipalName":"taro@contoso.example","appDisplayName":"x","status":{"errorCode":0},"authenticationDetails":`
		for road, rec := range map[string]string{
			"diagnostic": `{"time":"2026-01-02T03:04:05Z","category":"SignInLogs","properties":{` + sign + row.steps + `}}`,
			"in text":    `{"time":"2026-01-02T03:04:05Z","category":"SignInLogs","properties":{` + sign + fmt.Sprintf("%q", row.steps) + `}}`,
			"graph":      `{` + sign + row.steps + `}`,
		} {
			if got := read(t, rec).fieldList("auth.methods"); !slices.Equal(got, row.want) {
				t.Errorf("%s, %s: %q, want %q", row.steps, road, got, row.want)
			}
		}
	}
}
