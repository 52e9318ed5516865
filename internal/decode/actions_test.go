package decode

import (
	"fmt"
	"slices"
	"testing"

	"noroshi/internal/event"
)

// everything holds what any derived field of an operation looks at.
const everything = `"Name":"n","Severity":"s","Data":"{\"f3u\":\"x\",\"reid\":\"y\"}","AlertId":"a","Category":"c","AlertEntityId":"e","EntityType":"User","ObjectId":"o","DeliverToMailboxAndForward":"True","AffectedItems":[{"Subject":"s","InternetMessageId":"<m>"}],
"Parameters":[{"Name":"ForwardTo","Value":"a@b.example"},{"Name":"DeleteMessage","Value":"True"},{"Name":"MoveToFolder","Value":"Junk"},{"Name":"AccessRights","Value":"FullAccess"},{"Name":"User","Value":"u"},{"Name":"ForwardingSmtpAddress","Value":"a@b.example"},{"Name":"BlindCopyTo","Value":"a@b.example"},{"Name":"JournalEmailAddress","Value":"a@b.example"},{"Name":"AutoForwardEnabled","Value":"True"},{"Name":"AutoForwardingMode","Value":"On"},{"Name":"DeliverToMailboxAndForward","Value":"True"},{"Name":"Member","Value":"m"},{"Name":"Role","Value":"r"},{"Name":"Identity","Value":"i:\\Inbox"},{"Name":"SubjectContainsWords","Value":"w"}],
"ModifiedProperties":[{"Name":"Role.DisplayName","NewValue":"Global Administrator"},{"Name":"Role.TemplateId","NewValue":"t"},{"Name":"ConsentAction.Permissions","NewValue":"Scope: Mail.Read]"},{"Name":"ConsentContext.IsAdminConsent","NewValue":"True"},{"Name":"AssignedLicense","OldValue":"[SkuName=E5, SkuId=1]","NewValue":"[SkuName=E3, SkuId=3, DisabledPlans=[]]"},{"Name":"AssignedPlan","OldValue":"[{\"ServicePlanId\":\"p\",\"CapabilityStatus\":0}]"}],
"OperationProperties":[{"Name":"RuleOperation","Value":"AddMailboxRule"},{"Name":"RuleName","Value":"n"},{"Name":"RuleActions","Value":"[{\"ActionType\":\"Delete\"}]"}]`

// TestFieldsAreAbsentForAllOtherOperations: a record with everything in it, under each operation that any field has.
func TestFieldsAreAbsentForAllOtherOperations(t *testing.T) {
	actions := map[string]bool{"Other": true}
	for _, f := range event.Fields() {
		for _, a := range f.Actions {
			actions[a] = true
		}
	}
	present := map[string]bool{}
	for a := range actions {
		for _, rec := range [...]string{
			admin(fmt.Sprintf(`"Operation":%q,%s`, a, everything)),
			entraEnvelope("AuditLogs", fmt.Sprintf(`"activityDisplayName":%q,"targetResources":[{"type":"Role","displayName":"Global Administrator"},{"type":"User","userPrincipalName":"u@b.example","modifiedProperties":[{"displayName":"Role.TemplateId","newValue":"\"t\""},{"displayName":"ConsentAction.Permissions","newValue":"\"ClientId: c, Scope: Mail.Read]\""}]}]`, a)),
		} {
			r := read(t, rec)
			for _, f := range event.Fields() {
				if len(f.Actions) == 0 {
					continue
				}
				got := r.field(f.Name)
				if f.Type == event.List {
					got = fmt.Sprint(len(r.fieldList(f.Name)))
					if got == "0" {
						got = ""
					}
				}
				if got == "" {
					continue
				}
				present[f.Name] = true
				if !slices.Contains(f.Actions, r.field("event.action")) {
					t.Errorf("%s is %q for %s", f.Name, got, a)
				}
			}
		}
	}
	for _, f := range event.Fields() {
		if len(f.Actions) > 0 && !present[f.Name] {
			t.Errorf("%s was never there: the record says nothing of it", f.Name)
		}
	}
}
