package decode

import (
	"fmt"
	"strings"
	"testing"

	"noroshi/internal/event"
)

// TestRolesInPrivilegedIdentityManagement: how and whether a role was given, by the operation.
func TestRolesInPrivilegedIdentityManagement(t *testing.T) {
	for action, want := range map[string]string{
		"Add member to role": "direct completed", "Add eligible member to role": "pim completed", "Remove member from role": "direct removed",
		"Add member to role requested (PIM activation)": "pim_activation requested", "Add member to role approval requested (PIM activation)": "pim_activation requested", "Add member to role request approved (PIM activation)": "pim_activation approved",
		"Add member to role request denied (PIM activation)": "pim_activation denied", "Add member to role canceled (PIM activation)": "pim_activation canceled", "Add member to role completed (PIM activation)": "pim_activation completed",
		"Remove member from role (PIM activation expired)": "pim_activation expired", "Remove member from role completed (PIM deactivate)": "pim_activation removed", "Remove member from role requested (PIM deactivate)": "pim_activation requested",
		"Add member to role in PIM requested (timebound)": "pim requested", "Add member to role in PIM completed (permanent)": "pim completed", "Add member to role in PIM canceled (renew)": "pim canceled", "Add member to role in PIM completed (renew)": "pim completed",
		"Add eligible member to role in PIM requested (renew)": "pim requested", "Add eligible member to role in PIM completed (timebound)": "pim completed", "Add eligible member to role in PIM cancelled (permanent)": "pim canceled",
		"Remove eligible member from role in PIM completed (permanent)": "pim removed", "Remove member from role in PIM requested (timebound)": "pim requested", "Add member to role outside of PIM (permanent)": "outside_pim completed",
		"Restore member from role in PIM completed": "pim completed",
	} {
		for road, rec := range map[string]string{
			"graph":     directoryAudit(action, `{"user":{"id":"u-22","userPrincipalName":"Ren@contoso.example"}}`, ""),
			"audit log": strings.Replace(admin(fmt.Sprintf(`"Operation":"%s.","ObjectId":"ren@contoso.example"`, action)), "Taro@contoso.example", "Ren@contoso.example", 1),
		} {
			r := read(t, rec)
			if got := r.field("role.via") + " " + r.field("role.state"); got != want {
				t.Errorf("%s, %s: %s, want %s", action, road, got, want)
			}
		}
	}
}

// TestAnActivationIsTheMembersOwn: one for somebody else is a grant; names are held against names and ids against ids.
func TestAnActivationIsTheMembersOwn(t *testing.T) {
	const id, other = "11112222-3333-4444-5555-666677778888", "99990000-3333-4444-5555-666677778888"
	for _, row := range []struct{ actor, member, want string }{
		{`{"id":"` + id + `","userPrincipalName":"aoi@contoso.example"}`, `{"id":"` + id + `","type":"User","displayName":"Aoi Abe"}`, "pim_activation"},
		{`{"id":"` + id + `","userPrincipalName":"aoi@contoso.example"}`, `{"id":"` + other + `","type":"User","displayName":"Ren Abe"}`, "pim"},
		{`{"id":"` + id + `","userPrincipalName":"aoi@contoso.example"}`, `{"id":"` + other + `","type":"User","displayName":"aoi@contoso.example"}`, "pim_activation"},
		{`{"id":"","userPrincipalName":"Aoi@contoso.example"}`, `{"id":"` + id + `","type":"User","userPrincipalName":"AOI@contoso.example"}`, "pim_activation"},
		{`{"id":"","userPrincipalName":"aoi@contoso.example"}`, `{"id":"` + id + `","type":"User","userPrincipalName":"ren@contoso.example"}`, "pim"},
		{`{"id":"","userPrincipalName":"aoi@contoso.example"}`, `{"id":"` + id + `","type":"User","displayName":"Ren Abe"}`, "pim_activation"}, // not told
		{`null`, `{"id":"` + id + `","type":"User","userPrincipalName":"ren@contoso.example"}`, "pim_activation"},
	} {
		rec := fmt.Sprintf(`{"id":"1","activityDateTime":"2026-01-02T03:04:05Z","activityDisplayName":"Add member to role completed (PIM activation)","initiatedBy":{"user":%s},"targetResources":[{"type":"Role","id":"r-1","displayName":"Global Administrator"},{"type":"Group","id":"g-1","displayName":"g"},%s]}`, row.actor, row.member)
		if got := read(t, rec).field("role.via"); got != row.want {
			t.Errorf("%s for %s: %s, want %s", row.actor, row.member, got, row.want)
		}
	}
}

// TestTheRoleIsNotItsMember: by the audit log the object may be the role, and a guest's name has two forms.
func TestTheRoleIsNotItsMember(t *testing.T) {
	const role, own = "62e90394-69f5-4237-9190-012177145e10", "aaaabbbb-0000-cccc-1111-dddd2222eeee"
	changes := `"UserKey":"11112222-3333-4444-5555-666677778888","RecordType":8,"ModifiedProperties":[{"Name":"Role.DisplayName","NewValue":"Global Administrator"},{"Name":"Role.ObjectID","NewValue":"` + own + `"}]`
	for _, row := range []struct{ user, object, via, member string }{
		{"aoi@contoso.example", role, "pim_activation", ""},
		{"aoi@contoso.example", own, "pim_activation", ""},
		{"x_mail.example#EXT#@contoso.onmicrosoft.com", "X@mail.example", "pim_activation", "x@mail.example"},
		{"x_y_mail.example#EXT#@contoso.onmicrosoft.com", "x_y@mail.example", "pim_activation", "x_y@mail.example"},
		{"x_mail.example#EXT#@contoso.onmicrosoft.com", "ren@contoso.example", "pim", "ren@contoso.example"},
		{"aoi@contoso.example", "99990000-3333-4444-5555-666677778888", "pim", "99990000-3333-4444-5555-666677778888"},
	} {
		r := read(t, strings.Replace(admin(`"Operation":"Add member to role completed (PIM activation).","ObjectId":"`+row.object+`",`+changes), "Taro@contoso.example", row.user, 1))
		if via, member := r.field("role.via"), r.field("role.member"); via != row.via || member != row.member {
			t.Errorf("%+v: %s, %q", row, via, member)
		}
	}
}

// TestEveryOperationOfRolesHasAState: none is left to be told as done by chance.
func TestEveryOperationOfRolesHasAState(t *testing.T) {
	f, _ := event.Lookup("role.state")
	done := 0
	for _, a := range f.Actions {
		r := read(t, directoryAudit(a, "null", ""))
		state := r.field("role.state")
		if state == "completed" {
			done++
			for _, word := range []string{"request", "Remove", "approv", "den", "cancel", "expir"} {
				if strings.Contains(a, word) {
					t.Errorf("%s is told as done", a)
				}
			}
		}
	}
	t.Logf("%d of %d give a role", done, len(f.Actions))
}
