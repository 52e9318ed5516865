package replay

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"noroshi/detector"
	"noroshi/internal/alert"
	"noroshi/internal/decode/roadstest"
	"noroshi/rules"
)

// TestAlertsAreTheSameOnEveryRoad: of each record, by each road, the same alerts with the same ids. Microsoft Graph does not name
// the tenant of Entra's records, which the ids hold.
func TestAlertsAreTheSameOnEveryRoad(t *testing.T) {
	loaded, ps := rules.Load(rules.Options{Library: true})
	if len(ps) > 0 {
		t.Fatal(ps[0].Format())
	}
	set := detector.New(loaded, detector.Options{})
	alerts := func(text string) (all []map[string]any) {
		r := Replay{Set: set, Workers: 1, Fault: func(f Fault) { t.Errorf("%s: %s: %s", text, f.Reason, f.Detail) }, Alert: func(a *alert.Alert) error {
			var m map[string]any
			if err := json.Unmarshal(a.AppendJSON(nil), &m); err != nil {
				return err
			}
			delete(m, "evidence") // holds what rows tell beside
			if source, ok := m["source"].(map[string]any); ok {
				delete(source, "country") // which rows of CloudAppEvents tell
			}
			all = append(all, m)
			return nil
		}}
		if _, err := r.Run(context.Background(), []Input{{Name: "in", From: strings.NewReader(text)}}); err != nil {
			t.Fatal(err)
		}
		return all
	}
	fired := 0
	for _, rec := range roadstest.Records() {
		want := alerts(rec.JSON)
		fired += len(want)
		for _, road := range roadstest.Roads() {
			if road.Family&rec.Family == 0 {
				continue
			}
			got, want := alerts(road.Wrap(rec.JSON)), want
			if rec.Family == roadstest.Entra && strings.Contains(road.Name, "Microsoft Graph") {
				got, want = without(got), without(want)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%s by %s: %s", rec.Name, road.Name, d)
			}
		}
	}
	if fired < 5 {
		t.Errorf("only %d alerts", fired)
	}
}

// without leaves out what a tenant is part of.
func without(all []map[string]any) (out []map[string]any) {
	for _, m := range all {
		kept := map[string]any{}
		for name, v := range m {
			if name != "id" && name != "dedup_key" && name != "tenant" {
				kept[name] = v
			}
		}
		out = append(out, kept)
	}
	return out
}
