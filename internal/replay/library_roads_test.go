package replay

import (
	"context"
	"slices"
	"strings"
	"testing"

	"noroshi/detector"
	"noroshi/internal/decode/roadstest"
	"noroshi/rules"
)

// TestEveryRuleFiresOnEveryRoad: what a test of a rule finds is found by each road that carries its records: each service's own, and
// all in tables of Log Analytics, in exports and in Defender XDR. Microsoft Graph tells no tenant of Entra's records, and streaming of
// hunting tables in a workspace none, so that these meet no records of other families; tests of one family tell of them alone.
func TestEveryRuleFiresOnEveryRoad(t *testing.T) {
	loaded, ps := rules.Load(rules.Options{Library: true})
	if len(ps) > 0 {
		t.Fatal(ps[0].Format())
	}
	loaded.AllLive()
	fired := map[string]int{}
	for _, r := range loaded.Rules {
		p := NewProver(loaded, r, detector.Options{})
		tried := map[roadstest.Family]bool{}
		for i := range r.Tests {
			test := &r.Tests[i]
			with, err := p.with(test)
			if err != nil {
				t.Fatalf("%s: %s: %v", r.ID, test.Name, err)
			}
			records, err := with.builder.records(test)
			if err != nil {
				t.Fatalf("%s: %s: %v", r.ID, test.Name, err)
			}
			families := familiesOf(records)
			if len(test.Want) == 0 || test.Arrive != (rules.Arrive{}) || tried[families] || families == 0 || testing.Short() && len(records) > 40 {
				continue
			}
			tried[families] = true
			for name, wrap := range roadsOf(families) {
				found, err := with.findings(context.Background(), p.counts, test, wrapped(records, wrap), inOrder)
				if err != nil || len(found) != len(test.Want) {
					t.Errorf("%s: %s: %d alerts by %s, want %d (%v)", r.ID, test.Name, len(found), name, len(test.Want), err)
					continue
				}
				fired[name]++
			}
		}
	}
	for name, n := range fired {
		t.Logf("%d tests by %s", n, name)
	}
}

// familiesOf are the families of records, 0 where one is of none.
func familiesOf(records [][]byte) (all roadstest.Family) {
	for _, rec := range records {
		f := roadstest.FamilyOf(string(rec))
		if f == 0 {
			return 0
		}
		all |= f
	}
	return all
}

// roadsOf are the roads of records of these families. Where there are several, each family comes by one and the others as they are.
func roadsOf(families roadstest.Family) map[string]roadstest.Road {
	all := map[string]roadstest.Road{}
	for _, road := range slices.Concat(roadstest.Roads(), roadstest.HuntingRoads) {
		single := road.Family == families
		if road.Family&families == 0 || road.Family == roadstest.Audit|roadstest.Entra || !single && tellsNoTenant(road) {
			continue
		}
		all[road.Name] = road
	}
	return all
}

func tellsNoTenant(road roadstest.Road) bool {
	return road.Family == roadstest.Entra && strings.Contains(road.Name, "Microsoft Graph") || road.Family == roadstest.Hunting && strings.Contains(road.Name, "Log Analytics")
}

func wrapped(records [][]byte, road roadstest.Road) (all [][]byte) {
	for _, rec := range records {
		if roadstest.FamilyOf(string(rec))&road.Family != 0 {
			rec = []byte(road.Wrap(string(rec)))
		}
		all = append(all, rec)
	}
	return all
}

// untold are rules and why one of the two logs does not tell what they look at.
var untold = map[string]string{
	"administrator-acted-with-one-factor":     "no methods of sign-ins in the audit log",
	"administrator-signed-in-with-one-factor": "no methods of sign-ins in the audit log",
	"new-administrator-with-one-factor":       "no methods of sign-ins in the audit log",
	"device-token-by-broker":                  "no kinds of tokens in the audit log",
	"password-grant-sign-in":                  "no grants in the audit log",
	"risky-sign-in-succeeded":                 "no risk in the audit log",
	"impossible-travel":                       "no places in the audit log without databases of addresses",
	"session-from-several-countries":          "no places in the audit log without databases of addresses",
	"session-in-two-countries":                "no places in the audit log without databases of addresses",
	"country-new-in-sessions":                 "no places in the audit log without databases of addresses",
	"managed-device-in-new-country":           "no places in the audit log without databases of addresses",
	"phone-set-up-in-new-network":             "no networks in the audit log without databases of addresses",
	"phone-from-new-network":                  "no networks in the audit log without databases of addresses",
	"session-from-several-networks":           "no networks in the audit log without databases of addresses",
	"sign-in-from-anonymising-network":        "no networks in the audit log without databases of addresses",
	"sign-in-from-new-country":                "no places in the audit log without databases of addresses",
	"sign-in-from-new-network":                "no networks in the audit log without databases of addresses",
	"mfa-prompt-reported":                     "of the service of authentication methods, which the audit log lacks",
	"authentication-methods-changed":          "of the service of authentication methods, which the audit log lacks",
	"role-granted-outside-pim":                "of Privileged Identity Management, which the audit log lacks",
	"records-have-stopped":                    "any record is a sign of life",
}

// TestRulesFireOnBothAuditLogs: what directory audits and sign-ins of Entra tell, the unified audit log tells, too, in its own words.
// A rule that some test proves by one is proved by the other, unless the other does not tell it.
func TestRulesFireOnBothAuditLogs(t *testing.T) {
	loaded, ps := rules.Load(rules.Options{Library: true})
	if len(ps) > 0 {
		t.Fatal(ps[0].Format())
	}
	loaded.AllLive()
	pairs := [][2]string{{"entra.audit", "ual.azure_active_directory"}, {"entra.signin", "ual.azure_active_directory_sts_logon"}}
	for _, r := range loaded.Rules {
		if untold[r.ID] != "" {
			continue
		}
		fired := firedBy(t, loaded, r)
		for _, pair := range pairs {
			for i, has := range pair {
				lacks := pair[1-i]
				if fired[has] && !fired[lacks] {
					t.Errorf("%s: tests fire by %s, none by %s", r.ID, has, lacks)
				}
			}
		}
	}
}

// firedBy are the datasets whose events count in alerts that tests of a rule give.
func firedBy(t *testing.T, loaded *rules.Set, r *rules.Rule) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	p := NewProver(loaded, r, detector.Options{})
	for i := range r.Tests {
		if len(r.Tests[i].Want) == 0 || r.Tests[i].Arrive != (rules.Arrive{}) {
			continue
		}
		with, err := p.with(&r.Tests[i])
		if err != nil {
			t.Fatal(err)
		}
		records, err := with.builder.records(&r.Tests[i])
		if err != nil {
			t.Fatal(err)
		}
		found, err := with.findings(context.Background(), p.counts, &r.Tests[i], records, inOrder)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range found {
			evidence, _ := a.(map[string]any)["evidence"].([]any)
			for _, e := range evidence {
				dataset, _ := e.(map[string]any)["dataset"].(string)
				all[dataset] = true
			}
		}
	}
	return all
}
