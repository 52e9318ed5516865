package decode

import "testing"

// TestOperationsAreKnownWhateverTheirCase: of the names that fields and rules ask for; others stay as they are.
func TestOperationsAreKnownWhateverTheirCase(t *testing.T) {
	for spelt, want := range map[string]string{
		"new-inboxrule": "New-InboxRule", "NEW-INBOXRULE": "New-InboxRule", "Set-mailbox ": "Set-Mailbox", "Add  member to role.": "Add member to role", "ADD MEMBER TO ROLE": "Add member to role",
		"userloggedin": "UserLoggedIn", "update  user.": "Update user", "Add member to role completed (pim activation).": "Add member to role completed (PIM activation)",
		"some  thing": "some  thing", "send": "Send", "sending": "sending", "New-InboxRule": "New-InboxRule",
	} {
		if got := read(t, admin(`"Operation":"`+spelt+`"`)).field("event.action"); got != want {
			t.Errorf("%q is %q, want %q", spelt, got, want)
		}
	}
	name := "SET-MAILBOX"
	if n := testing.AllocsPerRun(100, func() { _ = knownOperation(name) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
