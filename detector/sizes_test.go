package detector

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"noroshi/internal/alert"
	"noroshi/rules"
)

// fittedAlerts are the alerts of a record by the shipped rules, and how many were cut.
func fittedAlerts(t *testing.T, rec string) (all []alert.Alert, cut int) {
	t.Helper()
	rs, ps := rules.Load(rules.Options{Library: true})
	if len(ps) > 0 {
		t.Fatal(ps[0].Format())
	}
	set := New(rs, Options{})
	w, m := set.Worker(), set.Memory(MemoryOptions{})
	if err := w.ReadAlone([]byte(rec), time.Time{}); err != nil {
		t.Fatal(err)
	}
	EachHit(w.Match(nil), func(packed []byte) {
		_ = m.Apply(packed, func(a *alert.Alert) { all = append(all, *a) })
	})
	return all, m.Cut
}

const wide = `{"CreationTime":"2026-01-02T03:04:05","Id":"a-1","Operation":"New-InboxRule","RecordType":1,"OrganizationId":"t-1","UserType":0,"UserId":"%s","ClientIP":"203.0.113.7",` +
	`"Parameters":[{"Name":"ForwardTo","Value":"%s"},{"Name":"Name","Value":"%s"}]}`

// TestLibraryAlertsFit: an inbox rule of a thousand recipients, and names without end, give alerts that every sink takes.
func TestLibraryAlertsFit(t *testing.T) {
	var to []string
	for i := range 1000 {
		to = append(to, fmt.Sprintf("somebody-with-a-long-name-%04d@%s.example.net", i, strings.Repeat("d", 40)))
	}
	rec := fmt.Sprintf(wide, "taro@contoso.example", strings.Join(to, ";"), "r")
	all, cut := fittedAlerts(t, rec)
	if len(all) == 0 || cut != len(all) {
		t.Fatalf("%d alerts, %d of them cut", len(all), cut)
	}
	for _, a := range all {
		if n := len(a.AppendJSON(nil)); n > 32<<10 || len(a.Indicators.Destinations) != alert.MaxDestinations || a.Indicators.Total != 1000 || !slices.Equal(a.Indicators.Destinations[:2], to[:2]) || !slices.Contains(a.Cut, "destinations") {
			t.Errorf("%s: %d bytes, %d destinations of %d, cut %v", a.Rule.ID, n, len(a.Indicators.Destinations), a.Indicators.Total, a.Cut)
		}
	}
	long := strings.Repeat("o'", 300_000)
	all, _ = fittedAlerts(t, fmt.Sprintf(wide, "taro@contoso.example", long+"@mail.example.net", long))
	for _, a := range all {
		if n := len(a.AppendJSON(nil)); n > alert.MaxSize {
			t.Errorf("%s: %d bytes", a.Rule.ID, n)
		}
		for _, r := range a.Respond {
			if strings.Contains(r.Command, "…") {
				t.Errorf("%s: a part of a command: %s", a.Rule.ID, r.Command)
			}
		}
	}
	if len(all) == 0 {
		t.Error("no alert")
	}
	few, cut := fittedAlerts(t, fmt.Sprintf(wide, "taro@contoso.example", "a@mail.example.net;b@mail.example.net", "r"))
	if len(few) == 0 || cut != 0 || few[0].Indicators.Total != 0 || len(few[0].Cut) > 0 {
		t.Errorf("an ordinary alert: %+v", few)
	}
}
