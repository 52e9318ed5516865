package cond

import (
	"slices"
	"testing"
)

// TestConstantsThatCannotHold: what a field can never be is told with what was meant, and what was meant is not.
func TestConstantsThatCannotHold(t *testing.T) {
	rows := []struct {
		when  string
		at    int
		meant string
	}{
		{`event.action == "Delete user."`, 16, "Delete user"},
		{`event.action == " Delete user "`, 16, "Delete user"},
		{`event.action endsWith "role."`, 22, "role"},
		{`event.action contains "PIM – x"`, 22, "PIM - x"},
		{`event.action == "new-inboxrule"`, 16, "New-InboxRule"},
		{`event.action == "*-InboxRule"`, 16, `endsWith "-InboxRule"`},
		{`iequals(event.action, "Delete user.")`, 22, "delete user"},
		{`inbox_rule.folder_class == "RSS"`, 27, "rss"},
		{`inbox_rule.folder_class in ["rss", "RSS Feeds"]`, 35, "rss"},
		{`mailbox.dest_class != "Deleted Items"`, 22, "deleted"},
		{`user.kind == "admin"`, 13, ""},
		{`event.outcome == "Failure"`, 17, "failure"},
		{`event.outcome == "failed"`, 17, "failure"},
		{`event.outcome startsWith "F"`, 25, ""},
		{`icontains(event.outcome, "Error")`, 25, ""},
		{`lower(event.outcome) == "Failure"`, 24, "failure"},
		{`event.outcome matches "^F"`, 22, ""},
		{`source.ip == "198.51.100.21:40001"`, 13, "198.51.100.21"},
		{`source.ip == "[2001:DB8::1]:443"`, 13, "2001:db8::1"},
		{`source.ip == "2001:0db8:0::1"`, 13, "2001:db8::1"},
		{`source.ip == "10.0.0.0/8"`, 13, "in_net(source.ip, lists.name) with 10.0.0.0/8 in the list"},
		{`source.ip startsWith "10.0.0.0/"`, 21, ""},
		{`source.ip == "127.0.0.1"`, 13, ""},
		{`source.ip in ["203.0.113.7", "203.0.113.*"]`, 29, ""},
		{`auth.result == "failure"`, 15, "wrong_credential"},
		{`user.name in ["Aoi@contoso.example"]`, 14, "aoi@contoso.example"},
		{`user.name == "Aoi@contoso.example"`, 13, "aoi@contoso.example"},
		{`"Aoi@contoso.example" == user.name`, 0, "aoi@contoso.example"},
		{`"Aoi@contoso.example" in [user.name, user.target.name]`, 0, "aoi@contoso.example"},
		{`user.name == "*@contoso.example"`, 13, `endsWith "@contoso.example"`},
		{`user.name contains "Aoi"`, 19, "aoi"},
		{`user.name matches "^Aoi.*@contoso"`, 18, ""},
		{`user.name matches "^(Aoi|Yui)@"`, 18, ""},
		{`user.domain == "@contoso.example"`, 15, "contoso.example"},
		{`domain(user.name) == "Contoso.example"`, 21, "contoso.example"},
		{`upper(user.name) == "aoi"`, 20, "AOI"},
		{`trim(inbox_rule.name) == " x"`, 25, "x"},
		{`lower(inbox_rule.name) == "Invoice"`, 26, "invoice"},
		{`lower(param["Name"]) contains "X"`, 30, "x"},
		{`"Eve@mail.example" in forward.to`, 0, "eve@mail.example"},
		{`any(forward.to, # == "Eve@mail.example")`, 21, "eve@mail.example"},
		{`any(forward.to, domain(#) in ["mail.example", "Mail.example.net"])`, 46, "mail.example.net"},
		{`none(inbox_rule.sends_to, any(forward.to, # endsWith "Example"))`, 53, "example"},
		{`user.name == "a" ? user.kind == "User" : true`, 32, "user"},
		{`source.geo.country_iso_code == "Russia"`, 31, "RU"},
		{`source.geo.country_iso_code == "nl"`, 31, "NL"},
		{`!(source.geo.country_iso_code in ["JP", "USA"])`, 40, "US"},
		{`event.time == "2026-01-02"`, 14, "2026-01-02T00:00:00.000Z"},
		{`event.time == "2026-01-02T03:04:05Z"`, 14, "2026-01-02T03:04:05.000Z"},
		{`event.time startsWith "2026/01"`, 22, ""},
		{`event.dataset == "Entra.SignIn"`, 17, "entra.signin"},
		{`event.code == "015"`, 14, "15"},
		{`auth.error == "Success"`, 14, "0"},
		{`auth.risk == "High"`, 13, "high"},
		{`auth.ca_status == "notapplied"`, 18, "notApplied"},
		{`email.direction == "Outbound"`, 19, "outbound"},
		{`mailbox.access_type in ["bind"]`, 24, "Bind"},
		{`mailbox.logon == "2"`, 17, "delegate"},
		{`email.message_id == "<a@mail.example>"`, 20, "a@mail.example"},
		{`user.name == " aoi@contoso.example"`, 13, "aoi@contoso.example"},
		{`user.name startsWith " Aoi"`, 21, "aoi"},
		{`user.name endsWith "contoso.example "`, 19, "contoso.example"},
		{`user.name == "Not Available"`, 13, ""},
		{`lower(user.name) == "Not Available"`, 20, ""},
		{`event.code == "ExchangeAdmin"`, 14, "1"},
		{`auth.error == "050126"`, 14, "50126"},
		{`email.delivery.code == "550"`, 23, ""},
		{`any(forward.to, # startsWith "smtp:")`, 29, ""},
		{`any(forward.to, # startsWith "SMTP:")`, 29, ""},
		{`"SMTP:eve@mail.example" in forward.to`, 0, "eve@mail.example"},
		{`role.name == "global administrator"`, 13, `iequals(role.name, "global administrator")`},
		{`iends(event.action, ".")`, 20, ""},
		{`source.port == 70000`, 0, ""},
		{`70000 < source.port`, 0, ""},
		{`source.port < 0`, 0, ""},
		{`source.port >= 0`, 0, ""},
		{`mailbox.items < 0 || mailbox.items == 1`, 0, ""},
		{`mailbox.items == -1`, 0, ""},
		{`len(forward.to) >= 0`, 0, ""},
		{`count(forward.to, # endsWith "x") < 0`, 0, ""},
		{`3 > 5`, 0, ""},
		{`"ab" == "cd"`, 0, ""},
		{`"a" in ["b"]`, 0, ""},
		{`event.action == "Send" && user.name == "a@b" && event.action == "SendAs"`, 48, ""},
		{`event.action in ["Send", "Create"] && event.action in ["SendAs"]`, 38, ""},
		{`iequals(event.action, "Send") && (user.name == "x" && lower(event.action) == "sendas")`, 60, ""},
		{`event.action == "add  member to role"`, 16, "Add member to role"},
		{`event.action in ["MAILITEMSACCESSED"]`, 17, "MailItemsAccessed"},
		{`"fullaccess" in grant.rights`, 0, "FullAccess"},
		{`any(consent.scopes, # in ["Mail.Send", "mail.readwrite"])`, 39, "Mail.ReadWrite"},
		{`event.dataset == "entra.signins"`, 17, "entra.signin"},
		{`event.dataset == "SignInLogs"`, 17, "entra.signin"},
		{`event.dataset in ["azure.signinlogs", "entra.audit"]`, 18, "entra.signin"},
		{`event.dataset == "CloudAppEvents"`, 17, "defender.cloud_app_events"},
		{`event.dataset == "ual.exchangeadmin"`, 17, "ual.exchange_admin"},
		{`event.dataset == "entra.users"`, 17, ""},
		{`event.dataset == "okta.system"`, 17, ""},
		{`event.dataset startsWith "azuread."`, 25, "azure."},
		{`event.dataset startsWith "entra.signins"`, 25, ""},
		{`app.id == "00000002-0000-0FF1-CE00-000000000000"`, 10, "00000002-0000-0ff1-ce00-000000000000"},
	}
	for _, r := range rows {
		t.Run(r.when, func(t *testing.T) {
			p, ms := Compile(r.when, scope(nil))
			if p == nil || len(ms) != 1 {
				t.Fatalf("program %v, mistakes %v", p != nil, ms)
			}
			if m := ms[0]; m.At != r.at || m.Code != "value" || m.Suggestion != r.meant || !m.Warning {
				t.Errorf("got %d %s %q, suggestion %q", m.At, m.Code, m.Message, m.Suggestion)
			}
		})
	}
}

// TestConstantsThatMayHold: nothing is said of them.
func TestConstantsThatMayHold(t *testing.T) {
	for _, when := range []string{
		`event.action == "Delete user" || event.action startsWith "Delete user." || event.action endsWith "-InboxRule" || event.action == "Anything else"`,
		`iequals(event.action, "NEW-INBOXRULE") || lower(event.action) == "new-inboxrule" || icontains(event.action, "INBOX")`,
		`iequals(user.name, "Aoi@contoso.example") || lower(user.name) == "aoi@contoso.example" || istarts(user.name, "AOI")`,
		`user.name matches "(?i)^Aoi" || user.name matches "^[A-Za-z]+" || user.name matches "(Aoi)?x" || user.name matches "^(Aoi|aoi)@"`,
		`event.outcome in ["success", "failure", ""] && event.outcome startsWith "fail" && iequals(event.outcome, "Failure") && event.outcome matches "^(Success|failure)$"`,
		`source.ip == "203.0.113.7" || source.ip startsWith "10." || source.ip == "2001:db8::1" || source.ip startsWith "2001:db8:" || source.ip == ""`,
		`source.geo.country_iso_code != "JP" && source.geo.country_iso_code startsWith "J" && iequals(source.geo.country_iso_code, "jp")`,
		`event.time startsWith "2026-01-02T" || event.time > "2026-01-02" || event.time == "2026-01-02T03:04:05.000Z"`,
		`inbox_rule.name == "*" || inbox_rule.name == "." || param["Name"] == "RSS" || raw.X.Y == "198.51.100.1:4" || change["X"].new == "True"`,
		`any(forward.to, icontains(#, "Eve") || domain(#) == "mail.example") && any(grant.rights, # == "FullAccess") && "FullAccess" in grant.rights`,
		`auth.risk == "unknownFutureValue" || auth.ca_status == "notEnabled" || email.direction == "" || risk.state == "atRisk"`,
		`upper(user.name) == "AOI" && lower(inbox_rule.name) contains "invoice" && trim(inbox_rule.name) == "a b" && has(user.name)`,
		`"aoi@contoso.example" in [user.name, role.name] || "Aoi" in [user.name, role.name] || event.code == "15" || event.code == "AuditLogs" || auth.error == "0"`,
		`source.port > 0 && source.port != 443 && source.port <= 1023 && mailbox.items >= 1 && len(forward.to) > 0 && mailbox.items == 0 && source.port < 65535`,
		`event.action in ["Send", "SendAs"] && event.action == "Send" && (event.outcome == "success" || event.outcome == "failure")`,
		`email.delivery.code == "5.1.8" && role.name == "Global Administrator" && iequals(role.name, "global administrator") && any(forward.to, # contains "smtp")`,
		`user.name == "unknown@contoso.example" && user.name contains " " && user.name startsWith "none"`,
		`event.dataset startsWith "entra.signin" || event.dataset startsWith "azure.mine" || event.dataset endsWith "mine" || event.dataset == "unknown"`,
		`"Mail.ReadWrite" in consent.scopes && "My.Scope" in consent.scopes && "Owner" in grant.rights`,
		`similar(user.name, "Taro Yamada") || odd_name("..") || event.dataset == "ual.exchange_admin" || event.dataset == "ual.record_type_250" || event.dataset == "azure.storagelogs" || mailbox.folder == "\\Inbox"`,
	} {
		if p, ms := Compile(when, scope(nil)); p == nil || len(ms) > 0 {
			t.Errorf("%s: %v", when, ms)
		}
	}
}

// TestSummariesAreLookedAtToo: an expression in {{ }} is no other than a condition.
func TestSummariesAreLookedAtToo(t *testing.T) {
	tpl, ms := CompileTemplate(`{{ account }} {{ event.outcome == "Failure" ? "failed" : "did" }}`, scope(nil))
	if tpl == nil || len(ms) != 1 || ms[0].At != 34 || ms[0].Suggestion != "failure" {
		t.Errorf("got %+v", ms)
	}
}

// TestMistakesSayWhatIsMeant: messages and suggestions of what authors write wrongly.
func TestMistakesSayWhatIsMeant(t *testing.T) {
	rows := []struct{ when, message, meant string }{
		{`in_net(source.ip, ["203.0.113.0/24"])`, `in_net(address, lists.name): argument 2: expected a list of the configuration; this is a list of texts`, ""},
		{`in_net(source.ip, "203.0.113.0/24")`, `in_net(address, lists.name): argument 2: expected a list of the configuration; "203.0.113.0/24" is text`, "in_net(source.ip, lists.name) with 203.0.113.0/24 in the list"},
		{`in_net(lists.vip, source.ip)`, `in_net(address, lists.name): lists.vip is a list of the configuration; write x in lists.vip or in_net(x, lists.vip)`, ""},
		{`in_net(source.ip)`, `in_net(address, lists.name) takes 2 arguments, got 1`, ""},
		{`has("user.name")`, `has(field) takes a field's name, without quotes`, "has(user.name)"},
		{`external("x")`, `external(addresses): "x" is a text of the rule, not of the event`, ""},
		{`odd_name("inbox_rule.name")`, `odd_name(text): "inbox_rule.name" is a text of the rule, not of the event`, "inbox_rule.name"},
		{`exists(user.name)`, `no function exists`, "has"},
		{`raw == "x"`, `raw needs a path: raw.Some.Path`, ""},
		{`user.name == “x”`, `texts stand in straight quotes: "x"`, ""},
		{`user.name in ("a", "b")`, `a comma is not expected here; a list is written ["a", "b"]`, ""},
		{`has("x")`, `has(field) takes a field's name, without quotes`, ""},
		{`external(mailbox.items)`, `external(addresses): argument 1: expected text or a list of the event or a list of texts; mailbox.items is a number`, ""},
		{`any(user.name, # == "x")`, `any(list, condition): argument 1: expected a list of the event; user.name is text`, ""},
		{`any(grant.rights)`, `an argument is missing; any, all, none, one and count take a list and a condition`, ""},
		{`not user.name == "x"`, `not stands before user.name alone; put the comparison in brackets`, `!(user.name == "x")`},
		{`!user.name contains "x"`, `! stands before user.name alone; put the comparison in brackets`, `!(user.name contains "x")`},
		{`user.name.lower() == "x"`, `fields have no methods`, `lower(user.name)`},
		{`user.name.startsWith("x")`, `fields have no methods`, `user.name startsWith "x"`},
		{`raw[name] == "x"`, `a field's name in brackets must be in quotes`, `raw["name"]`},
		{`regex(user.name, "x")`, `no function regex; a pattern is written user.name matches "…"`, ``},
		{`params["x"] == "y"`, `no field "params.x"`, `param["x"]`},
		{`user.name in vip`, `no field "vip"; the list of the configuration is lists.vip`, `lists.vip`},
		{`in_net(source.ip, lists)`, `lists needs a name: lists.vip`, ``},
		{`user == "x"`, `no field "user"`, `user.name`},
		{`event.action icontains "send"`, `icontains is a function: icontains(text, text)`, ``},
		{`raw.LogonType > 1`, `raw.LogonType is text, 1 is a whole number; numbers in texts are compared with ==`, `"1"`},
		{`mailbox.items == "5"`, `mailbox.items is a number, "5" is text`, `mailbox.items == 5`},
		{`any(grant.rights, #)`, `any(list, condition): expected a condition about #, the list's element; # is text`, ""},
		{`odd_name(1)`, `odd_name(text): argument 1: expected text; 1 is a whole number`, ""},
		{`similar(grant.rights, "x")`, `similar(text, text or lists.name): argument 1: expected text; grant.rights is a list of the event`, `any(grant.rights, similar(#, "x"))`},
		{`icontains(grant.rights, "full")`, `icontains(text, text): argument 1: expected text; grant.rights is a list of the event`, `any(grant.rights, icontains(#, "full"))`},
		{`len(mailbox.items) > 1`, `len(list or text): argument 1: expected text or a list of the event or a list of texts or a list of numbers; mailbox.items is a number`, ""},
		{`user.name = "x"`, `no operator =`, "=="},
		{`user.name =~ "x"`, `no operator =~`, "matches"},
		{`user.name == "x" AND account == "y"`, `no operator AND`, "and"},
		{`user.name startswith "x"`, `no operator startswith`, "startsWith"},
		{`startsWith(user.name, "x")`, `startsWith stands between two texts, as in user.name startsWith "x"`, ""},
		{`user.name matches /x/`, `a regular expression is a text in quotes: matches "…"`, ""},
		{`inbox_rule.deletes == True`, `no field "True"; truths are true and false`, "true"},
		{`inbox_rule.deletes == yes`, `no field "yes"; truths are true and false`, "true"},
		{`user.name == null`, noNothing, ""},
		{`user.name != nil`, noNothing, ""},
		{`Operation == "New-InboxRule"`, `no field "Operation"; Operation of records is event.action here`, "event.action"},
		{`ClientIP == "x"`, `no field "ClientIP"; ClientIP of records is source.ip here`, "source.ip"},
		{`grant.rights == "FullAccess"`, `grant.rights is a list of the event`, `"FullAccess" in grant.rights`},
		{`"FullAccess" != grant.rights`, `grant.rights is a list of the event`, `!("FullAccess" in grant.rights)`},
		{`grant.rights contains "FullAccess"`, `contains compares texts; grant.rights is a list of the event`, `any(grant.rights, # contains "FullAccess")`},
		{`inbox_rule.deletes == "true"`, `inbox_rule.deletes is true or false, "true" is text`, "inbox_rule.deletes"},
		{`inbox_rule.deletes != "False"`, `inbox_rule.deletes is true or false, "False" is text`, "inbox_rule.deletes"},
		{`mailbox.items > "3"`, `mailbox.items is a number, "3" is text`, "mailbox.items > 3"},
		{`event.code == 15`, `event.code is text, 15 is a whole number`, `"15"`},
		{`event.code in ["1", 15]`, `event.code is text, 15 is a whole number`, `"15"`},
		{`user.name matches "a("`, `the regular expression is broken: missing closing ): a(`, ""},
		{`user.name matches "a(?!b)"`, `the regular expression is broken: (?! is not available, such as looking ahead or behind`, ""},
		{`"x" in user.name`, `in looks into a list; user.name is text; a part of a text is found by contains`, ""},
		{`user.name && true`, `&& joins conditions; user.name is text`, "has(user.name)"},
		{`user.name`, `a condition is true or false, user.name is text`, "has(user.name)"},
		{`grant.rights > 2`, `> compares numbers; grant.rights is a list of the event`, "len(grant.rights)"},
		{`grant.rights[0] == "x"`, `elements are not picked by number; use any, all, none or count`, ""},
		{`event.action == "x`, `this quote is not closed`, ""},
		{`(event.action == "x"`, `this bracket is not closed`, ""},
	}
	for _, r := range rows {
		t.Run(r.when, func(t *testing.T) {
			p, ms := Compile(r.when, scope(map[string]List{"vip": names3{"a"}}))
			if p != nil || !slices.ContainsFunc(ms, func(m Mistake) bool { return m.Message == r.message && m.Suggestion == r.meant }) {
				t.Errorf("got %+v", ms)
			}
		})
	}
}

// TestAListThatIsWrittenOutHoldsAddresses: external and unresolved look at each of them.
func TestAListThatIsWrittenOutHoldsAddresses(t *testing.T) {
	for when, want := range map[string]bool{
		`external([grant.trustee, user.name])`: true, `external([user.name])`: false, `unresolved([grant.folder])`: true, `unresolved([grant.trustee, file.name])`: false, `external(["a@mail.example"])`: true,
	} {
		texts := map[string]string{"account": "taro@contoso.example", "user.name": "taro@contoso.example", "grant.trustee": "eve@mail.example", "grant.folder": "Inbox"}
		if got := holds(t, when, texts); got != want {
			t.Errorf("%s: %v", when, got)
		}
	}
}
