package detector

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"noroshi/internal/event"
	"noroshi/rules"
)

// roads gives an audit record as each road brings it; all are the same event.
func roads(rec string) map[string]string {
	row := func(raw string) string {
		return `{"Timestamp":"2026-01-02T03:04:05Z","ReportId":"r-1","ActionType":"New-InboxRule","RawEventData":` + raw + "}"
	}
	envelope := func(properties string) string {
		return `{"time":"2026-01-02T03:09:00Z","tenantId":"t-1","operationName":"Publish","category":"AdvancedHunting-CloudAppEvents","properties":` + properties + "}"
	}
	return map[string]string{
		"in a row": envelope(row(rec)), "in a row as text": envelope(row(quotedJSON(rec))), "in properties as text": envelope(quotedJSON(row(rec))), "in text in properties as text": envelope(quotedJSON(row(quotedJSON(rec)))),
		"in a row alone": row(rec), "in a row alone as text": row(quotedJSON(rec)), "in a row of Log Analytics": strings.Replace(row(quotedJSON(rec)), "{", `{"Type":"CloudAppEvents","TenantId":"w-1",`, 1),
		"its lists as text": textual(rec),
	}
}

// textual is a record whose objects and lists are text.
func textual(rec string) string {
	var m map[string]json.RawMessage
	if json.Unmarshal([]byte(rec), &m) != nil {
		return rec
	}
	for name, v := range m {
		if v[0] == '{' || v[0] == '[' {
			m[name] = json.RawMessage(quotedJSON(string(v)))
		}
	}
	b, _ := json.Marshal(m)
	return string(b)
}

// TestTheLibraryFiresOnEveryRoad: what a rule's own tests say of records holds for them by each road, whole or in text. Of a rule
// that remembers it is what counts for it as it is.
func TestTheLibraryFiresOnEveryRoad(t *testing.T) {
	rs, ps := rules.Load(rules.Options{Library: true})
	if len(ps) > 0 {
		t.Fatal(ps[0].Format())
	}
	w := New(rs, Options{}).Worker()
	fired := map[string]int{}
	for i, r := range rs.Rules {
		for _, test := range r.Tests {
			if len(test.Events) != 1 || len(test.Lists) > 0 { // no lists are given here
				continue
			}
			rec, want := string(test.Events[0].Record()), len(test.Want) > 0
			if r.Kind.Memory != nil {
				if err := w.ReadAlone([]byte(rec), time.Time{}); err != nil {
					t.Fatalf("%s: %s: %v", r.ID, test.Name, err)
				}
				want = slices.Contains(w.Hits(), int32(i))
			}
			all := map[string]string{"as it is": rec}
			if n, ok := newNaive([]byte(rec)); ok && n.shape == event.UAL {
				all = roads(rec)
				all["as it is"] = rec
			} else if ok && n.shape == event.Entra {
				all["its properties as text"] = textual(rec)
			}
			for road, b := range all {
				if err := w.ReadAlone([]byte(b), time.Time{}); err != nil {
					t.Fatalf("%s: %s, %s: %v", r.ID, test.Name, road, err)
				}
				got := slices.Contains(w.Hits(), int32(i))
				if got != want {
					t.Errorf("%s: %s, %s: fires %v, want %v", r.ID, test.Name, road, got, want)
				}
				if got {
					fired[road]++
				}
			}
		}
	}
	for road, n := range fired {
		t.Logf("%d fire %s", n, road)
	}
	for road := range roads("") {
		if fired[road] < len(rs.Rules) {
			t.Errorf("%d tests of %d rules fired %s", fired[road], len(rs.Rules), road)
		}
	}
}

// shipped are rules of the library that ask for nothing which the oracle does not know, as trees. Their sources are held against
// the library, so that they cannot fall behind it.
var shipped = map[string]condition{
	"account-restricted-from-sending": both(either(is("event.action", "AlertTriggered"), both(both(is("event.action", "AlertEvidence"), like("alert.entity_type", "User")), isNot("alert.entity", ""))),
		condition{op: "in", field: "alert.name", texts: []string{"User restricted from sending email", "User restricted from sending e-mail", "Tenant restricted from sending email", "Email sending limit exceeded"}}),
	"audit-log-switched-off": both(both(isNot("event.outcome", "failure"), isNot("user.kind", "service")),
		either(both(is("event.action", "Set-AdminAuditLogConfig"), either(like(`param["UnifiedAuditLogIngestionEnabled"]`, "false"), like(`param["AdminAuditLogEnabled"]`, "false"))),
			both(is("event.action", "Set-OrganizationConfig"), like(`param["AuditDisabled"]`, "true")))),
}

// shippedTrees are those trees by their rules' ids.
func shippedTrees() (all []condition) {
	for _, id := range slices.Sorted(maps.Keys(shipped)) {
		all = append(all, shipped[id])
	}
	return all
}

// bare takes away in what two sources of one condition may differ.
var bare = strings.NewReplacer(" ", "", "\n", "", "(", "", ")", "")

func is(field, text string) condition {
	return condition{op: "==", field: field, texts: []string{text}}
}

func isNot(field, text string) condition {
	return condition{op: "!=", field: field, texts: []string{text}}
}

func like(field, text string) condition {
	return condition{op: "==", field: field, fold: true, texts: []string{text}}
}

func both(a, b condition) condition { return condition{op: "and", kids: []condition{a, b}} }

func either(a, b condition) condition { return condition{op: "or", kids: []condition{a, b}} }

// words are those of the rules in shipped, and some that miss.
var words = strings.Split("AlertTriggered,AlertInfo,AlertEntityGenerated,Set-AdminAuditLogConfig,Set-OrganizationConfig,Set-Mailbox,Set-MailboxAuditBypassAssociation,Remove-UnifiedAuditLogRetentionPolicy", ",")

// told is an audit record that the rules in shipped look at, by one of the roads, or a row of Microsoft's alerts.
func (m maker) told() []byte {
	name := quotedJSON(m.of("User restricted from sending email", "Email sending limit exceeded", "eDiscovery search started", "Tenant restricted from sending email "))
	switch m.IntN(8) {
	case 0:
		return []byte(`{"Timestamp":"2026-01-02T03:04:05Z","AlertId":"al-1","EvidenceRole":` + quotedJSON(m.of("Impacted", "Related")) + `,"EntityType":` + quotedJSON(m.of("User", "user", "Mailbox")) + `,"AccountUpn":` + quotedJSON(m.of("", "Taro@contoso.example")) + `,"Title":` + name + `}`)
	case 1:
		return []byte(`{"Timestamp":"2026-01-02T03:04:05Z","AlertId":"al-1","DetectionSource":"MDO","ActionType":` + quotedJSON(m.of("AlertTriggered", "AlertInfo")) + `,"Title":` + name + `}`)
	}
	list := `[{"Name":` + quotedJSON(m.of("UnifiedAuditLogIngestionEnabled", "AuditDisabled", "AdminAuditLogEnabled", "AuditEnabled")) + `,"Value":` + m.of(`"True"`, `"true"`, `"False"`, "true", "false", `"\u0046alse"`, `""`) + `}]`
	rec := `{"CreationTime":"2026-01-02T03:04:05","RecordType":1,"UserId":"taro@contoso.example","ResultStatus":` + m.of(`""`, `"True"`, `"False"`, "false", `"Failed"`, "null") + `,"Operation":` + quotedJSON(m.of(words...)+m.of("", "", ".", " ")) + `,"Name":` + name + `,"Parameters":` + m.folded(list) + `}`
	all := roads(rec)
	all["as it is"] = rec
	names := make([]string, 0, len(all))
	for road := range all {
		names = append(names, road)
	}
	slices.Sort(names) // the seed alone decides
	return []byte(all[m.of(names...)])
}

// TestOracleOfTheLibrary compares rules of the library with the oracle's trees on records that they look at, by every road.
func TestOracleOfTheLibrary(t *testing.T) {
	rs, ps := rules.Load(rules.Options{Library: true})
	if len(ps) > 0 {
		t.Fatal(ps[0].Format())
	}
	w := New(rs, Options{}).Worker()
	m := maker{rand.New(rand.NewPCG(3, 4))}
	fired := map[string]int{}
	for range 5000 {
		rec := m.told()
		n, ok := newNaive(rec)
		if err := w.ReadAlone(rec, time.Time{}); err != nil || !ok {
			t.Fatalf("%s: %v", rec, err)
		}
		hits := w.Hits()
		for i, r := range rs.Rules {
			c, ok := shipped[r.ID]
			if !ok {
				continue
			}
			if bare.Replace(c.source()) != bare.Replace(r.Kind.Clauses[0].When.Source) {
				t.Fatalf("the library has %s, the tree %s", r.Kind.Clauses[0].When.Source, c.source())
			}
			got, want := slices.Contains(hits, int32(i)), c.holds(n)
			if got != want {
				t.Fatalf("%s: engine says %v, oracle %v\n%s", r.ID, got, want, rec)
			}
			if want {
				fired[r.ID]++
			}
		}
	}
	for id := range shipped {
		if t.Logf("%s fired %d times", id, fired[id]); fired[id] < 50 {
			t.Errorf("%s fired %d times: too few to prove anything", id, fired[id])
		}
	}
}

// failed are the ways in which records say that what they tell did not happen.
func failed(t *testing.T, rec []byte) (all [][]byte) {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(rec, &m); err != nil {
		t.Fatal(err)
	}
	if m["resultType"] != nil {
		return failedSignIn(t, rec, m)
	}
	if m["Operation"] == "UserLoggedIn" { // ResultStatus says nothing of sign-ins
		m["Operation"], m["ErrorNumber"], m["LogonError"] = "UserLoginFailed", "50126", "InvalidUserNameOrPassword"
		b, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return [][]byte{rec, b}
	}
	in, member, words := m, "ResultStatus", []any{"False", "Failed", "Failure", "false", "FAILED", false}
	if m["Operation"] == nil {
		member, words = "result", []any{"failure", "timeout", "Failure"}
		if p, ok := m["properties"].(map[string]any); ok {
			in = p
			if raw, ok := p["RawEventData"].(map[string]any); ok {
				in, member, words = raw, "ResultStatus", []any{"False", "Failed", "Failure", "FAILED"}
			}
		}
		if in["DeliveryAction"] != nil { // a message that was blocked was sent all the same
			return [][]byte{rec}
		}
	}
	for _, word := range words {
		in[member] = word
		b, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b)
	}
	delete(in, member)
	b, _ := json.Marshal(m)
	return append([][]byte{b}, all...)
}

// failedSignIn is a sign-in as it was, and with codes that say that it failed.
func failedSignIn(t *testing.T, rec []byte, m map[string]any) [][]byte {
	t.Helper()
	all := [][]byte{rec}
	for _, code := range []int{50126, 53003} {
		m["resultType"] = strconv.Itoa(code)
		if p, ok := m["properties"].(map[string]any); ok {
			p["status"] = map[string]any{"errorCode": code}
		}
		b, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b)
	}
	return all
}

// TestWhatFailedIsNotToldAsDone: each record that a rule of the library is about is silent when it is marked as failed, unless it is an
// alert or a detection itself, or the rule looks at failures: a test of it gives one, it is a sequence, which may begin with failures,
// a silence, for which all is a sign of life, or looks at alerts alone. A record that says nothing of its result counts.
func TestWhatFailedIsNotToldAsDone(t *testing.T) {
	rs, ps := rules.Load(rules.Options{Library: true})
	if len(ps) > 0 {
		t.Fatal(ps[0].Format())
	}
	w := New(rs, Options{}).Worker()
	fires := func(rec []byte, rule int) bool {
		if err := w.ReadAlone(rec, time.Time{}); err != nil {
			t.Fatalf("%s: %v", rec, err)
		}
		return slices.Contains(w.Hits(), int32(rule)) && w.held[rule]&1 != 0
	}
	text := func(field string) string {
		slot, _ := rs.Scope.Layout.Slot(field)
		return w.Reader().Event.Text(slot)
	}
	for i, r := range rs.Rules {
		if r.Class == "verdict" || len(r.Kind.Steps) > 0 || len(r.Kind.Of) > 0 || r.Kind.Name() == "silence" {
			continue
		}
		tried, failures, listed := 0, false, false
		for _, test := range r.Tests {
			listed = listed || len(test.Lists) > 0
			for _, e := range test.Events {
				failures = failures || fires(e.Record(), i) && text("event.outcome") == "failure"
			}
		}
		if failures {
			continue
		}
		for _, test := range r.Tests {
			for _, e := range test.Events {
				rec := e.Record()
				if !fires(rec, i) {
					continue
				}
				tried++
				if strings.HasPrefix(text("event.dataset"), "entra.risk") {
					continue
				}
				for n, b := range failed(t, rec) {
					if got, want := fires(b, i), n == 0; got != want {
						t.Errorf("%s: %s: fires %v, want %v: %s", r.ID, test.Name, got, want, b)
					}
				}
			}
		}
		if tried == 0 && !listed { // without the lists of their tests some rules do not fire
			t.Errorf("%s: no test of it fires", r.ID)
		}
	}
}
