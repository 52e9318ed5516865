package replay

import (
	"encoding/json"
	"fmt"
	"time"

	"noroshi/detector"
	"noroshi/internal/alert"
	"noroshi/rules"
	"noroshi/rules/kind"
)

// Verdict is what became of one of a rule's tests.
type Verdict struct {
	Rule  string `json:"rule"`
	Test  string `json:"test"`
	File  string `json:"file"`
	Line  int    `json:"line"`
	Pass  bool   `json:"pass"`
	Why   string `json:"why,omitempty"`
	Count int    `json:"alerts"`
}

// Prove runs the tests of a rule: its records through the detector as a replay does, the alerts of this rule against what
// each test wants.
func Prove(set *detector.Set, r *rules.Rule) (all []Verdict) {
	for i := range r.Tests {
		t := &r.Tests[i]
		v := Verdict{Rule: r.ID, Test: t.Name, File: r.File, Line: t.Line}
		alerts, err := findings(set, r, t)
		v.Count = len(alerts)
		switch {
		case err != nil:
			v.Why = err.Error()
		default:
			v.Why = differ(t.Want, alerts)
		}
		v.Pass = v.Why == ""
		all = append(all, v)
	}
	return all
}

// findings are the alerts of a rule for a test's records, as JSON values.
func findings(set *detector.Set, r *rules.Rule, t *rules.Test) (all []any, err error) {
	w, m, sp := set.Worker(), set.Memory(), newSpool(spoolMemory)
	var seen detector.Seen
	for i, rec := range t.Events {
		if err := w.ReadAlone(rec, time.Time{}); err != nil {
			return nil, fmt.Errorf("event %d cannot be read: %w", i+1, err)
		}
		if seen.Add(w.Reader().Duplicate()) {
			continue
		}
		detector.EachHit(w.Match(nil), func(packed []byte) { err = sp.add(packed) })
		if err != nil {
			return nil, err
		}
	}
	err = sp.each(func(packed []byte) error {
		var s kind.Hit
		if err := s.Unpack(packed); err != nil {
			return fmt.Errorf("apply hit: %w", err)
		}
		var failed error
		m.Apply(&s, func(a *alert.Alert) {
			if a.Rule.ID != r.ID {
				return
			}
			var v any
			if failed = json.Unmarshal(a.AppendJSON(nil), &v); failed == nil {
				all = append(all, v)
			}
		})
		return failed
	})
	return all, err
}

// differ tells how alerts are not what is wanted, "" where they are.
func differ(want, have []any) string {
	if len(want) != len(have) {
		return fmt.Sprintf("expected %s, got %d", alerts(len(want)), len(have))
	}
	for i := range want {
		if s := rules.Subset(want[i], have[i]); s != "" {
			return fmt.Sprintf("alert %d: %s", i+1, s)
		}
	}
	return ""
}

func alerts(n int) string {
	if n == 1 {
		return "1 alert"
	}
	return fmt.Sprintf("%d alerts", n)
}
