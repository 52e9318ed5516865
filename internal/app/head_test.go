package app

import (
	"slices"
	"testing"
	"time"

	"noroshi/internal/alert"
	"noroshi/internal/bus"
	"noroshi/internal/incident"
)

func TestHeadersHoldTheHeadOfAnAlert(t *testing.T) {
	a := &alert.Alert{Schema: alert.Schema, ID: "a-1", Status: alert.Updated, Revision: 12, Rule: alert.Rule{ID: "forwarding"}, Severity: "high",
		Account: "渡辺@contoso.example", Time: time.Date(2026, 1, 2, 3, 4, 5, 678_900_000, time.UTC)}
	rec := alertRecord([]byte("k"), a)
	want, err := headOf(&bus.Record{Value: rec.Value})
	if err != nil || want.ID != "a-1" || want.Account != a.Account {
		t.Fatalf("the alert itself says %+v, %v", want, err)
	}
	told := rec
	told.Value = []byte("nobody reads it")
	if got, err := headOf(&told); err != nil || got != want {
		t.Errorf("the headers say %+v, %v, want %+v", got, err, want)
	}
	for i, h := range rec.Headers[1:] { // the head is told by all of them or by none
		lacks := rec
		lacks.Headers = slices.Delete(slices.Clone(rec.Headers), i+1, i+2)
		if got, err := headOf(&lacks); err != nil || got != want {
			t.Errorf("without %s: %+v, %v, want %+v", h.Key, got, err, want)
		}
	}
	for _, key := range []string{headerRevision, headerTime} {
		broken := rec
		broken.Headers = slices.Clone(rec.Headers)
		at := slices.IndexFunc(broken.Headers, func(h bus.Header) bool { return h.Key == key })
		broken.Headers[at].Value = []byte("x")
		if got, err := headOf(&broken); err != nil || got != want {
			t.Errorf("with a broken %s: %+v, %v, want %+v", key, got, err, want)
		}
	}
	if _, err := headOf(&bus.Record{Value: []byte("{")}); err == nil {
		t.Error("what is no alert has a head")
	}
}

// TestSinksPassOverStories: what belongs into an account's story is neither sent nor counted as something that nobody can read.
func TestSinksPassOverStories(t *testing.T) {
	a := alertRecord([]byte("k"), &alert.Alert{Schema: alert.Schema, ID: "a-1"})
	activity, profile, foreign := a, a, a
	schema := func(s string) []bus.Header {
		return append([]bus.Header{{Key: headerSchema, Value: []byte(s)}}, a.Headers[1:]...)
	}
	activity.Headers, profile.Headers, foreign.Headers = schema(incident.ActivitySchema), schema(incident.ProfileSchema), schema("somebody/1")
	q := &queue{sink: "soc", now: []bus.Record{activity, a, profile, foreign}}
	all := q.messages()
	if len(all) != 1 || all[0].ID != "a-1" || !slices.Equal(q.ends, []int{2}) {
		t.Errorf("got %d messages that end at %v, want the alert", len(all), q.ends)
	}
	if n := q.skipped.Load(); n != 1 {
		t.Errorf("%d messages count as no alerts, want the foreign one alone", n)
	}
	if s := (&NamedSink{Name: "soc"}); s.waitsFor(&activity) || s.waitsFor(&profile) || !s.waitsFor(&a) {
		t.Error("a sink waits for alerts alone")
	}
}
