package detector_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"noroshi/internal/decode"
	schema "noroshi/internal/event"
)

// act is something that accounts do: what every event of it says, which fields it may have, and how the record of it is written.
type act struct {
	says   map[string]string
	may    []string
	whole  bool // its records have whole seconds
	record func(e *event) any
}

// object is JSON of an object; members that are nil are left out.
type object map[string]any

// MarshalJSON writes the members that are not nil.
func (o object) MarshalJSON() ([]byte, error) {
	there := map[string]any{}
	for name, v := range o {
		if v != nil {
			there[name] = v
		}
	}
	return json.Marshal(there)
}

// given is a field's text, or nil where it is absent.
func (e *event) given(name string) any {
	if all := e.fields[name]; len(all) > 0 {
		return all[0]
	}
	return nil
}

func signIn(code int) func(*event) any {
	return func(e *event) any {
		where := object{"countryOrRegion": e.given("source.geo.country_iso_code"), "city": e.given("source.geo.city_name")}
		where["state"] = e.given("source.geo.region_name")
		if e.place.known {
			where["geoCoordinates"] = object{"latitude": e.place.latitude, "longitude": e.place.longitude}
		}
		return envelope(e, "SignInLogs", object{"id": e.given("event.id"), "createdDateTime": e.at.Format("2006-01-02T15:04:05.999Z07:00"),
			"userPrincipalName": e.given("account"), "ipAddress": e.given("source.ip"), "status": object{"errorCode": code},
			"location": where, "sessionId": e.given("session.id"), "appId": e.given("app.id")})
	}
}

// envelope is a record of diagnostic settings.
func envelope(e *event, category string, properties object) object {
	return object{"time": "2026-01-01T00:00:00Z", "tenantId": e.given("organization.id"), "category": category, "properties": properties}
}

// audit is a record of the unified audit log with more members.
func audit(operation string, kind int, more func(e *event) object) func(*event) any {
	return func(e *event) any {
		o := more(e)
		o["CreationTime"], o["Operation"], o["RecordType"], o["UserType"] = e.at.Format("2006-01-02T15:04:05"), operation, kind, 0
		o["Id"], o["OrganizationId"], o["UserId"] = e.given("event.id"), e.given("organization.id"), e.given("account")
		o["ClientIP"], o["ApplicationId"], o["SessionId"] = e.given("source.ip"), e.given("app.id"), e.given("session.id")
		return o
	}
}

// says are the dataset, the action and other fields of all events of an act.
func says(dataset, action string, more ...string) map[string]string {
	m := map[string]string{"event.dataset": dataset, "event.action": action}
	for i := 0; i < len(more); i += 2 {
		m[more[i]] = more[i+1]
	}
	return m
}

// acts are what accounts do in these tests.
var acts = map[string]*act{
	"failed": {says: says("entra.signin", "UserLoginFailed", "event.outcome", "failure", "auth.result", "wrong_credential"),
		may: []string{"source.ip", "session.id", "app.id"}, record: signIn(50126)},
	"in": {says: says("entra.signin", "UserLoggedIn", "event.outcome", "success", "auth.result", "success"),
		may: []string{"source.ip", "session.id", "app.id"}, record: signIn(0)},
	"download": {says: says("ual.sharepoint_file_operation", "FileDownloaded"),
		may: []string{"source.ip", "session.id", "app.id", "file.name"}, whole: true, record: audit("FileDownloaded", 6, func(e *event) object {
			return object{"SourceFileName": e.given("file.name")}
		})},
	"send": {says: says("ual.exchange_item", "Send"),
		may: []string{"source.ip", "app.id", "email.message_id"}, whole: true, record: audit("Send", 2, func(e *event) object {
			return object{"Item": object{"InternetMessageId": e.given("email.message_id")}}
		})},
	"delete": {says: says("ual.exchange_item_group", "HardDelete"),
		may: []string{"source.ip", "session.id", "mailbox.items"}, whole: true, record: audit("HardDelete", 3, func(e *event) object {
			n, err := strconv.Atoi(e.text("mailbox.items"))
			if err != nil {
				return object{}
			}
			return object{"AffectedItems": slices.Repeat([]any{object{"Id": "i"}}, n)}
		})},
	"hide": {says: says("ual.exchange_admin", "New-InboxRule", "inbox_rule.op", "create"),
		may: []string{"source.ip", "session.id", "inbox_rule.sends_to"}, whole: true, record: audit("New-InboxRule", 1, func(e *event) object {
			o := object{}
			if to := e.fields["inbox_rule.sends_to"]; to != nil {
				o["Parameters"] = []any{object{"Name": "ForwardTo", "Value": strings.Join(to, ";")}}
			}
			return o
		})},
	"mail": {says: says("defender.email_events", "EmailEvents"),
		may: []string{"email.message_id", "email.to.address"}, record: func(e *event) any {
			id, _, _ := strings.Cut(e.text("event.id"), "/")
			return envelope(e, "AdvancedHunting-EmailEvents", object{"Timestamp": e.at.Format("2006-01-02T15:04:05.000Z07:00"), "ReportId": id,
				"InternetMessageId": e.given("email.message_id"), "SenderFromAddress": e.given("user.name"),
				"RecipientEmailAddress": e.given("email.to.address"), "EmailDirection": "Outbound"})
		}},
}

// newEvent is an act at a time. An id, a tenant, an account and others of its fields may be set; a nil list is absent.
func newEvent(name string, at time.Time, set fields) *event {
	a := acts[name]
	e := &event{at: at.UTC(), act: a, fields: fields{}}
	if a.whole {
		e.at = e.at.Truncate(time.Second)
	}
	for field, text := range a.says {
		e.fields[field] = []string{text}
	}
	for field, texts := range set {
		if texts != nil && (slices.Contains(a.may, field) || field == "event.id" || field == "organization.id" || field == "account") {
			e.fields[field] = texts
		}
	}
	if to := e.given("email.to.address"); name == "mail" {
		texts := []string{e.text("event.id"), e.at.Format("2006-01-02T15:04:05.000Z07:00")}
		if to != nil {
			texts = append(texts, to.(string))
			e.fields["user.target.name"] = []string{to.(string)}
		}
		e.fields["event.id"] = []string{strings.Join(texts, "/")}
	}
	if account := e.given("account"); account != nil {
		e.fields["user.name"] = []string{account.(string)}
		if name == "hide" {
			e.fields["user.target.name"] = []string{account.(string)}
		}
	}
	if e.given("account") == nil && e.given("user.target.name") != nil { // of a message without a sender
		e.fields["account"] = e.fields["user.target.name"]
	}
	return e
}

// from sets the place of a sign-in.
func (e *event) from(p place) *event {
	if e.text("event.dataset") != "entra.signin" {
		return e
	}
	e.place = p
	if p.country != "" {
		e.fields["source.geo.country_iso_code"] = []string{p.country}
	}
	if p.city != "" {
		e.fields["source.geo.city_name"] = []string{p.city}
	}
	if p.region != "" {
		e.fields["source.geo.region_name"] = []string{p.region}
	}
	if p.known {
		e.fields["source.geo.location"] = []string{fmt.Sprintf("%g,%g", p.latitude, p.longitude)}
	}
	return e
}

// bytes are the event's record as its source writes it.
func (e *event) bytes() []byte {
	b, err := json.Marshal(e.act.record(e))
	if err != nil {
		panic(err)
	}
	return b
}

// TestRecordsSayWhatTheOracleReads: the fields that the oracle gives an event are those that its record is decoded into.
func TestRecordsSayWhatTheOracleReads(t *testing.T) {
	l := schema.NewLayout()
	names := []string{"user.name", "user.target.name"}
	for _, part := range []string{"country_iso_code", "region_name", "city_name", "location"} {
		names = append(names, "source.geo."+part)
	}
	for _, a := range acts {
		names = append(append(names, a.may...), "event.id", "organization.id", "account")
		for field := range a.says {
			names = append(names, field)
		}
	}
	names = distinct(names)
	var slots []schema.Slot
	for _, name := range names {
		slot, ok := l.Slot(name)
		if !ok {
			t.Fatalf("no field %s", name)
		}
		slots = append(slots, slot)
	}
	reader := decode.NewPlan(l, decode.Options{}).Reader()
	m := newMaker(1)
	for range 2000 {
		e := m.event(m.pick(allActs...), start.Add(time.Duration(m.IntN(100_000))*time.Millisecond))
		if err := reader.ReadAlone(e.bytes(), time.Time{}); err != nil {
			t.Fatalf("%s: %v", e.bytes(), err)
		}
		if at, outcome := reader.Time(), reader.Same().Outcome; !at.Equal(e.at) || outcome != e.outcome() {
			t.Fatalf("%s: time %v and outcome %q, want %v and %q", e.bytes(), at, outcome, e.at, e.outcome())
		}
		for i, name := range names {
			got := []string{reader.Event.Text(slots[i])}
			if l.Def(slots[i]).Type == schema.List {
				got = reader.Event.List(slots[i])
			} else if !reader.Event.Has(slots[i]) {
				got = nil
			}
			if want := e.fields[name]; !slices.Equal(got, want) {
				t.Fatalf("%s: %s is %q, want %q", e.bytes(), name, got, want)
			}
		}
	}
}
