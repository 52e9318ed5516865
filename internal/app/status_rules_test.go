package app

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"noroshi/internal/coverage"
	"noroshi/rules"
)

// TestRulesSleepWithoutTheirDatasets: rules that lack the same stand together, and one that looks at alerts of a rule that sleeps sleeps too.
func TestRulesSleepWithoutTheirDatasets(t *testing.T) {
	set, ps := rules.Load(rules.Options{Library: true, Untested: true})
	if len(ps) > 0 {
		t.Fatal(ps)
	}
	few := slices.DeleteFunc(set.Rules, func(r *rules.Rule) bool {
		return !slices.Contains([]string{"mail-to-many-strangers", "mail-the-audit-does-not-show", "inbox-rule-hides-mail", "forwarding-found-by-both",
			"forwarding-noticed-by-microsoft", "mailbox-forwarding-outside", "inbox-rule-forwards-outside"}, r.ID)
	})
	got := Sleepers(few, []string{"ual.exchange_admin", "ual.exchange_item"})
	want := []SleepSum{
		{Rules: []string{"mail-the-audit-does-not-show", "mail-to-many-strangers"}, Lacks: []coverage.Lack{{Datasets: []string{"defender.email_events"}}}},
		{Rules: []string{"forwarding-found-by-both"}, Lacks: []coverage.Lack{{Rules: []string{"forwarding-noticed-by-microsoft"}}}},
		{Rules: []string{"forwarding-noticed-by-microsoft"}, Lacks: []coverage.Lack{{Datasets: []string{"defender.alert_evidence", "defender.cloud_app_events",
			"graph.security_alert", "ual.security_compliance_alerts"}}}},
	}
	if d := cmp.Diff(got, want); d != "" {
		t.Error(d)
	}
}
