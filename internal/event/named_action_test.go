package event

import "testing"

// TestActionsThatAreNearlyKnown: a misspelt operation is asked about; another operation is not, however near its name is.
func TestActionsThatAreNearlyKnown(t *testing.T) {
	action, _ := Lookup("event.action")
	for name, want := range map[string]string{
		"UserLogonFailed":       "UserLoginFailed",
		"UserLoggedln":          "UserLoggedIn",
		"New-InboxRul":          "New-InboxRule",
		"Nwe-InboxRule":         "New-InboxRule",
		"SoftDelet":             "SoftDelete",
		"Add member to rol":     "Add member to role",
		"Get-Mailbox":           "",
		"New-Mailbox":           "",
		"Get-InboxRule":         "",
		"Add member to group":   "",
		"FolderBind":            "",
		"UserLoggedOff":         "",
		"FileUploaded":          "",
		"AnonymousLinkUsed":     "",
		"x":                     "",
		"Enable account":        "",
		"FileSyncUploadedFull":  "",
		"New-InboxRule":         "",
		"Set-TransportRule":     "",
		"CompanyLinkCreated":    "",
		"Set-UnifiedGroup":      "",
		"Add device":            "",
		"Disable-TransportRule": "",
	} {
		if d := action.Doubts(Equals, name); d.Meant != want || d.Certain {
			t.Errorf("%s: %+v; want %q", name, d, want)
		}
	}
	for _, known := range Actions {
		if d := action.Doubts(Equals, known); d.Why != "" {
			t.Errorf("%s is known: %+v", known, d)
		}
	}
}
