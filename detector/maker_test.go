package detector

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// maker makes conditions and records that often meet.
type maker struct{ *rand.Rand }

func (m maker) of(all ...string) string { return all[m.IntN(len(all))] }

var vocabulary = []string{"New-InboxRule", "Set-Mailbox", "UserLoggedIn", "FileAccessed", "taro@contoso.example", "Hanako@Contoso.example", "203.0.113.7", "True", "true", "false", "", "1", "15", "drop@mail.example.net",
	"RSS フィード", "é\"\\\n", "Ab", "abcdefghijklmnopqrstuvwxyz", "Inbox", "invoice payment", "😀", "Mozilla/5.0 (X11)", "0",
	"MessageTrace", "EmailEvents", "UrlClickEvents", "AlertInfo", "AdvancedHunting-EmailEvents", "MicrosoftGraphActivityLogs", "Microsoft Graph Activity", "Defender XDR", "Exchange", "Failed"}

var textFields = []string{"event.action", "event.provider", "event.code", "user.type", "app.id", "auth.reason", "user_agent.original", "mailbox.folder", "email.subject", "session.id", "source.ip", "file.name", "organization.name",
	"email.local_id", "email.from.address", "email.to.address", "email.delivery.location", "email.delivery.action", "email.threats", "user.full_name", "device.browser", "device.os", "device.trust", "auth.ca_status", "source.geo.city_name", "source.geo.country_iso_code",
	"alert.name", "alert.severity", "organization.id", `raw.ResultStatus`, `raw.resultstatus`, `raw.Deep.Er.Still`, `raw.DEEP.er.Still`, `raw.Deep`, `raw.Deep.Er`, `raw["Odd Name"]`, `raw["@odata.type"]`, `raw["Deep.Er"]`, `raw.Deep["E.r"]`,
	`param["ForwardTo"]`, `param["forwardTO"]`, `param["Odd Name"]`, `param["MailAccessType"]`, `param["Name"]`, `param["a.b"]`, `raw.Number`, `raw.Folder.Path`, `raw.Folder`, `raw.Item`, `raw.Parameters`, `raw.properties.location`, `raw.location.CITY`,
	`change["DisplayName"].new`, `change["displayname"].old`, `change["a.b"].new`}

func (m maker) piece() string {
	s := []rune(m.of(vocabulary...))
	if len(s) < 2 || m.IntN(3) == 0 {
		return string(s)
	}
	i := m.IntN(len(s))
	return string(s[i : i+1+m.IntN(len(s)-i)])
}

func (m maker) condition(depth int) condition {
	if depth > 0 && m.IntN(3) > 0 {
		switch m.IntN(5) {
		case 0, 1, 2:
			return condition{op: "and", kids: []condition{m.condition(depth - 1), m.condition(depth - 1)}}
		case 3:
			return condition{op: "or", kids: []condition{m.condition(depth - 1), m.condition(depth - 1)}}
		}
		return condition{op: "not", kids: []condition{m.condition(depth - 1)}}
	}
	switch m.IntN(12) {
	case 0:
		return condition{op: "has", field: m.of(textFields...)}
	case 1:
		return condition{op: "true", field: m.of("mailbox.external", "device.managed")}
	case 2:
		return condition{op: ">", field: "file.size", texts: []string{m.of("0", "5", "1000")}}
	case 3, 4:
		c := condition{op: "in", field: m.of(textFields...), fold: m.IntN(4) == 0}
		for range 1 + m.IntN(8) {
			c.texts = append(c.texts, m.of(vocabulary...))
		}
		return c
	}
	c := condition{op: m.of("==", "==", "startsWith", "endsWith", "contains"), field: m.of(textFields...), fold: m.IntN(3) == 0, texts: []string{m.piece()}}
	if c.op == "==" {
		c.texts[0] = m.of(vocabulary...)
	}
	return c
}

// value is JSON of a text, or of something else.
func (m maker) value() string {
	switch m.IntN(12) {
	case 0:
		return m.of("null", "1", "15", "-0.5e3", "true", "false", "[]", `{"x":1}`, `[1,"a"]`)
	case 1: // escapes where none are needed
		s := ""
		for _, r := range m.of(vocabulary...) {
			if r < 0x10000 && m.IntN(2) == 0 {
				s += fmt.Sprintf(`\u%04x`, r)
			} else {
				b, _ := json.Marshal(string(r))
				s += string(b[1 : len(b)-1])
			}
		}
		return `"` + s + `"`
	}
	b, _ := json.Marshal(m.of(vocabulary...))
	return string(b)
}

// spelt is a name, often in another case.
func (m maker) spelt(name string) string {
	switch m.IntN(8) {
	case 0:
		return strings.ToUpper(name)
	case 1:
		return strings.ToLower(name)
	}
	return name
}

// list is a Name/Value list in one of its forms.
func (m maker) list() string {
	name := func() string {
		return m.spelt(m.of("ForwardTo", "Odd Name", "MailAccessType", "Other", "DisplayName", "a.b", "Name", "Value"))
	}
	member := func(name string) string { return quotedJSON(m.spelt(name)) + ":" + m.value() }
	entry := func() string {
		parts := []string{quotedJSON(m.spelt(m.of("Name", "Name", "key", "displayName"))) + ":" + quotedJSON(name())}
		for _, part := range []string{"Value", "NewValue", "OldValue"} {
			if m.IntN(3) > 0 {
				parts = append(parts, member(part))
			}
		}
		if m.IntN(8) == 0 {
			parts = append(parts, member(m.of("@odata.type", "Extra")))
		}
		m.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
		return "{" + strings.Join(parts, ",") + "}"
	}
	var all []string
	for range m.IntN(5) {
		all = append(all, m.of(entry(), entry(), entry(), `{"Name":`+quotedJSON(name())+`,"Value":`+m.value()+"}", m.value()))
	}
	switch m.IntN(8) {
	case 0:
		return entry()
	case 1:
		all = all[:0]
		for range m.IntN(5) {
			all = append(all, m.of(member(name()), member(name()), quotedJSON(name())+`:{"OldValue":`+m.value()+","+member("NewValue")+"}"))
		}
		return "{" + strings.Join(all, ",") + "}"
	}
	return "[" + strings.Join(all, ",") + "]"
}

// folded is an object or a list, or that in text, or text in text.
func (m maker) folded(s string) string {
	for range m.IntN(4) - 1 {
		s = quotedJSON(m.of("", " \n") + s)
	}
	return s
}

func quotedJSON(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

// record is an audit record, or one of another family.
func (m maker) record() []byte {
	switch m.IntN(16) {
	case 0, 1, 2, 3:
		return m.foreign()
	case 4:
		return m.told()
	}
	return m.audit()
}

// audit is an audit record whose members come in any order, some twice.
func (m maker) audit() []byte {
	blank := func() string { return m.of("", "", "", " ", "\t", "\n ") }
	members := []string{`"CreationTime":"2026-01-02T03:04:05"`, `"Operation":` + quotedJSON(m.of("New-InboxRule", "Set-Mailbox", "UserLoggedIn", "FileAccessed", "Update user.", "Add user ", "x – y"))}
	for _, k := range []string{"Id", "Workload", "RecordType", "UserType", "ApplicationId", "LogonError", "UserAgent", "MailboxOwnerUPN", "SessionId", "ClientIP", "ResultStatus", "Odd Name", "Number", "ExternalAccess", "FileSizeBytes",
		"SourceFileName", "OrganizationName", "ClientIPAddress", "Unknown", "ClientInfoString", "@odata.type", "Deep.Er"} {
		for range m.of("a", "a", "aa", "") {
			members = append(members, quotedJSON(m.spelt(k))+blank()+":"+blank()+m.value())
		}
	}
	members = append(members, `"Folder":`+m.folded(`{"Path":`+m.value()+`}`), `"Item":`+m.folded(`{"Subject":`+m.value()+`,"ParentFolder":{"Path":`+m.value()+`}}`), quotedJSON(m.spelt("Deep"))+`:{"Er":`+m.folded(`{"Still":`+m.value()+`}`)+`,"E.r":`+m.value()+`}`)
	for _, l := range []string{"Parameters", "OperationProperties", "ExtendedProperties", "DeviceProperties", "ModifiedProperties"} {
		if m.IntN(2) == 0 {
			members = append(members, quotedJSON(m.spelt(l))+":"+m.folded(m.list()))
		}
	}
	m.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
	return []byte("{" + blank() + strings.Join(members, blank()+","+blank()) + "}")
}

// row is a row of Defender XDR: in its envelope, which may be text inside, or without one, as its table in Type or its columns
// tell; of CloudAppEvents with and without an audit record.
func (m maker) row(members func(names ...string) string) []byte {
	columns := []string{members("Subject", "SenderFromAddress", "SenderMailFromAddress", "RecipientEmailAddress", "DeliveryLocation", "DeliveryAction", "ThreatTypes", "AccountDisplayName", "SenderDisplayName", "DeviceName", "OSPlatform", "IPAddress", "UserAgent", "City", "CountryCode", "Title", "Severity")}
	for _, c := range []string{"NetworkMessageId", "EmailDirection", "ActionTrigger", "IsClickedThrough", "AlertId", "EvidenceRole", "DetectionSource", "LogonType", "Application", "ActionType"} {
		if m.IntN(5) == 0 {
			columns = append(columns, quotedJSON(c)+":"+m.value())
		}
	}
	switch m.IntN(4) {
	case 0:
		columns = append(columns, `"RawEventData":`+m.value())
	case 1, 2:
		columns = append(columns, `"RawEventData":`+m.folded(string(m.audit())))
	}
	columns = slices.DeleteFunc(columns, func(c string) bool { return c == "" })
	m.Shuffle(len(columns), func(i, j int) { columns[i], columns[j] = columns[j], columns[i] })
	row := strings.Join(columns, ",")
	table := m.of("EmailEvents", "IdentityLogonEvents", "UrlClickEvents", "DeviceEvents", "AlertInfo", "CloudAppEvents", "CloudAppEvents", "CloudAppEvents")
	if row != "" {
		row = "," + row
	}
	switch m.IntN(3) {
	case 0:
		return []byte(`{"TimeGenerated":"2026-01-02T03:04:05Z","Type":"` + table + `"` + row + `}`)
	case 1:
		return []byte(`{"Timestamp":"2026-01-02T03:04:05Z"` + row + `}`)
	}
	return []byte(`{"time":"2026-01-02T03:04:05Z","tenantId":"t-1","category":"AdvancedHunting-` + table + `","properties":` + m.folded(`{"Timestamp":"2026-01-02T03:04:05Z"`+row+"}") + `,"Number":` + m.value() + `}`)
}

// foreign is a record of another family than the unified audit log, with and without its envelope.
func (m maker) foreign() []byte {
	members := func(names ...string) string {
		var all []string
		for _, n := range names {
			if m.IntN(4) > 0 {
				all = append(all, quotedJSON(n)+":"+m.value())
			}
		}
		m.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		return strings.Join(all, ",")
	}
	object := func(names ...string) string { return m.folded("{" + members(names...) + "}") }
	signIn := func(spelt func(string) string) string {
		all := []string{quotedJSON(spelt("activityDateTime")) + `:"2026-01-02T03:04:05Z"`, quotedJSON(spelt("activityDisplayName")) + ":" + quotedJSON(m.of(vocabulary...)+"x"), quotedJSON(spelt("additionalDetails")) + ":" + m.folded(m.list()),
			quotedJSON(spelt("deviceDetail")) + ":" + object("displayName", "operatingSystem", "trustType", "isManaged"), quotedJSON(spelt("location")) + ":" + object("city", "countryOrRegion"), quotedJSON(spelt("locationDetails")) + ":" + object("city", "countryOrRegion")}
		for _, name := range []string{"userDisplayName", "appId", "userAgent", "ipAddress", "sessionId", "conditionalAccessStatus"} {
			all = append(all, quotedJSON(spelt(name))+":"+m.value())
		}
		return strings.Join(all, ",")
	}
	asIs := m.spelt
	capital := func(name string) string { return strings.ToUpper(name[:1]) + name[1:] } // as Log Analytics has it
	switch m.IntN(6) {
	case 0:
		return []byte(`{"time":"2026-01-02T03:04:05Z","category":"AuditLogs","properties":` + m.folded("{"+signIn(asIs)+"}") + `,"Number":` + m.value() + `}`)
	case 1:
		return []byte("{" + signIn(asIs) + `,"Number":` + m.value() + `}`)
	case 2, 3:
		return m.row(members)
	case 4:
		columns := signIn(capital)
		if m.IntN(2) == 0 { // a query has kept few
			columns = `"Number":` + m.value()
		}
		return []byte(`{"TimeGenerated":"2026-01-02T03:04:05Z","Type":"` + m.of("AuditLogs", "AADProvisioningLogs", "MicrosoftGraphActivityLogs", "MicrosoftGraphActivityLogs", "AADUnheardOf") + `",` + columns + `}`)
	}
	rest := members("MessageTraceId", "MessageId", "Subject", "FromIP", "Organization", "Number")
	if rest != "" {
		rest = "," + rest
	}
	return []byte(`{"Received":"2026-01-02T03:04:05Z","SenderAddress":` + quotedJSON(m.of(vocabulary...)) + `,"RecipientAddress":` + quotedJSON(m.of(vocabulary...)) + `,"Status":"Failed"` + rest + "}")
}
