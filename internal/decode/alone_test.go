package decode

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

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
