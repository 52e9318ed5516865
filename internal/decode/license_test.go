package decode

import (
	"fmt"
	"slices"
	"testing"
)

// TestLicensesAndPlansThatWereTaken: by each road, and never where nothing was taken or a license was given.
func TestLicensesAndPlansThatWereTaken(t *testing.T) {
	const (
		e5    = `[SkuName=SPE_E5, AccountId=aaaabbbb-0000-cccc-1111-dddd2222eeee, SkuId=06EBC4EE-1bb5-47dd-8120-11324bc54e06, DisabledPlans=[]]`
		bare  = `[SkuName=SPE_E5, AccountId=aaaabbbb-0000-cccc-1111-dddd2222eeee, SkuId=06ebc4ee-1bb5-47dd-8120-11324bc54e06, DisabledPlans=[M365_ADVANCED_AUDITING, 2f442157-A11C-46b9-ae5b-6e39ff4e5849]]`
		audio = `[SkuName=MCOMEETADV, AccountId=aaaabbbb-0000-cccc-1111-dddd2222eeee, SkuId=0c266dff-15dd-4b49-8397-2bb16070ed52, DisabledPlans=[]]`
	)
	list := func(all ...string) string {
		text := "["
		for i, one := range all {
			if i > 0 {
				text += ","
			}
			text += fmt.Sprintf("\r\n  %q", one)
		}
		return text + "]"
	}
	plan := func(id, status string) string {
		return fmt.Sprintf(`{"SubscribedPlanId":"s","ServiceInstance":"exchange/x","CapabilityStatus":%s,"AssignedTimestamp":"2026-01-02T03:04:05Z","ServicePlanId":%q}`, status, id)
	}
	const audit, mail = "2f442157-a11c-46b9-ae5b-6e39ff4e5849", "efb87545-963c-4e0d-99df-69c6916d9eb0"
	for name, row := range map[string]struct {
		action, name, before, after string
		licenses, plans             []string
	}{
		"the only license":          {"Change user license", "AssignedLicense", list(e5), "[]", []string{"SPE_E5"}, nil},
		"one of two":                {"Change user license", "AssignedLicense", list(e5, audio), list(e5), []string{"MCOMEETADV"}, nil},
		"both":                      {"Update user", "AssignedLicense", list(e5, audio), "[]", []string{"SPE_E5", "MCOMEETADV"}, nil},
		"plans of a license":        {"Change user license", "AssignedLicense", list(audio, e5), list(bare, audio), nil, []string{"m365_advanced_auditing", audit}},
		"plans that were off":       {"Change user license", "AssignedLicense", list(bare), list(bare), nil, nil},
		"plans switched on":         {"Change user license", "AssignedLicense", list(bare), list(e5), nil, nil},
		"given":                     {"Change user license", "AssignedLicense", "[]", list(e5), nil, nil},
		"given without plans":       {"Change user license", "AssignedLicense", "[]", list(bare), nil, nil},
		"another instead":           {"Change user license", "AssignedLicense", list(e5), list(audio), []string{"SPE_E5"}, nil},
		"the same":                  {"Change user license", "AssignedLicense", list(e5), list(e5), nil, nil},
		"no text of ours":           {"Change user license", "AssignedLicense", "[1]", "SkuId=", nil, nil},
		"an assigned plan":          {"Update user", "AssignedPlan", "[" + plan(mail, "0") + "," + plan(audit, "0") + "]", "[" + plan(mail, "0") + "]", nil, []string{audit}},
		"an assigned plan, deleted": {"Update user", "AssignedPlan", "[" + plan(audit, `"Enabled"`) + "]", "[" + plan(audit, "3") + "]", nil, []string{audit}},
		"a plan in its last days":   {"Update user", "AssignedPlan", "[" + plan(audit, "0") + "]", "[" + plan(audit, `"Warning"`) + "]", nil, nil},
		"a new time":                {"Update user", "AssignedPlan", "[" + plan(audit, "0") + "]", "[" + plan(audit, "1") + "]", nil, nil},
		"a plan that was deleted":   {"Update user", "AssignedPlan", "[" + plan(audit, "3") + "]", "[]", nil, nil},
		"another operation":         {"Add user", "AssignedLicense", list(e5), "[]", nil, nil},
	} {
		properties := fmt.Sprintf(`"activityDisplayName":%q,"activityDateTime":"2026-01-02T03:04:05Z","result":"success","targetResources":[{"type":"User","modifiedProperties":[{"displayName":%q,"oldValue":%q,"newValue":%q}]}]`, row.action, row.name, row.before, row.after)
		for road, rec := range map[string]string{
			"diagnostic": `{"time":"2026-01-02T03:04:05Z","category":"AuditLogs","operationName":"x","properties":{"id":"1",` + properties + `}}`,
			"graph":      `{"id":"1","category":"UserManagement","loggedByService":"Core Directory",` + properties + `}`,
			"audit log": fmt.Sprintf(`{"CreationTime":"2026-01-02T03:04:05","Id":"1","RecordType":8,"Operation":%q,"Workload":"AzureActiveDirectory","ModifiedProperties":[{"Name":%q,"OldValue":%q,"NewValue":%q}]}`,
				row.action+".", row.name, row.before, row.after),
		} {
			r := read(t, rec)
			if got := r.fieldList("license.removed"); !slices.Equal(got, row.licenses) {
				t.Errorf("%s, %s: licenses %q, want %q", name, road, got, row.licenses)
			}
			if got := r.fieldList("license.plans_removed"); !slices.Equal(got, row.plans) {
				t.Errorf("%s, %s: plans %q, want %q", name, road, got, row.plans)
			}
		}
	}
}
