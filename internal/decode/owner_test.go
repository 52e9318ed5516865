package decode

import "testing"

// TestWhoseMailboxACommandIsAbout: the account is the one who acts; whose mailbox it is stands in the parameters.
func TestWhoseMailboxACommandIsAbout(t *testing.T) {
	const path = `"ObjectId":"X.EXAMPLE.COM/Hosted/contoso.onmicrosoft.com/Ren\\..",`
	param := func(pairs ...string) string {
		list := ""
		for i := 0; i < len(pairs); i += 2 {
			if i > 0 {
				list += ","
			}
			list += `{"Name":"` + pairs[i] + `","Value":"` + pairs[i+1] + `"}`
		}
		return `"Parameters":[` + list + `]`
	}
	const ren, own = "ren@contoso.example", "taro@contoso.example"
	for name, row := range map[string]struct{ record, want string }{
		"parameter Mailbox":                         {`"Operation":"New-InboxRule",` + path + param("Mailbox", "Ren@contoso.example", "Name", ".."), ren},
		"parameter Mailbox, alias":                  {`"Operation":"Set-InboxRule",` + param("Mailbox", "Ren", "Identity", ".."), "ren"},
		"Mailbox goes before Identity":              {`"Operation":"Set-InboxRule",` + param("Identity", `other\\..`, "mailbox", "Ren"), "ren"},
		"owner and rule":                            {`"Operation":"Enable-InboxRule",` + param("Identity", `Ren\\a\\b`), "ren"},
		"address and rule":                          {`"Operation":"Disable-InboxRule",` + param("Identity", `Ren@contoso.example\\..`), ren},
		"path and rule":                             {`"Operation":"Remove-InboxRule",` + param("Identity", `x.example.com/Hosted/contoso.onmicrosoft.com/Ren\\..`), "ren"},
		"a new rule, the object's path":             {`"Operation":"New-InboxRule",` + path + param("Name", ".."), own},
		"a new rule, no parameters":                 {`"Operation":"New-InboxRule",` + path + `"Parameters":null`, own},
		"a new rule, the object's id":               {`"Operation":"New-InboxRule","ObjectId":"x.example.com/Hosted/11112222-3333-4444-5555-666677778888\\x",` + param("Name", "x"), own},
		"a new rule, the object's address":          {`"Operation":"New-InboxRule","ObjectId":"x.example.com/Hosted/ren@contoso.example\\x",` + param("Name", "x"), own},
		"a new rule, a display name":                {`"Operation":"New-InboxRule","ObjectId":"Taro Yamada\\boss@contoso.example\\x",` + param("Name", "x"), own},
		"a changed rule, the object's path":         {`"Operation":"Set-InboxRule",` + path + param("Identity", "17293822569102704641"), own},
		"a changed rule, the object's address":      {`"Operation":"Set-InboxRule","ObjectId":"Ren@contoso.example\\x",` + param("Identity", "17293822569102704641"), ren},
		"one's own address in the first domain":     {`"Operation":"New-InboxRule","OrganizationName":"contoso.onmicrosoft.com",` + param("Mailbox", "TARO@contoso.onmicrosoft.com"), own},
		"the same, the organisation's name untold":  {`"Operation":"Set-Mailbox",` + param("Identity", "TARO@contoso.onmicrosoft.com"), own},
		"an address in another's first domain":      {`"Operation":"New-InboxRule","OrganizationName":"contoso.onmicrosoft.com",` + param("Mailbox", "taro@fabrikam.onmicrosoft.com"), "taro@fabrikam.onmicrosoft.com"},
		"a distinguished name with a comma":         {`"Operation":"New-InboxRule",` + param("Mailbox", `CN=Ren\\, Abe,OU=x,DC=y`), "ren, abe"},
		"a distinguished name with a comma, rule":   {`"Operation":"Set-InboxRule",` + param("Identity", `CN=Ren\\, Abe,OU=x,DC=y\\rule`), "ren, abe"},
		"an id in base64 and the object's name":     {`"Operation":"Set-Mailbox","ObjectId":"Ren",` + param("Identity", "AAMkAGI2TGuLAAA1c2VydmljZQ=="), "ren"},
		"an alias and the object's name":            {`"Operation":"Set-Mailbox","ObjectId":"x.example.com/Hosted/Ren Abe",` + param("Identity", "Ren"), "ren"},
		"a rule alone is one's own":                 {`"Operation":"Set-InboxRule",` + param("Identity", ".."), own},
		"a rule by its number is one's own":         {`"Operation":"Set-InboxRule",` + param("Identity", "17293822569102704641"), own},
		"nothing named is one's own":                {`"Operation":"New-InboxRule",` + param("Name", ".."), own},
		"one's own address":                         {`"Operation":"New-InboxRule",` + param("Mailbox", "TARO@contoso.example"), own},
		"one's own alias":                           {`"Operation":"Set-Mailbox",` + param("Identity", "Taro"), own},
		"one's own path":                            {`"Operation":"New-InboxRule","ObjectId":"x.example.com/Hosted/contoso.onmicrosoft.com/Taro\\..",` + param("Name", ".."), own},
		"Set-Mailbox":                               {`"Operation":"Set-Mailbox","ObjectId":"ren",` + param("Identity", "Ren@contoso.example"), ren},
		"Set-Mailbox, its object":                   {`"Operation":"Set-Mailbox","ObjectId":"Ren","Parameters":[]`, "ren"},
		"Set-Mailbox, distinguished name":           {`"Operation":"Set-Mailbox",` + param("Identity", "CN=Ren,OU=contoso.onmicrosoft.com"), "ren"},
		"Set-Mailbox, alias and object's address":   {`"Operation":"Set-Mailbox","ObjectId":"Ren@contoso.example",` + param("Identity", "Ren"), ren},
		"Set-Mailbox, id and object's name":         {`"Operation":"Set-Mailbox","ObjectId":"x.example.com/Hosted/Ren",` + param("Identity", "11112222-3333-4444-5555-666677778888"), "ren"},
		"Set-Mailbox of nobody":                     {`"Operation":"Set-Mailbox","Parameters":[]`, ""},
		"permission":                                {`"Operation":"Add-MailboxPermission",` + param("Identity", "Ren", "User", "eve"), "ren"},
		"permission of a folder":                    {`"Operation":"Add-MailboxFolderPermission",` + param("Identity", `ren@contoso.example:\\Inbox`, "User", "eve"), ren},
		"bypass":                                    {`"Operation":"Set-MailboxAuditBypassAssociation",` + param("Identity", "Ren", "AuditBypassEnabled", "True"), "ren"},
		"items of a delegate":                       {`"Operation":"HardDelete","MailboxOwnerUPN":"Ren@contoso.example"`, ren},
		"another's address with one's own alias":    {`"Operation":"Set-Mailbox",` + param("Identity", "taro@fabrikam.example"), "taro@fabrikam.example"},
		"a command that is about no mailbox":        {`"Operation":"Add-RoleGroupMember",` + param("Identity", "Organization Management"), ""},
		"a rule that is no inbox rule has no owner": {`"Operation":"New-TransportRule",` + param("Name", "x"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := read(t, admin(row.record))
			if got := r.field("mailbox.owner"); got != row.want {
				t.Errorf("the owner is %q, want %q", got, row.want)
			}
			if got := r.field("user.target.name"); row.want != "" && got != row.want {
				t.Errorf("the target is %q, want %q", got, row.want)
			}
			if got := r.field("account"); got != own {
				t.Errorf("the account is %q", got)
			}
		})
	}
}

// TestDisplayNamesThatAreOnesOwn: words of a display name in whatever order make up the user name.
func TestDisplayNamesThatAreOnesOwn(t *testing.T) {
	for _, row := range []struct {
		name, local string
		want        bool
	}{{"taro", "taro", true}, {"abe, aoi", "aoi.abe", true}, {"aoi abe", "aoiabe", true}, {"aoi", "aoi.abe", false}, {"aoi abe ito", "aoi.abe", false}, {"ren", "renate", false}, {"", "x", false}, {"-", "-", false}} {
		if got := sameWords(row.name, row.local); got != row.want {
			t.Errorf("%q and %q: %v", row.name, row.local, got)
		}
	}
}
