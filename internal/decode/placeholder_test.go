package decode

import (
	"fmt"
	"strings"
	"testing"

	"noroshi/internal/event"
)

// nobody are texts that name nobody.
var nobody = []string{"", " ", "\t\r\n", "-", "--", " - ", "Not Available", "NOT AVAILABLE", "not available ", "<not available>", "Unknown", "unknown", "UNKNOWN", "(unknown)", "N/A", "n/a", "<null>", "null", "NULL", "(null)", "[]", "{}", "None", "undefined",
	"00000000-0000-0000-0000-000000000000", "{00000000-0000-0000-0000-000000000000}", "00000000000000000000000000000000", "0"}

// somebody are texts that do, though they look alike.
var somebody = []string{"unknown@contoso.example", "not.available@contoso.example", "null@contoso.example", "-@contoso.example", "0@contoso.example", "n/a@contoso.example", "unknown user", "nullius", "00000000-0000-0000-0000-000000000001", "none-of-your-business", "nan", "na", "nancy", "0x1", "00000000-0000-0000-0000-000000000000@contoso.example"}

func TestPlaceholders(t *testing.T) {
	for _, s := range nobody {
		if !placeholder(s) || nameOf(s) != "" {
			t.Errorf("%q is a name", s)
		}
	}
	for _, s := range somebody {
		if placeholder(s) || nameOf(" "+strings.ToUpper(s)+" ") != event.Lower(s) {
			t.Errorf("%q is no name", s)
		}
	}
}

// actorRoads are records of each road with somebody's name and id in their places.
var actorRoads = []struct{ name, record string }{
	{"audit log", `{"CreationTime":"2026-01-02T03:04:05","Id":"1","Operation":"UserLoginFailed","RecordType":15,"UserType":0,"UserId":%[1]s,"UserKey":%[2]s,"ErrorNumber":"50034","ApplicationId":"a-1","Actor":[{"ID":%[2]s,"Type":0},{"ID":%[1]s,"Type":5}]}`},
	{"sign-in, diagnostic settings", `{"time":"2026-01-02T03:04:05Z","category":"SignInLogs","identity":%[1]s,"properties":{"id":"1","userPrincipalName":%[1]s,"userId":%[2]s,"appDisplayName":"Outlook","appId":"a-1","status":{"errorCode":50034}}}`},
	{"sign-in, Microsoft Graph", `{"id":"1","createdDateTime":"2026-01-02T03:04:05Z","userPrincipalName":%[1]s,"userId":%[2]s,"appDisplayName":"Outlook","appId":"a-1","status":{"errorCode":50034}}`},
	{"sign-in, PowerShell", `{"Id":"1","CreatedDateTime":"2026-01-02T03:04:05Z","UserPrincipalName":%[1]s,"UserId":%[2]s,"AppDisplayName":"Outlook","AppId":"a-1","Status":{"ErrorCode":50034}}`},
	{"sign-in, Log Analytics", `{"Type":"SigninLogs","TimeGenerated":"2026-01-02T03:04:05Z","Id":"1","Identity":%[1]s,"UserPrincipalName":%[1]s,"UserId":%[2]s,"AppDisplayName":"Outlook","ResultType":"50034"}`},
	{"directory audit", `{"id":"1","activityDateTime":"2026-01-02T03:04:05Z","activityDisplayName":"x","initiatedBy":{"user":{"userPrincipalName":%[1]s,"id":%[2]s}}}`},
	{"risk detection", `{"id":"1","riskEventType":"x","riskLevel":"high","riskState":"atRisk","activityDateTime":"2026-01-02T03:04:05Z","detectedDateTime":"2026-01-02T03:04:05Z","userPrincipalName":%[1]s,"userId":%[2]s}`},
	{"Defender XDR", `{"time":"2026-01-02T03:04:05Z","category":"AdvancedHunting-IdentityLogonEvents","properties":{"Timestamp":"2026-01-02T03:04:05Z","ActionType":"LogonFailed","AccountUpn":%[1]s,"AccountName":%[1]s,"AccountObjectId":%[2]s,"Application":"Active Directory"}}`},
	{"cloud apps", `{"time":"2026-01-02T03:04:05Z","category":"AdvancedHunting-CloudAppEvents","properties":{"Timestamp":"2026-01-02T03:04:05Z","ActionType":"x","AccountId":%[1]s,"AccountObjectId":%[2]s,"Application":"Microsoft Exchange Online"}}`},
}

// TestAPlaceholderIsNobody: in the place of the name, of the id, or of both, by every road. Strangers share no account, and an
// application's name does not take the place of a person's.
func TestAPlaceholderIsNobody(t *testing.T) {
	for _, road := range actorRoads {
		for _, none := range append([]string{}, nobody...) {
			for _, c := range []struct{ name, id, want string }{
				{none, none, ""}, {none, "u-77", "u-77"}, {"Aoi@contoso.example", none, "aoi@contoso.example"}, {"Aoi@contoso.example", "u-77", "aoi@contoso.example"},
			} {
				rec := fmt.Sprintf(road.record, quoted(c.name), quoted(c.id))
				r := read(t, rec)
				if got := r.field("account"); got != c.want {
					t.Errorf("%s: %s has the account %q, want %q", road.name, rec, got, c.want)
				}
				name, id := "", ""
				if !placeholder(c.name) {
					name = event.Lower(c.name)
				}
				if !placeholder(c.id) {
					id = c.id
				}
				if r.field("user.name") != name || r.field("user.id") != id && road.name != "cloud apps" {
					t.Errorf("%s: %s names %q, %q", road.name, rec, r.field("user.name"), r.field("user.id"))
				}
			}
		}
		for _, name := range somebody[:5] {
			if got := read(t, fmt.Sprintf(road.record, quoted(name), quoted(nobody[6]))).field("account"); got != name {
				t.Errorf("%s: %q becomes %q", road.name, name, got)
			}
		}
	}
}
