package detector

import (
	"fmt"
	"testing"
	"time"

	"noroshi/internal/alert"
	"noroshi/rules"
	"noroshi/rules/kind"
)

// keeper is a kind that fires at every event with all events before it.
type keeper struct{ kept *[]*kind.Hit }

func (keeper) Name() string { return "keeper" }

func (keeper) New() kind.Memory { return keeper{new([]*kind.Hit)} }

func (k keeper) Apply(s *kind.Hit, to []kind.Finding) []kind.Finding {
	*k.kept = append(*k.kept, s.Clone())
	n := len(*k.kept)
	return append(to, kind.Finding{Anchor: s.Same().Anchor(), First: (*k.kept)[0].Time, Last: s.Time, Count: n, Hits: *k.kept})
}

// TestWhatAMemoryKeepsIsItsOwn: the bytes that hits are matched into, and records are read into, are used again.
func TestWhatAMemoryKeepsIsItsOwn(t *testing.T) {
	rs, ps := rules.Load(rules.Options{Library: true})
	if len(ps) > 0 {
		t.Fatal(ps[0].Format())
	}
	rs.Rules = []*rules.Rule{rs.Find("inbox-rule-hides-mail")}
	rs.Rules[0].Kind = keeper{}
	set := New(rs, Options{})
	w, m := set.Worker(), set.Memory()
	var body []byte
	for i := range 20 {
		rec := fmt.Appendf(nil, `{"CreationTime":"2026-01-02T03:04:%02d","Id":"a-%d","Operation":"New-InboxRule","RecordType":1,"OrganizationId":"t-1",
			"UserType":0,"UserId":"user%d@contoso.example","ClientIP":"203.0.113.%d","Parameters":[{"Name":"DeleteMessage","Value":"True"},{"Name":"Name","Value":"r%d"}]}`, i, i, i, i, i)
		if err := w.ReadAlone(rec, time.Time{}); err != nil {
			t.Fatal(err)
		}
		body = w.Match(body[:0])
		alerts := 0
		EachHit(body, func(packed []byte) {
			var s kind.Hit
			if err := s.Unpack(packed); err != nil {
				t.Fatal(err)
			}
			m.Apply(&s, func(a *alert.Alert) {
				alerts++
				for j, e := range a.Evidence {
					if e.ID != fmt.Sprintf("a-%d", j) || e.Action != "New-InboxRule" || e.SourceIP != fmt.Sprintf("203.0.113.%d", j) {
						t.Errorf("after %d records the evidence of record %d is %+v", i+1, j, e)
					}
				}
			})
		})
		if alerts != 1 {
			t.Fatalf("record %d: %d alerts", i, alerts)
		}
	}
}
