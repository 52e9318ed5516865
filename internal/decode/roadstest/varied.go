package roadstest

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"slices"
)

// kept are members without which a record would be another one on some road.
var kept = []string{"Id", "CreationTime", "RecordType", "Operation", "id", "createdDateTime", "activityDateTime", "activityDisplayName", "status", "category"}

// pools are values that members may have instead of their own.
var pools = map[string][]any{
	"ClientIP": {"203.0.113.7", "198.51.100.1:443", "[2001:db8::9]:80", "", "::1", "not an address"}, "ClientIPAddress": {"2001:db8::9", "", "192.0.2.1"}, "ActorIpAddress": {"192.0.2.77"},
	"UserId": {"Hanako@Contoso.example", "11112222-3333-4444-5555-666677778888", "日本@contoso.example", "a \"quoted\" name\\x"}, "ResultStatus": {"True", "False", "Succeeded", "Failed", "PartiallySucceeded", "", nil},
	"UserType": {json.Number("0"), json.Number("2"), json.Number("3"), json.Number("5")}, "OrganizationId": {"T-2", nil}, "Operation": {"New-InboxRule", "Set-Mailbox", "UserLoggedIn", "Add member to role. ", "Add–Mail"},
	"RecordType": {json.Number("1"), json.Number("2"), json.Number("6"), json.Number("8"), json.Number("15"), json.Number("40"), json.Number("50")}, "ErrorNumber": {"0", "50126", nil},
	"userPrincipalName": {"Hanako@Contoso.example", "日本@contoso.example"}, "ipAddress": {"198.51.100.1", "2001:db8::9"}, "result": {"success", "failure", "timeout"}, "userDisplayName": {"日本 \"x\"", nil},
}

// Varied is a record with some members left out and others of other values.
func Varied(of Record, rnd *rand.Rand) string {
	m := object(of.JSON)
	vary(m, rnd)
	if properties, ok := m["properties"].(map[string]any); ok {
		if of.Family == Entra {
			m["callerIpAddress"] = properties["ipAddress"]
			if status, ok := properties["status"].(map[string]any); ok {
				status["errorCode"] = []any{json.Number("0"), json.Number("50126"), "50053"}[rnd.IntN(3)]
				m["resultType"] = status["errorCode"]
			}
		}
	}
	return written(m)
}

func vary(m map[string]any, rnd *rand.Rand) {
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if inner, ok := m[name].(map[string]any); ok {
			if name == "properties" {
				vary(inner, rnd)
			}
			continue
		}
		if pool := pools[name]; pool != nil && rnd.IntN(2) == 0 {
			m[name] = pool[rnd.IntN(len(pool))]
		} else if !slices.Contains(kept, name) && name != "ipAddress" && rnd.IntN(5) == 0 {
			delete(m, name)
		}
	}
}
