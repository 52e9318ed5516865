package replay

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"noroshi/internal/decode"
	"noroshi/internal/explain"
	"noroshi/rules"
)

// TestTheEventThatMattersIsToldFirst: of a key that is shown once, the event that the rule asks about stands before those that only
// go with it, or from which it still learns.
func TestTheEventThatMattersIsToldFirst(t *testing.T) {
	for name, row := range map[string]struct {
		rule, verdict, counts string
	}{
		"absence, the other came": {`kind: absence
when: auth.result == "wrong_credential"
needs: [entra.signin]
without: {when: auth.result == "success", after: 30m, before: 30m}
tests:
  - name: x
    events: [{like: signin, id: other}, {like: signin-failed, at: +1m, id: asked}, {like: signin, at: +5m, id: more}, {like: signin, at: +3h, id: end}]
    want: []
`, "does not fire", "when"},
		"absence that fires": {`kind: absence
when: auth.result == "wrong_credential"
needs: [entra.signin]
without: {when: auth.result == "success", after: 30m}
tests:
  - name: x
    events: [{like: signin, id: other}, {like: signin-failed, at: +1m, id: asked}, {like: signin, at: +5h, id: end}]
    want: []
`, "fires", "when"},
		"first_seen, known": {`kind: first_seen
when: auth.result == "success"
value: [source.ip]
among: event.dataset == "entra.signin"
within: 30d
learn: 1d
tests:
  - name: x
    events: [{like: signin, id: first}, {like: signin, at: +49h, id: asked}, {like: signin-failed, at: +50h, id: other}]
    want: []
`, "does not fire", "when"},
	} {
		file := filepath.Join(t.TempDir(), "r.yaml")
		if err := os.WriteFile(file, []byte("id: a\ntitle: A\nseverity: low\n"+row.rule), 0o600); err != nil {
			t.Fatal(err)
		}
		set, ps := rules.Load(rules.Options{Paths: []string{file}})
		if len(ps) > 0 || len(set.Rules) != 1 {
			t.Fatalf("%s: %v", name, ps)
		}
		x, err := NewExplaining(set, set.Rules[0], decode.Options{})
		if err != nil {
			t.Fatal(err)
		}
		sum, err := x.Test(context.Background(), &set.Rules[0].Tests[0])
		if err != nil || len(sum.Nearest) != 1 {
			t.Fatalf("%s: %v, %+v", name, err, sum)
		}
		if got := sum.Nearest[0]; got.Event.ID != "asked" || got.Verdict != explain.Verdict(row.verdict) || got.CountsAs[0] != row.counts {
			t.Errorf("%s: got %s of %s, counts as %v", name, got.Verdict, got.Event.ID, got.CountsAs)
		}
	}
}
