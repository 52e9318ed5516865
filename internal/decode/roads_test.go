package decode

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"noroshi/internal/event"
)

// around is a row of CloudAppEvents with something in RawEventData.
func around(raw string) string {
	return `{"time":"2026-01-02T03:09:00Z","tenantId":"t-1","operationName":"Publish","category":"AdvancedHunting-CloudAppEvents","properties":{"Timestamp":"2026-01-02T03:04:05Z","ActionType":"a","ReportId":"r-1","AccountObjectId":"o-1","RawEventData":` + raw + `}}`
}

func quoted(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

// TestAnAuditRecordIsTheSameOnEveryRoad: alone, inside a row of CloudAppEvents as an object, and as JSON in text.
func TestAnAuditRecordIsTheSameOnEveryRoad(t *testing.T) {
	for _, rec := range []string{
		admin(`"Operation":"New-InboxRule","ClientIP":"203.0.113.7:1","Parameters":[{"Name":"Name","Value":"\"日本\" \u00e9"},{"Name":"ForwardTo","Value":"a@b.example"}]`),
		admin(`"Operation":"UpdateInboxRules","OperationProperties":"[{\"Name\":\"RuleOperation\",\"Value\":\"AddMailboxRule\"}]"`),
		`{"CreationTime":"2026-01-02T03:04:05","OrganizationId":"t-1","Operation":"x","RecordType":1,"UserId":"a@contoso.example"}`, // no id
	} {
		alone := read(t, rec)
		want, id, bits := said(alone), alone.Identity(), alone.Duplicate()
		for _, row := range []string{around(rec), around(quoted(rec)), around(" " + rec + " ")} {
			r := read(t, row)
			// The row tells in addition when the service wrote it.
			if d := cmp.Diff(want, strings.Replace(said(r), "event.created: 2026-01-02T03:09:00.000Z\n", "", 1)); d != "" {
				t.Errorf("%s: %s", row, d)
			}
			if d := cmp.Diff(id, r.Identity()); d != "" || r.Duplicate() != bits {
				t.Errorf("%s is another record: %s", row, d)
			}
		}
	}
}

// TestARowWithoutAnAuditRecordStaysARow: nothing, another service's data, broken or too deep JSON, text in text.
func TestARowWithoutAnAuditRecordStaysARow(t *testing.T) {
	deep := strings.Repeat(`{"a":`, 70) + "1" + strings.Repeat("}", 70)
	for _, raw := range []string{`null`, `""`, `17`, `true`, `[]`, `{}`, `"{"`, `{"eventSource":"signin.example.com"}`, `"` + strings.Repeat("[", 2000) + `"`, quoted(`{"CreationTime":"2026-01-02T03:04:05","RecordType":1,"Operation":"x","Deep":` + deep + `}`), quoted(quoted(admin(`"Operation":"x"`)))} {
		r := read(t, around(raw))
		if got := r.Identity(); got.ID != "r-1/2026-01-02T03:04:05Z" || got.Dataset != "defender.cloud_app_events" || got.Account != "o-1" || got.Action != "a" {
			t.Errorf("%.60s is %+v", raw, got)
		}
	}
}

// TestAnAuditRecordWithoutTimeOrTenantTakesTheRows: the row's own time goes before the envelope's.
func TestAnAuditRecordWithoutTimeOrTenantTakesTheRows(t *testing.T) {
	r := read(t, around(`{"Operation":"x","RecordType":1,"Id":"1"}`))
	if got := r.Identity(); got.Tenant != "t-1" || got.TimeFrom != "record" || !got.Time.Equal(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)) {
		t.Errorf("%+v", got)
	}
	if r.Shape() != event.UAL {
		t.Errorf("the shape is %s", r.Shape())
	}
	if r := read(t, admin(`"Operation":"x"`)); r.field("event.created") != "" {
		t.Error("the row before still tells")
	}
}

// TestARowIsTheSameWithoutItsEnvelope: as Log Analytics gives it, with the table in Type and the time in TimeGenerated, and as a
// query gives it, with neither; tables that no columns tell apart need the first.
func TestARowIsTheSameWithoutItsEnvelope(t *testing.T) {
	byType := map[string]bool{"AdvancedHunting-IdentityQueryEvents": true, "AdvancedHunting-IdentityDirectoryEvents": true}
	tried := 0
	for _, file := range fixtures(t) {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var m struct {
			Category   string
			Properties map[string]any
		}
		if err := json.Unmarshal(b, &m); err != nil || !strings.HasPrefix(m.Category, hunting) || tables[m.Category].name == "" {
			continue
		}
		var rest []string // what only the envelope says
		for line := range strings.Lines(said(read(t, strings.TrimSpace(string(b))))) {
			if !strings.HasPrefix(line, "event.created: ") && !strings.HasPrefix(line, "organization.id: ") {
				rest = append(rest, line)
			}
		}
		want := strings.Join(rest, "")
		same := func(what string) {
			t.Helper()
			tried++
			row, err := json.Marshal(m.Properties)
			if err != nil {
				t.Fatal(err)
			}
			r := read(t, string(row))
			got := strings.Replace(said(r), "organization.id: aaaabbbb-0000-cccc-1111-dddd2222eeee\n", "", 1) // the audit record's own
			want := want
			if strings.Contains(want, "event.id: sha256:") {
				want, got = withoutID(want), withoutID(got)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%s %s: %s", file, what, d)
			}
		}
		if !byType[m.Category] {
			same("of a query")
		}
		m.Properties["Type"], m.Properties["TimeGenerated"] = tables[m.Category].name, m.Properties["Timestamp"]
		m.Properties["TenantId"] = "99990000-aaaa-bbbb-cccc-ddddeeeeffff" // of the workspace
		same("of Log Analytics")
		delete(m.Properties, "Timestamp")
		same("of Log Analytics, with its time alone")
	}
	if tried < 20 {
		t.Errorf("only %d rows", tried)
	}
	if r := read(t, `{"Type":"AADSignInEventsBeta","Timestamp":"2026-01-02T03:04:05Z","LogonType":"x","Application":"y","ActionType":"z"}`); r.Shape() != event.Other {
		t.Errorf("a row of a table that is not read is %s", said(r))
	}
	if r := read(t, `{"TenantId":"workspace","TimeGenerated":"2026-01-02T03:04:06Z","CreatedDateTime":"2026-01-02T03:04:05Z","Category":"NonInteractiveUserSignInLogs","HomeTenantId":"home","UserPrincipalName":"taro@contoso.example"}`); r.Identity().Tenant != "home" {
		t.Errorf("the tenant of a row without Type is %q", r.Identity().Tenant)
	}
	// A guest's home is not the tenant that was signed in to.
	for road, rec := range map[string]string{
		"a row without Type":    `{"TenantId":"workspace","TimeGenerated":"2026-01-02T03:04:06Z","CreatedDateTime":"2026-01-02T03:04:05Z","Category":"NonInteractiveUserSignInLogs","HomeTenantId":"home","ResourceTenantId":"ours","UserPrincipalName":"taro@contoso.example"}`,
		"Microsoft Graph, beta": `{"id":"s-1","createdDateTime":"2026-01-02T03:04:05Z","userPrincipalName":"aoi@guest.example","userType":"guest","homeTenantId":"home","resourceTenantId":"ours","ipAddress":"203.0.113.7","status":{"errorCode":0},"appId":"a-1","isInteractive":true,"signInEventTypes":["interactiveUser"],"crossTenantAccessType":"b2bCollaboration"}`,
	} {
		if r := read(t, rec); r.Identity().Tenant != "ours" {
			t.Errorf("the tenant of a guest's sign-in, by %s, is %q", road, r.Identity().Tenant)
		}
	}
	deep := strings.Repeat(`{"a":`, 63) + "1" + strings.Repeat("}", 63)
	if r := read(t, `{"Type":"EmailEvents","Timestamp":"2026-01-02T03:04:05Z","Deep":`+deep+`}`); r.Shape() != event.Other || r.field("event.time") == "" {
		t.Errorf("one that nests too deep in an envelope is %s", said(r))
	}
}

// odd are values of wrong types, each in place of every value of every family's records.
var odd = []any{nil, "", "17", "x", 17, -0.5, true, []any{}, map[string]any{}, []any{map[string]any{"errorCode": 1}}, `{"a":`, strings.Repeat("[", 200), "11/14/2025 1:48:53 AM"}

// leaves calls f for each value inside v, with its dotted path; what lies in arrays counts as the array.
func leaves(v map[string]any, path string, f func(in map[string]any, key, path string)) {
	for _, k := range slices.Sorted(maps.Keys(v)) {
		f(v, k, path+k)
		if m, ok := v[k].(map[string]any); ok {
			leaves(m, path+k+".", f)
		}
	}
}

// TestAWrongTypeLosesNothingElse: whatever stands in one place, reading goes on, and every field that is only a look into
// another place of the record keeps its value.
func TestAWrongTypeLosesNothingElse(t *testing.T) {
	tried := 0
	for _, file := range fixtures(t) {
		rec, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var m map[string]any
		if err := json.Unmarshal(rec, &m); err != nil {
			t.Fatal(err)
		}
		whole := reader()
		if err := whole.ReadAlone(rec[:len(rec)-1], time.Time{}); err != nil {
			t.Fatal(err)
		}
		r := reader()
		leaves(m, "", func(in map[string]any, key, path string) {
			before := in[key]
			defer func() { in[key] = before }()
			for _, v := range odd {
				if reflect.DeepEqual(v, before) {
					continue
				}
				in[key] = v
				b, err := json.Marshal(m)
				if err != nil {
					t.Fatal(err)
				}
				tried++
				if err := r.ReadAlone(b, time.Unix(1, 0)); err != nil {
					t.Errorf("%s: %s is %v: %v", file, path, v, err)
					continue
				}
				if r.Identity().ID == "" || r.Identity().Dataset == "" {
					t.Errorf("%s: %s is %v: %+v", file, path, v, r.Identity())
				}
				if r.Shape() == whole.Shape() {
					kept(t, file, path, whole, r)
				}
			}
		})
	}
	t.Logf("%d records with a wrong type read", tried)
}

// kept compares the fields that do not look at a path.
func kept(t *testing.T, file, path string, whole, r *Reader) {
	t.Helper()
	path = strings.ToLower(strings.TrimPrefix(path, "properties.RawEventData."))
	for _, f := range event.Fields() {
		_, worked := derived[f.Name]
		if worked || tellers(f.Name) != 0 || path == "properties" || path == "properties.raweventdata" {
			continue
		}
		s, _ := r.plan.layout.Find(f.Name)
		if slices.ContainsFunc(r.plan.layout.Def(s).Paths(r.Shape()), func(p string) bool {
			p, _, _ = strings.Cut(strings.ToLower(p), "[")
			return strings.HasPrefix(p, path) || strings.HasPrefix(path, p)
		}) {
			continue
		}
		if got, want := fmt.Sprint(r.field(f.Name), r.fieldList(f.Name)), fmt.Sprint(whole.field(f.Name), whole.fieldList(f.Name)); got != want {
			t.Errorf("%s: with an odd %s, %s is %s and not %s", file, path, f.Name, got, want)
		}
	}
}

func TestDeliveryCodes(t *testing.T) {
	for text, want := range map[string]string{
		"550 5.1.8 Access denied, bad outbound sender AS(42004)": "5.1.8", "LED=550 5.7.705 Access": "5.7.705", "status=5.1.8.": "5.1.8",
		"at 15.1.8 and 203.0.113.7 and 2026.5.1": "", "4.4.7": "4.4.7", "5.1": "", "": "", "5.1.1234": "", "1.2.3.4 then 5.4.1": "5.4.1",
	} {
		if got := deliveryCode(nil, text); got != want {
			t.Errorf("%q holds %q, want %q", text, got, want)
		}
	}
}
