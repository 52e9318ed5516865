package decode

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"noroshi/internal/decode/projector"
	"noroshi/internal/event"
)

// The shape of a record, and what is read of it, does not depend on the records before it, however its members are spelt and
// doubled.
func TestTheShapeIsOfTheRecordAlone(t *testing.T) {
	before := []string{"", `{"CreationTime":"2026-01-02T03:04:05","Operation":"x","RecordType":1}`, `{"time":"2026-01-02T03:04:05Z","category":"AuditLogs","properties":{}}`,
		`{"time":"2026-01-02T03:04:05Z","category":"AdvancedHunting-EmailEvents","properties":{}}`, `{"id":"1","createdDateTime":"2026-01-02T03:04:05Z","userPrincipalName":"a"}`,
		`{"MessageTraceId":"1","SenderAddress":"a","RecipientAddress":"b","Status":"c"}`, `{"a":1}`}
	values := []string{`"x"`, `17`, `null`, `{}`, `{"id":"1"}`, `"SigninLogs"`, `"AdvancedHunting-EmailEvents"`, `"2026-01-02T03:04:05Z"`}
	rnd := rand.New(rand.NewPCG(1, 2))
	spelt := func(name string) string {
		name = strings.Trim(name, `[]"`)
		switch rnd.IntN(6) {
		case 0, 1:
			name = strings.ToLower(name)
			return fmt.Sprintf(`%s\u%04x`, name[:len(name)-1], name[len(name)-1])
		case 2:
			return strings.ToLower(name)
		case 3:
			return strings.ToUpper(name)
		}
		return name
	}
	readers := make([]*Reader, len(before))
	for i := range readers {
		readers[i] = reader()
	}
	shapes := map[event.Shape]int{}
	for n := range 20_000 {
		if n%20 == 0 { // one that has learned nothing
			readers[0] = reader()
		}
		var members []string
		for range 1 + rnd.IntN(8) {
			name := marks[rnd.IntN(len(marks))]
			if rnd.IntN(2) == 0 { // those that tell the unified audit log and envelopes
				name = marks[rnd.IntN(int(markProperties)+1)]
			}
			if n%50 == 0 { // those that tell an alert
				name = marks[int(markSecurityType)+rnd.IntN(int(markAlerts-markSecurityType)+1)]
				members = append(members, `"createdDateTime":"2026-01-02T03:04:05Z"`)
			}
			members = append(members, fmt.Sprintf(`"%s":%s`, spelt(name), values[rnd.IntN(len(values))]))
		}
		rec := "{" + strings.Join(members, ",") + "}"
		var first string
		for i, r := range readers {
			if before[i] != "" {
				if err := r.ReadAlone([]byte(before[i]), time.Time{}); err != nil && i < len(before)-2 {
					t.Fatal(err)
				}
			}
			err := r.ReadAlone([]byte(rec), time.Unix(1_700_000_000, 0))
			got := fmt.Sprint(r.Shape(), err, r.Time(), r.field("event.action"), r.field("user.name"), r.AtHand().Dataset)
			if first == "" {
				first = got
				shapes[r.Shape()]++
			}
			if got != first {
				t.Fatalf("%s\nis alone  %s\nbehind %s\nit is     %s", rec, first, before[i], got)
			}
		}
	}
	if len(shapes) < int(event.Shapes) {
		t.Errorf("too few shapes: %v", shapes)
	}
}

// TestMarksHaveTheirPlaces: each mark is projected at its number, in every view.
func TestMarksHaveTheirPlaces(t *testing.T) {
	r := reader()
	for shape := range r.plan.views {
		v := &r.plan.views[shape]
		for i, mark := range marks[:marked[shape]] {
			if v.at[mark] != int32(i) || v.paths[i] != mark {
				t.Errorf("the view %v has %s at %d", v.shape, mark, v.at[mark])
			}
		}
	}
	if err := r.ReadAlone([]byte(`{"time":"2026-01-02T03:04:05Z","operation":"x"}`), time.Time{}); err != nil || r.field("event.action") != "x" || r.Shape() != event.Other {
		t.Errorf("%v, %q", err, r.field("event.action"))
	}
}

// TestAFieldIsTheSameWhateverElseIsWanted: a field that a rule set alone asks for has the value that it has beside all others, and
// beside paths into the record in other spellings.
func TestAFieldIsTheSameWhateverElseIsWanted(t *testing.T) {
	var records [][]byte
	paths := map[string]bool{}
	for _, file := range fixtures(t) {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, b)
		var m map[string]any
		if err := json.Unmarshal(b, &m); err != nil {
			t.Fatal(err)
		}
		members(m, "raw", paths)
	}
	others := event.NewLayout()
	for _, f := range event.Fields() {
		others.Slot(f.Name)
	}
	for p := range paths {
		if _, ok := others.Slot(p); !ok {
			t.Fatalf("%s is no name", p)
		}
	}
	schema := reader()
	among := NewPlan(others, Options{}).Reader()
	for _, f := range event.Fields() {
		l := event.NewLayout()
		l.Slot(f.Name)
		alone := NewPlan(l, Options{}).Reader()
		for i, rec := range records {
			for _, r := range [...]*Reader{alone, among} {
				if err := r.ReadAlone(rec, time.Unix(1_700_000_000, 0)); err != nil {
					t.Fatal(err)
				}
			}
			got, want := fmt.Sprint(alone.field(f.Name), alone.fieldList(f.Name)), fmt.Sprint(among.field(f.Name), among.fieldList(f.Name))
			if got != want {
				t.Errorf("%s: %s alone is %s, among others %s", fixtures(t)[i], f.Name, got, want)
			}
			if got, want := alone.Event.Has(slotOf(l, f.Name)), among.Event.Has(slotOf(others, f.Name)); got != want {
				t.Errorf("%s: has(%s) alone is %v, among others %v", fixtures(t)[i], f.Name, got, want)
			}
		}
		for of, i := range alone.places {
			if _, ok := schema.plan.views[of.shape].same[projector.Same(of.path)]; ok && i < 0 {
				t.Errorf("%s looks at %s of %v records, which it does not need", f.Name, of.path, of.shape)
			}
		}
	}
}

func slotOf(l *event.Layout, name string) event.Slot {
	s, _ := l.Slot(name)
	return s
}

// members are the flat names of all members of an object, also of objects in text, in lower case.
func members(v any, name string, all map[string]bool) {
	if s, ok := v.(string); ok && strings.HasPrefix(strings.TrimSpace(s), "{") {
		_ = json.Unmarshal([]byte(s), &v)
	}
	m, _ := v.(map[string]any)
	for k, inner := range m {
		n := event.Member(name, strings.ToLower(k))
		all[n] = true
		members(inner, n, all)
	}
}
